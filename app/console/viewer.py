"""Who looks at a page: the session's person, and the cookie that names the session."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import BackendDep
from app.console.forms import Form
from app.db.console.inbox import Wanted, count_waiting
from app.db.tables.tenants import ApiKey
from app.db.tenants.pauses import pauses_of
from app.errors import UnauthorizedError
from app.services.console.sign_in import PAGE_SCOPES, need_scope, person_of

SIGNED_OUT = "Sign in to see this page."
SESSION = "deskgraph_session"
READS_WHAT_WAITS = ("approvals:decide", "runs:read")


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who is signed in. `key` is what they act as, `opaque` the session's id."""

    key: ApiKey
    opaque: str

    @property
    def tenant_id(self) -> str:
        """Whose rows they see."""
        return self.key.tenant_id

    def can(self, scope: str) -> bool:
        """Whether their key holds the scope."""
        return scope in self.key.scopes

    @property
    def sees_what_waits(self) -> bool:
        """Whether they may read approvals and hand-offs, as over the API."""
        return any(self.can(scope) for scope in READS_WHAT_WAITS)

    def need(self, *any_of: str) -> None:
        """Raise MissingScopeError unless their key holds one of the scopes."""
        need_scope(self.key, *any_of)


async def signed_in(request: Request, backend: BackendDep) -> Viewer:
    """The person of the request, whatever they may see, and what every page shows them.

    Raises:
        UnauthorizedError: no session, or one that is over.
    """
    opaque = request.cookies.get(cookie_name(request), "")
    async with backend.sessions() as session:
        key = await person_of(session, opaque) if opaque else None
        if key is None:
            raise UnauthorizedError(SIGNED_OUT)
        viewer = Viewer(key, opaque)
        request.state.waiting = await _waiting(session, viewer)
        request.state.page = await _shared(session, viewer, request.state.waiting)
    return viewer


SignedInDep = Annotated[Viewer, Depends(signed_in)]


async def viewer_of(viewer: SignedInDep) -> Viewer:
    """The person of the request, who may see a page.

    Raises:
        UnauthorizedError: no session, or one that is over.
        MissingScopeError: their roles of today have no scope that reads.
    """
    viewer.need(*PAGE_SCOPES)
    return viewer


async def _waiting(session: AsyncSession, viewer: Viewer) -> dict[str, int]:
    """How much waits, by kind; nothing for who may not see it."""
    if not viewer.sees_what_waits:
        return {}
    return await count_waiting(session, Wanted(viewer.tenant_id, viewer.key.id))


async def _shared(session: AsyncSession, viewer: Viewer, waiting: dict[str, int]) -> dict[str, Any]:
    """What stands on every page: who it is, how much waits, and whether the tenant is paused."""
    pauses = await pauses_of(session, viewer.tenant_id)
    return {"viewer": viewer, "waiting": sum(waiting.values()), "pauses": pauses}


async def form_of(request: Request) -> Form:
    """The form that ConsoleRoute has read."""
    form: Form = request.state.form
    return form


ViewerDep = Annotated[Viewer, Depends(viewer_of)]
FormDep = Annotated[Form, Depends(form_of)]


def on_loopback(request: Request) -> bool:
    """Whether the browser reached us at an address of this machine, where TLS is not needed."""
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def cookie_name(request: Request, name: str = SESSION) -> str:
    """`__Host-` binds a cookie to this host, and browsers take it over TLS alone.

    Without it another host of the same domain could set one of ours.
    """
    return name if on_loopback(request) else f"__Host-{name}"


def set_cookie(request: Request, response: Response, opaque: str) -> None:
    """Let the browser keep the session's id, out of reach of scripts and of other sites' forms."""
    response.set_cookie(
        cookie_name(request),
        opaque,
        max_age=request.app.state.backend.settings.console_session_seconds,
        path="/",
        secure=not on_loopback(request),
        httponly=True,
        samesite="lax",
    )


def clear_cookie(request: Request, response: Response) -> None:
    """Let the browser forget the session's id."""
    response.delete_cookie(
        cookie_name(request), path="/", secure=not on_loopback(request), httponly=True
    )
