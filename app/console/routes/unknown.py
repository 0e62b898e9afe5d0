"""Every other address under /console: a page that says so."""

from fastapi import APIRouter, Response

from app.console.console_route import ConsoleRoute
from app.errors import NotFoundError

router = APIRouter(prefix="/console", route_class=ConsoleRoute)


@router.get("/{path:path}")
async def unknown() -> Response:
    """Nothing lives here."""
    raise NotFoundError("There is no such page. The address may be mistyped.")
