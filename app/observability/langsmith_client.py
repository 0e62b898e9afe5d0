"""LangSmith's own client as a sender of traces uses it."""

import os
from typing import Any

import langsmith
from langsmith.schemas import LangSmithInfo

from app.observability.trace_sender import Redact, note_lost
from app.settings import Settings

NAME = "langsmith"
# The client's own switches, which have no parameter: with them all sending happens in its daemon
# threads. A send in its thread pool would hold a stopping process until LangSmith answers.
CLIENT_SWITCHES = {"LANGSMITH_USE_DAEMON": "true", "LANGSMITH_DISABLE_RUN_COMPRESSION": "true"}
MAX_BATCH_BYTES = 20_000_000


class LangSmithClient:
    """The client of these settings, which must hold a key."""

    def __init__(self, settings: Settings, redact: Redact) -> None:
        assert settings.langsmith_api_key is not None, "without a key nothing is made"
        for name, value in CLIENT_SWITCHES.items():
            os.environ.setdefault(name, value)
        self.lost: str | None = None
        self._client = langsmith.Client(
            api_url=settings.langsmith_endpoint,
            api_key=settings.langsmith_api_key.get_secret_value(),
            # Known beforehand, so that nothing waits for `GET /info`.
            info=LangSmithInfo(),
            max_batch_size_bytes=MAX_BATCH_BYTES,
            anonymizer=redact,
            tracing_error_callback=self._note_lost,
        )

    def create_run(self, **run: Any) -> None:
        """Take the start of a run."""
        self._client.create_run(**run)

    def update_run(self, **run: Any) -> None:
        """Take its end."""
        self._client.update_run(**run)

    def flush(self, seconds: float) -> int:
        """Send what waits, for at most so many seconds; returns how many items are left."""
        self._client.flush(timeout=seconds)
        sending = self._client.tracing_queue
        return sending.unfinished_tasks if sending else 0

    def _note_lost(self, error: Exception) -> None:
        """What the client says of traces that it gave up, as with a key that LangSmith refuses."""
        self.lost = type(error).__name__
        note_lost(NAME, error=self.lost)
