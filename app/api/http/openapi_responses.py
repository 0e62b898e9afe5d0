"""Documents the responses of a route: an example of success, and every error with its code."""

from typing import Any

from app.api.http.problems import MEDIA_TYPE, problem_body
from app.errors import DeskgraphError, UnauthorizedError

# What FastAPI takes as a route's `responses`: an OpenAPI Response Object by status.
Responses = dict[int | str, dict[str, Any]]
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def documented_responses(
    status: int,
    example: Any,
    *errors: type[DeskgraphError],
    media_type: str = "application/json",
) -> Responses:
    """The `responses` of a route: an example of success, and the errors that only it answers.

    GuardedRoute adds the errors that follow from the route's shape.
    """
    return with_problems({status: {"content": {media_type: {"example": example}}}}, *errors)


def with_problems(responses: Responses, *errors: type[DeskgraphError]) -> Responses:
    """The responses and those errors: by status, each code once, with an example."""
    documented = dict(responses)
    for error in errors:
        before = documented.get(error.status, {}).get("content", {}).get(MEDIA_TYPE, {})
        examples = before.get("examples", {})
        if error.code not in examples:
            documented[error.status] = _answer(examples | {error.code: _example(error)}, error)
    return documented


def _answer(examples: dict[str, Any], error: type[DeskgraphError]) -> dict[str, Any]:
    """The problems of one status, whose codes are those of the examples and no other.

    One schema for all of them, so that a client made from the document has one class.
    """
    said = "; ".join(f"`{code}`: {example['summary']}" for code, example in examples.items())
    return {
        "description": said,
        "content": {MEDIA_TYPE: {"schema": PROBLEM, "examples": examples}},
        "headers": _headers(error),
    }


def _example(error: type[DeskgraphError]) -> dict[str, Any]:
    body = problem_body(error(error.title + "."), "/v1/...")
    return {"summary": error.title, "value": body}


def _headers(error: type[DeskgraphError]) -> dict[str, Any]:
    """The headers that every error of the status carries."""
    headers: dict[str, Any] = {}
    if error is UnauthorizedError:
        headers["WWW-Authenticate"] = {"schema": {"const": "Bearer"}}
    if error.retry_after_seconds is not None:
        about = {"description": "Seconds to wait before the next request."}
        headers["Retry-After"] = {**about, "schema": {"type": "integer"}}
    return headers
