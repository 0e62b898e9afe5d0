"""/console/static: the console's scripts and style sheet."""

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from app.console.console_route import ConsoleRoute
from app.console.static_files import FILES, FOREVER, version_of
from app.errors import NotFoundError

router = APIRouter(prefix="/console/static", route_class=ConsoleRoute)


@router.get("/{version}/{name}")
async def static_file(version: str, name: str) -> Response:
    """A file by the address that names its content; an address of another release is gone."""
    if name not in FILES or version != version_of(name):
        raise NotFoundError("There is no such file; load the page again.")
    headers = {"Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff"}
    return FileResponse(FILES[name], headers=headers)
