"""Every error as RFC 9457 `application/problem+json` with a stable `code`."""

import json
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from app.db.core.availability import DATABASE_ERRORS, is_unavailable
from app.errors import (
    DeskgraphError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)
from app.log import get_logger
from app.log.error_text import wrong_value

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
# Stands in `scope["path"]` for a slash inside an id (strict_url.py): no address can hold it itself.
SLASH_IN_ID = "\udc2f"
UNEXPECTED = DeskgraphError("The failure is logged; try again.")


def address(scope: Scope) -> str:
    """The request's path as a URI reference, whatever characters it holds."""
    parts = (part.encode("utf-8", "replace") for part in scope["path"].split(SLASH_IN_ID))
    return "%2F".join(quote(part, safe="/~!$&'()*+,;=:@") for part in parts)


def route_of(scope: Scope) -> str:
    """The route's template, for logs and metrics: a path may hold a customer's id."""
    return str(getattr(scope.get("route"), "path_format", "unknown"))


def problem_body(error: DeskgraphError, instance: str) -> dict[str, Any]:
    """The members of RFC 9457, our `code`, and what the error adds."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "instance": instance,
        **error.extra,
    }


def problem(
    instance: str, error: DeskgraphError, headers: dict[str, str] | None = None
) -> Response:
    """An error as a response. ASCII only, so that no echo of a strange name can fail."""
    content = json.dumps(problem_body(error, instance))
    headers = dict(headers or {})
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return Response(content, error.status, headers, MEDIA_TYPE)


def install_problems(app: FastAPI) -> None:
    """Let every error of the application end as a problem."""

    @app.exception_handler(DeskgraphError)
    async def _domain(request: Request, error: DeskgraphError) -> Response:
        return problem(address(request.scope), error)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        return problem(address(request.scope), from_validation(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == MethodNotAllowedError.status:
            headers["Allow"] = ", ".join(methods_at(request))
        return problem(address(request.scope), from_http(error), headers)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        log.error("request_failed", route=route_of(request.scope), error=error, exc_info=error)
        # This handler stands outside the middleware that answers the id elsewhere.
        headers = {"X-Request-Id": request.scope["request_id"]}
        return problem(address(request.scope), UNEXPECTED, headers)

    for kind in DATABASE_ERRORS:
        app.exception_handler(kind)(_database)


async def _database(request: Request, error: Exception) -> Response:
    if not is_unavailable(error):
        log.error("statement_failed", route=route_of(request.scope), error=error, exc_info=error)
        return problem(address(request.scope), UNEXPECTED)
    log.warning("database_unavailable", part="api", route=route_of(request.scope), error=error)
    return problem(
        address(request.scope), UnavailableError("Nothing was changed; try again in a second.")
    )


def from_validation(error: RequestValidationError) -> DeskgraphError:
    """Pointers to each wrong value; a path that cannot exist is 404. No input is echoed."""
    errors = error.errors()
    if any(item["loc"][0] == "path" for item in errors):
        return NotFoundError("Nothing lives at this address.")
    problems = [
        {"pointer": _pointer(item, error.body), "detail": wrong_value(item["msg"])}
        for item in errors[:50]
    ]
    first = problems[0]
    return InvalidRequestError(f"{first['pointer'] or 'body'}: {first['detail']}", errors=problems)


def _pointer(error: dict[str, Any], body: Any) -> str:
    """A JSON Pointer (RFC 6901) to a value that was sent, or `query/name`, `header/name`.

    pydantic's location goes on into its own union members; the pointer ends where the body does.
    """
    where, *parts = error["loc"]
    if where != "body":
        return "/".join([str(where), *map(str, parts)])
    pointer = ""
    for part in parts:
        missing = error["type"] == "missing" and isinstance(body, dict)
        if not missing and not _holds(body, part):
            break
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
        body = body[part] if _holds(body, part) else None
    return pointer


def _holds(value: Any, part: Any) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def methods_at(request: Request) -> list[str]:
    """Every method that some route of the address knows."""
    routes = [r for r in request.app.state.routes if r.matches(request.scope)[0] != Match.NONE]
    return sorted({method for route in routes for method in route.methods})


def from_http(error: HTTPException) -> DeskgraphError:
    """What the router itself refuses: an unknown address or method. Nothing else is expected."""
    if error.status_code == NotFoundError.status:
        return NotFoundError("Nothing lives at this address.")
    if error.status_code == MethodNotAllowedError.status:
        return MethodNotAllowedError("Use one of the methods that `Allow` names.")
    log.error("request_failed", error=error, status=error.status_code)
    return UNEXPECTED
