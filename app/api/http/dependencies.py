"""Dependencies of routes: the caller, and a session that commits before the response is sent."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.pagination import Cursors
from app.api.streaming.event_broadcaster import EventBroadcaster
from app.api.streaming.run_waiter import RunWaiter
from app.db.audit.actor import act_as, by_key
from app.db.core.connections import Sessions
from app.db.tables.tenants import ApiKey
from app.db.tenants.queries import live_key
from app.errors import MissingScopeError, UnauthorizedError
from app.observability.trace_links import TraceLinks
from app.services.approvals.deciders import ON_BEHALF_OF
from app.services.connections.check import Reach
from app.services.runs.start_and_cancel import Enqueue
from app.services.tenants.keys import note_use
from app.settings import Settings

SCOPES = (
    "runs:write",
    "runs:read",
    "approvals:decide",
    ON_BEHALF_OF,
    "articles:write",
    "mail:send",
    "traces:join",
    "admin",
)


@dataclass(frozen=True)
class Backend:
    """What the API needs to work; made once for a process."""

    settings: Settings
    sessions: Sessions
    enqueue: Enqueue
    cursors: Cursors

    @cached_property
    def links(self) -> TraceLinks:
        """Links to traces; they know LangSmith's project once it was found."""
        return TraceLinks(self.settings)


# Coroutines, though nothing is awaited: FastAPI takes a plain dependency to a thread and back.
async def backend_of(request: Request) -> Backend:
    """The process's backend."""
    backend: Backend = request.app.state.backend
    return backend


async def event_broadcaster_of(request: Request) -> EventBroadcaster:
    """The process's event streams."""
    broadcaster: EventBroadcaster = request.app.state.event_broadcaster
    return broadcaster


async def run_waiter_of(request: Request) -> RunWaiter:
    """The process's watch for runs that come to rest."""
    run_waiter: RunWaiter = request.app.state.run_waiter
    return run_waiter


async def open_session(backend: "BackendDep") -> AsyncIterator[AsyncSession]:
    """One transaction for a request."""
    async with backend.sessions.begin() as session:
        yield session


async def open_acting_session(
    request: Request, backend: "BackendDep"
) -> AsyncIterator[AsyncSession]:
    """One transaction for a request, of whose changes the audit trail says which key made them."""
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(request.state.api_key.id))
        yield session


async def connections_of(request: Request) -> Reach:
    """What the process reaches connected systems with."""
    reach: Reach = request.app.state.connections
    return reach


BackendDep = Annotated[Backend, Depends(backend_of)]
Connections = Annotated[Reach, Depends(connections_of)]
EventBroadcasterDep = Annotated[EventBroadcaster, Depends(event_broadcaster_of)]
RunWaiterDep = Annotated[RunWaiter, Depends(run_waiter_of)]
# "function": commit before the response leaves, so a client can read its own write.
Session = Annotated[AsyncSession, Depends(open_session, scope="function")]
ActingSession = Annotated[AsyncSession, Depends(open_acting_session, scope="function")]

bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer dg_<id>_<secret>`")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


@dataclass(frozen=True, slots=True)
class RequiredScope:
    """A dependency: the caller's key, which holds one of the scopes; without any, every key."""

    any_of: tuple[str, ...]

    async def check(self, request: Request) -> None:
        """Let the request pass, before its body is read, if its key may make the call.

        Raises:
            UnauthorizedError, MissingScopeError.
        """
        key = await self.key_of(request)
        if self.any_of and not set(self.any_of) & set(key.scopes):
            needed = " or ".join(self.any_of)
            raise MissingScopeError(f"This call needs a key with the scope {needed}.")
        await note_use(request.app.state.backend.sessions, key)
        request.state.api_key = key

    async def key_of(self, request: Request) -> ApiKey:
        """The live key of the request. Raises UnauthorizedError."""
        return await authenticate(request.app.state.backend, await bearer(request))

    # `bearer` is only here for the OpenAPI document.
    async def __call__(self, request: Request, _: Credentials) -> ApiKey:
        """The key that `check` found."""
        key: ApiKey = request.state.api_key
        return key


async def authenticate(
    backend: Backend, credentials: HTTPAuthorizationCredentials | None
) -> ApiKey:
    """The live key behind the header, by a connection that is given back: none is held for a wait.

    Raises:
        UnauthorizedError.
    """
    parts = credentials.credentials.split("_", 2) if credentials else []
    refused = UnauthorizedError(
        "Send `Authorization: Bearer dg_...` with a key that is not revoked."
    )
    if len(parts) != 3 or parts[0] != "dg" or not parts[1].isascii():  # dg, id, secret
        raise refused
    key = await key_of_id(backend, parts[1].replace("\x00", ""))
    digest = hashlib.sha256(parts[2].encode("utf-8", "replace")).digest()
    if key is None or not hmac.compare_digest(digest, key.secret_sha256):
        raise refused
    return key


async def key_of_id(backend: Backend, key_id: str) -> ApiKey | None:
    """The live key of that id."""
    async with backend.sessions.raw_connection() as connection:
        return await live_key(connection, key_id)


def require(*any_of: str) -> Any:
    """Declares a route's need for a key that holds one of the scopes; GuardedRoute checks it."""
    return Depends(RequiredScope(any_of))


Writer = Annotated[ApiKey, require("runs:write")]
Reader = Annotated[ApiKey, require("runs:read")]
Approver = Annotated[ApiKey, require("approvals:decide")]
ApprovalReader = Annotated[ApiKey, require("approvals:decide", "runs:read")]
PolicyReader = Annotated[ApiKey, require("admin", "approvals:decide")]
Admin = Annotated[ApiKey, require("admin")]
AnyKey = Annotated[ApiKey, require()]
AgentReader = Annotated[ApiKey, require("admin", "approvals:decide", "runs:read")]
ArticleWriter = Annotated[ApiKey, require("articles:write")]
ArticleReader = Annotated[ApiKey, require("articles:write", "runs:read")]
