"""`/` says where everything is, and /docs draws the OpenAPI document with files of ours."""

from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel

from app.api.http import openapi_examples
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import Responses, documented_responses
from app.errors import NotFoundError

router = APIRouter(tags=["index"], route_class=GuardedRoute)

FOLDER = Path(__file__).parents[1] / "reference"
FILES = {
    "page.js": FOLDER / "page.js",
    "page.css": FOLDER / "page.css",
    "swagger-ui-bundle.js": FOLDER / "swagger-ui" / "swagger-ui-bundle.js",
    "swagger-ui.css": FOLDER / "swagger-ui" / "swagger-ui.css",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class IndexOut(BaseModel):
    """What this service is, and where to look next; every call of the API begins with `api`."""

    name: str
    version: str
    api: str
    links: dict[str, str]


MOVED: Responses = {303: {"description": "A browser, which accepts text/html, is sent to /docs."}}


@router.get(
    "/",
    response_model=IndexOut,
    responses={**documented_responses(200, openapi_examples.INDEX), **MOVED},
)
async def index(request: Request) -> Response:
    """Where everything is."""
    headers = {"Vary": "Accept"}
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/docs", 303, headers)
    shown = IndexOut(**openapi_examples.INDEX | {"version": version("deskgraph")})
    return JSONResponse(shown.model_dump(), headers=headers)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def reference() -> Response:
    """The API's reference as a page."""
    return FileResponse(FOLDER / "index.html", headers=HEADERS)


@router.get("/docs/{name}", include_in_schema=False)
async def reference_file(name: str) -> Response:
    """A file of the page."""
    if name not in FILES:
        raise NotFoundError("Nothing lives at this address.")
    return FileResponse(FILES[name], headers=HEADERS)
