"""/v1/callbacks: the deliveries of a tenant's events, and how each stands."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from app.api.http.dependencies import Admin, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.schemas.callbacks import CallbackOut
from app.api.schemas.page import Page
from app.api.views.callbacks import show_callback
from app.db.tables.webhooks import Callback
from app.db.webhooks.queries import Status, callbacks_of_tenant
from app.errors import InvalidCursorError
from app.services.webhooks import outbox

router = APIRouter(prefix="/v1/callbacks", tags=["webhooks"], route_class=GuardedRoute)

RUN = "01a20147-a34d-7187-9cc4-a3723facf2c8"
CALLBACK: dict[str, Any] = {
    "id": "01a20147-a3aa-728a-9a39-1cf480623d09",
    "run_id": RUN,
    "endpoint_id": None,
    "sequence": 2,
    "event": "run.finished",
    "url": "https://helpdesk.example/hooks/deskgraph",
    "status": "dead",
    "attempts": 10,
    "next_at": None,
    "last_error": "HTTP 500",
    "payload": {
        "type": "run.finished",
        "timestamp": "2026-11-22T09:00:01+00:00",
        "data": {
            "run_id": RUN,
            "ticket_id": "T-1001",
            "sequence": 2,
            "status": "success",
            "outcome": "acted",
            "merged_into": None,
            "links": {"run": f"/v1/runs/{RUN}"},
        },
    },
    "created_at": "2026-11-22T09:00:01Z",
    "delivered_at": None,
}


class CallbackPage(Page[CallbackOut]):
    """A page of callbacks."""


@router.get(
    "",
    response_model=CallbackPage,
    responses=documented_responses(
        200, {"items": [CALLBACK], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_callbacks(
    session: Session,
    backend: BackendDep,
    key: Admin,
    status: Status | None = None,
    run_id: UUID | None = None,
    endpoint_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> CallbackPage:
    """The tenant's callbacks, newest first; `status=dead` for those that were given up."""
    rows, following = await backend.cursors.page(
        session,
        callbacks_of_tenant(key.tenant_id, status, run_id, endpoint_id),
        Callback.id,
        scope=["callbacks", key.tenant_id, status, str(run_id), str(endpoint_id)],
        cursor=cursor,
        limit=limit,
        newest_first=True,
        read=UUID,
    )
    return CallbackPage(items=[show_callback(row) for row in rows], next_cursor=following)


@router.post(
    "/{callback_id}/resend",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=CallbackOut,
    responses=documented_responses(202, CALLBACK | {"status": "pending"}),
)
async def resend_callback(callback_id: UUID, session: Session, key: Admin) -> CallbackOut:
    """Send it again under the same id, also after 410 or when it was delivered."""
    return show_callback(await outbox.resend(session, key.tenant_id, callback_id))
