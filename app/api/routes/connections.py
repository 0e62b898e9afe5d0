"""/v1/connections: the helpdesks, mailboxes and payment providers of a tenant."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from app.api.http.dependencies import ActingSession, Admin, BackendDep, Connections, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses, with_problems
from app.api.routes.runs import Cursor, Limit
from app.api.schemas import connections as schemas
from app.api.schemas.page import Page
from app.db.connections.deliveries import deliveries_of_connection
from app.db.connections.queries import connections_of_tenant
from app.db.tables.connections import Connection, Delivery
from app.errors import (
    ConnectionInUseError,
    EncryptionError,
    InvalidCursorError,
    PaymentsConnectedError,
)
from app.services.connections import manage
from app.services.connections.check import test_connection
from app.services.connections.expiry import expires_soon

router = APIRouter(prefix="/v1/connections", tags=["connections"], route_class=GuardedRoute)

Force = Annotated[
    bool,
    Query(
        description="Also while a refund or cancellation that was begun there has no known end,"
        " which can then not be looked up any more."
    ),
]
ID = "con_k5zq3v7hx2m4np6a"
CONNECTION: dict[str, Any] = {
    "id": ID,
    "kind": "webhook",
    "role": "desk",
    "name": "Our helpdesk",
    "settings": {"url": "https://helpdesk.example/deskgraph", "outcomes": {}, "groups": {}},
    "hook_path": f"/v1/hooks/{ID}",
    "paused_because": None,
    "expires_at": None,
    "expires_soon": False,
    "last_hook_at": "2026-11-22T09:00:00Z",
    "last_write_at": "2026-11-22T09:00:01Z",
    "last_error": None,
    "last_error_at": None,
    "created_at": "2026-11-21T09:00:00Z",
}
SECRET = {"hook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
CHECKS = {
    "ok": True,
    "checks": [{"name": "reachable", "ok": True, "says": "It answers, and takes our signature."}],
}
DELIVERY: dict[str, Any] = {
    "id": "01a20147-a3aa-728a-9a39-1cf480623d0b",
    "ticket_id": f"{ID}:42",
    "kind": "reply",
    "key": "reply:01a20147-a34d-7187-9cc4-a3723facf2c8",
    "status": "sent",
    "attempts": 1,
    "next_at": None,
    "desk_id": "981",
    "last_error": None,
    "created_at": "2026-11-22T09:00:01Z",
    "ended_at": "2026-11-22T09:00:02Z",
}


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=schemas.ConnectionAdded,
    responses=documented_responses(
        201, CONNECTION | SECRET, EncryptionError, PaymentsConnectedError
    ),
)
async def add_connection(
    body: schemas.AddConnection, session: ActingSession, key: Admin, connections: Connections
) -> schemas.ConnectionAdded:
    """Connect a system. The answer holds the secret that signs its hooks, once."""
    row, secret = await manage.add(
        session, connections.vault, key.tenant_id, body.kind, body.name, body.settings,
        body.credentials,
    )  # fmt: skip
    return schemas.ConnectionAdded(**show(row).model_dump(), hook_secret=secret)


@router.get(
    "",
    response_model=schemas.ConnectionPage,
    responses=documented_responses(
        200, {"items": [CONNECTION], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_connections(
    session: Session, backend: BackendDep, key: Admin, cursor: Cursor = None, limit: Limit = 20
) -> Page[schemas.ConnectionOut]:
    """The tenant's connections: the last hook, write and error of each."""
    rows, following = await backend.cursors.page(
        session,
        connections_of_tenant(key.tenant_id),
        Connection.id,
        scope=["connections", key.tenant_id],
        cursor=cursor,
        limit=limit,
        newest_first=False,
        read=str,
    )
    return schemas.ConnectionPage(items=[show(row) for row in rows], next_cursor=following)


@router.get(
    "/{connection_id}",
    response_model=schemas.ConnectionOut,
    responses=documented_responses(200, CONNECTION),
)
async def get_connection(connection_id: str, session: Session, key: Admin) -> schemas.ConnectionOut:
    """One connection."""
    return show(await manage.get(session, key.tenant_id, connection_id))


