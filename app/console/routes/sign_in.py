"""/console/sign-in and /console/sign-out: by an API key or by a link; out here or everywhere."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import Backend, BackendDep, Session, authenticate
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS, page
from app.console.viewer import (
    FormDep,
    SignedInDep,
    clear_cookie,
    cookie_name,
    on_loopback,
    set_cookie,
)
from app.errors import MissingScopeError, UnauthorizedError
from app.log import get_logger
from app.services.console import sign_in as cases

log = get_logger(__name__)

router = APIRouter(prefix="/console", route_class=ConsoleRoute)

INBOX = "/console"
UNKNOWN_KEY = "No live key is spelled like that. Copy it again, from dg_ to its end."
MAX_NEXT = 2000
Next = Annotated[str, Query(alias="next", max_length=MAX_NEXT)]


@router.get("/sign-in")
async def sign_in_page(
    request: Request, wanted: Next = INBOX, lost: bool = False, out: bool = False
) -> Response:
    """The form that takes an API key."""
    return _form(request, 200, wanted, lost=lost, out=out)


@router.post("/sign-in")
async def sign_in(
    request: Request, backend: BackendDep, session: Session, form: FormDep
) -> Response:
    """Start a session as the key's holder."""
    wanted, token = own_path(form.get("next", "")), form.get("key", "").strip()
    try:
        key = await authenticate(
            backend, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token)
        )
    except UnauthorizedError:
        return _form(request, 401, wanted, refused=UNKNOWN_KEY)
    try:
        opaque = await cases.sign_in(session, key, "key", session_lasts(backend))
        await end_previous(request, session)
    except MissingScopeError as error:
        return _form(request, error.status, wanted, refused=error.detail)
    return _signed_in(request, opaque, wanted)


async def end_previous(request: Request, session: AsyncSession) -> None:
    """End the session that the browser had before this one; its cookie is about to be replaced."""
    if before := request.cookies.get(cookie_name(request), ""):
        await cases.sign_out(session, before)


def session_lasts(backend: Backend) -> timedelta:
    """How long a person stays signed in."""
    return timedelta(seconds=backend.settings.console_session_seconds)


def _form(request: Request, status: int, wanted: str, **shown: Any) -> Response:
    settings = request.app.state.backend.settings
    values: dict[str, Any] = {"lost": False, "out": False, "refused": "", **shown}
    return page(
        request,
        "sign_in.html",
        status,
        next=own_path(wanted),
        oidc=settings.oidc_provider_name if settings.oidc_issuer else "",
        tls_needed=not on_loopback(request) and request.scope["scheme"] != "https",
        **values,
    )


@router.get("/sign-in/{code}")
async def link_page(request: Request, session: Session, code: str) -> Response:
    """Whom the link signs in, and a button: what only looks at links must not use it up."""
    key = await cases.who_of_link(session, code)
    return page(request, "sign_in_link.html", name=key.name, tenant=key.tenant_id)


@router.post("/sign-in/{code}")
async def use_link(request: Request, backend: BackendDep, session: Session, code: str) -> Response:
    """Start a session as the person whose link it is; the link works no more."""
    opaque = await cases.sign_in_by_link(session, code, session_lasts(backend))
    await end_previous(request, session)
    return _signed_in(request, opaque, INBOX)


@router.post("/sign-out")
async def sign_out(
    request: Request, session: Session, viewer: SignedInDep, form: FormDep
) -> Response:
    """End the session, or all sessions of the person."""
    key, everywhere = viewer.key, form.get("everywhere") == "yes"
    if everywhere:
        await cases.sign_out_everywhere(session, key)
    else:
        await cases.sign_out(session, viewer.opaque)
    log.info("console_signed_out", tenant_id=key.tenant_id, key_id=key.id, everywhere=everywhere)
    answer = RedirectResponse("/console/sign-in?out=1", 303, HEADERS)
    clear_cookie(request, answer)
    return answer


def _signed_in(request: Request, opaque: str, wanted: str) -> Response:
    answer = RedirectResponse(wanted, 303, HEADERS)
    set_cookie(request, answer, opaque)
    return answer


def own_path(wanted: str) -> str:
    """Where to go after signing in: a page of the console, never another site."""
    inside = wanted == INBOX or wanted.startswith((f"{INBOX}/", f"{INBOX}?"))
    safe = inside and wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    # Browsers resolve dots, encoded ones as well, and so would leave the console.
    steps = unquote(wanted.partition("?")[0]).split("/")
    return wanted if safe and len(wanted) <= MAX_NEXT and not {".", ".."} & set(steps) else INBOX
