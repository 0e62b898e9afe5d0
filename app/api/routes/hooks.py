"""/v1/hooks/{connection_id}: what a connected system says, signed by the connection's secret."""

from fastapi import APIRouter, Request, status

from app.api.http.dependencies import BackendDep, Connections
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.schemas.connections import HookTaken
from app.errors import EncryptionError, HookNotSignedError, UnavailableError
from app.services.connections import hooks

router = APIRouter(prefix="/v1/hooks", tags=["connections"], route_class=GuardedRoute)


@router.post(
    "/{connection_id}",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=HookTaken,
    responses=documented_responses(
        202, {"duplicate": False}, HookNotSignedError, EncryptionError, UnavailableError
    ),
)
async def take_hook(
    connection_id: str, request: Request, backend: BackendDep, connections: Connections
) -> HookTaken:
    """Store what a hook says, once; it needs no API key but the connection's signature."""
    async with backend.sessions.raw_connection() as connection:
        row = await hooks.receiver(connection, connection_id)
    delivery_id, event = hooks.read_hook(
        row, connections.vault, connections.http, request.headers, await request.body()
    )
    new = await hooks.take_event(backend.sessions, row, delivery_id, event)
    return HookTaken(duplicate=not new)