@router.patch(
    "/{connection_id}",
    response_model=schemas.ConnectionOut,
    responses=documented_responses(200, CONNECTION, EncryptionError),
)
async def change_connection(
    connection_id: str,
    body: schemas.ChangeConnection,
    session: ActingSession,
    key: Admin,
    connections: Connections,
) -> schemas.ConnectionOut:
    """Change its name, settings or credentials, or pause it; what waited goes on afterwards."""
    row = await manage.change(
        session, connections.vault, key.tenant_id, connection_id, name=body.name,
        settings=body.settings, credentials=body.credentials, paused=body.paused,
    )  # fmt: skip
    return show(row)


@router.delete(
    "/{connection_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=with_problems({}, ConnectionInUseError),
)
async def remove_connection(
    connection_id: str, session: ActingSession, key: Admin, force: Force = False
) -> Response:
    """Forget its credentials, take no hook of it any more, and deliver nothing more there."""
    await manage.remove(session, key.tenant_id, connection_id, force=force)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/{connection_id}/test",
    response_model=schemas.ConnectionTest,
    responses=documented_responses(200, CHECKS, EncryptionError),
)
async def test(
    connection_id: str, backend: BackendDep, key: Admin, connections: Connections
) -> schemas.ConnectionTest:
    """Make harmless calls there, and say what is right and what is missing."""
    checks = await test_connection(backend.sessions, connections, key.tenant_id, connection_id)
    return schemas.ConnectionTest(
        ok=all(check.ok for check in checks),
        checks=[schemas.CheckOut(name=c.name, ok=c.ok, says=c.says) for c in checks],
    )


@router.post(
    "/{connection_id}/rotate-secret",
    response_model=schemas.HookSecretOut,
    responses=documented_responses(200, SECRET, EncryptionError),
)
async def rotate_secret(
    connection_id: str,
    body: schemas.RotateHookSecret,
    session: ActingSession,
    key: Admin,
    connections: Connections,
) -> schemas.HookSecretOut:
    """A new secret for its hooks, shown once; the one before is still taken for a while."""
    secret = await manage.rotate_secret(
        session, connections.vault, key.tenant_id, connection_id,
        timedelta(seconds=body.overlap_seconds),
    )  # fmt: skip
    return schemas.HookSecretOut(hook_secret=secret)


@router.get(
    "/{connection_id}/deliveries",
    response_model=schemas.DeliveryPage,
    responses=documented_responses(
        200, {"items": [DELIVERY], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_deliveries(
    connection_id: str,
    session: Session,
    backend: BackendDep,
    key: Admin,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Page[schemas.DeliveryOut]:
    """What the connection got or is to get, newest first."""
    await manage.get(session, key.tenant_id, connection_id)
    rows, following = await backend.cursors.page(
        session,
        deliveries_of_connection(key.tenant_id, connection_id),
        Delivery.id,
        scope=["deliveries", key.tenant_id, connection_id],
        cursor=cursor,
        limit=limit,
        newest_first=True,
        read=UUID,
    )
    return schemas.DeliveryPage(items=[_delivery(row) for row in rows], next_cursor=following)


def show(row: Connection) -> schemas.ConnectionOut:
    """A connection in the API's shape."""
    names = set(schemas.ConnectionOut.model_fields) - {"hook_path", "expires_soon"}
    takes_hooks = manage.connector_of(row.kind).verify is not None
    return schemas.ConnectionOut(
        **{name: getattr(row, name) for name in names},
        hook_path=f"/v1/hooks/{row.id}" if takes_hooks else None,
        expires_soon=expires_soon(row),
    )


def _delivery(row: Delivery) -> schemas.DeliveryOut:
    fields = {name: getattr(row, name) for name in schemas.DeliveryOut.model_fields}
    return schemas.DeliveryOut(
        **fields | {"next_at": row.next_at if row.status == "pending" else None}
    )
