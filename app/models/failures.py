"""Classifies a failed HTTP call to a model server: whether, and when, a retry can succeed."""

import re
from datetime import UTC, datetime

from app.models.retry_after import retry_after_seconds
from graphs.llm.errors import ModelError, ModelRefusedError, ModelUnavailableError

# Beside every 5xx: request timeout, conflict, too early, too many requests (RFC 9110, RFC 6585).
HEALING = frozenset({408, 409, 425, 429})
# The key, the account or the model's name is wrong, so every question gets the same answer.
CONFIGURATION = frozenset({401, 402, 403, 404, 405, 410})
# An error code of the API, such as `context_length_exceeded`; anything else may quote the question.
CODE = re.compile(r"[a-z_]{1,60}")


def failure_of(error: Exception) -> ModelError:
    """The model error for what an OpenAI-compatible client raised: its class, status and code."""
    status = getattr(error, "status_code", None)
    code = getattr(error, "code", None)
    message = type(error).__name__
    message += f" {status}" if isinstance(status, int) else ""
    message += f" {code}" if isinstance(code, str) and CODE.fullmatch(code) else ""
    if isinstance(status, int) and 400 <= status < 500 and status not in HEALING:
        return ModelRefusedError(message, for_all=status in CONFIGURATION)
    headers = getattr(getattr(error, "response", None), "headers", {})
    return ModelUnavailableError(message, retry_after_seconds(headers, datetime.now(UTC)))
