"""The checks of every console route, and every error as a page."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from app.api.http.guarded_route import CLIENT_CLOSED_REQUEST
from app.api.http.problems import UNEXPECTED, address, from_validation, route_of
from app.api.http.strict_body import replay
from app.console.forms import from_own_page, read_form
from app.console.templating import HEADERS, page
from app.db.core.availability import DATABASE_ERRORS, is_unavailable
from app.errors import DeskgraphError, UnauthorizedError, UnavailableError
from app.log import get_logger

log = get_logger(__name__)

SIGN_IN = "/console/sign-in"
CROSS_SITE = "The form was not sent by a page of this console. Nothing was changed."
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ConsoleRoute(APIRoute):
    """A route that takes forms of our own pages alone, and answers errors as pages."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Leave the route out of the API's document."""
        super().__init__(path, endpoint, **{**options, "include_in_schema": False})

    def get_route_handler(self) -> Handler:
        """FastAPI's handler behind our checks."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await _checked(request, handle)
            except UnauthorizedError as error:
                return sign_in_first(request, error)
            except DeskgraphError as error:
                return error_page(request, error)
            except RequestValidationError as error:
                return error_page(request, from_validation(error))
            except DATABASE_ERRORS as error:
                return error_page(request, _of_database(request, error))
            except Exception as error:
                log.exception("request_failed", route=route_of(request.scope), error=error)
                return error_page(request, UNEXPECTED)

        return guarded


async def _checked(request: Request, handle: Handler) -> Response:
    if request.method != "POST":
        return await handle(request)
    if not from_own_page(request):
        return page(request, "message.html", 403, title="Not from this console", text=CROSS_SITE)
    max_bytes = request.app.state.backend.settings.max_body_bytes
    form = await read_form(request, request.receive, max_bytes)
    if form is None:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    request.state.form = form
    return await handle(Request(request.scope, replay(b"", request.receive)))


def _of_database(request: Request, error: Exception) -> DeskgraphError:
    if is_unavailable(error):
        log.warning("database_unavailable", part="console", error=error)
        return UnavailableError("Nothing was changed; try again in a second.")
    log.error("statement_failed", route=route_of(request.scope), error=error, exc_info=error)
    return UNEXPECTED


def error_page(request: Request, error: DeskgraphError) -> Response:
    """What went wrong, in words, with the error's status."""
    return page(request, "message.html", error.status, title=error.title, text=error.detail)


def sign_in_first(request: Request, error: UnauthorizedError) -> Response:
    """Lead to the page that signs in, and from there back to where the person wanted to go.

    A form that came without a session is lost, so it leads back to the page that held it.
    """
    wanted, query = address(request.scope), request.scope["query_string"].decode("latin-1")
    if wanted.startswith(SIGN_IN):
        return error_page(request, error)
    if request.method == "GET" and query:
        wanted += f"?{query}"
    place = f"{SIGN_IN}?next={quote(wanted, safe='/')}"
    if request.method != "GET":
        place += "&lost=1"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={**HEADERS, "HX-Redirect": place})
    return RedirectResponse(place, 303, HEADERS)
