"""Documents the errors of a route: each with its code and an example."""

from typing import Any

from app.api.http.problems import MEDIA_TYPE, problem_body
from app.errors import (
    BodyError,
    DeskgraphError,
    InvalidRequestError,
    MediaTypeError,
    MissingScopeError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
)

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
ALWAYS: tuple[type[DeskgraphError], ...] = (
    UnauthorizedError,
    MissingScopeError,
    InvalidRequestError,
    UnavailableError,
)
WITH_BODY: tuple[type[DeskgraphError], ...] = (BodyError, TooLargeError, MediaTypeError)


def documented_responses(
    status: int, example: dict[str, Any], *errors: type[DeskgraphError], body: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: an example of success, and of every error it may meet."""
    success = {"content": {"application/json": {"example": example}}}
    return {status: success, **problems(*errors, body=body)}


def problems(*errors: type[DeskgraphError], body: bool = False) -> dict[int | str, dict[str, Any]]:
    """What any call may meet, and what this one adds."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for error in (*ALWAYS, *(WITH_BODY if body else ()), *errors):
        example = problem_body(error(error.title + "."), "/v1/...")
        answer = by_status.setdefault(
            error.status,
            {
                "description": error.title,
                "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA, "examples": {}}},
            },
        )
        answer["content"][MEDIA_TYPE]["examples"][error.code] = {"value": example}
    return by_status
