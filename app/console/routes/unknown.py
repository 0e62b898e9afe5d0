"""Every other address under /console: a page that says so."""

from contextlib import suppress

from fastapi import APIRouter, Request, Response

from app.api.http.dependencies import BackendDep
from app.console.console_route import ConsoleRoute
from app.console.viewer import signed_in
from app.errors import NotFoundError, UnauthorizedError

router = APIRouter(prefix="/console", route_class=ConsoleRoute)


@router.get("/{path:path}")
async def unknown(request: Request, backend: BackendDep) -> Response:
    """Nothing lives here; a person who is signed in has their menu to go on."""
    with suppress(UnauthorizedError):
        await signed_in(request, backend)
    raise NotFoundError("There is no such page. The address may be mistyped.")
