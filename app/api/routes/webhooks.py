"""/v1/callbacks and /v1/webhooks: the deliveries, and the secrets that sign them."""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field

from app.api.http.dependencies import Admin, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.http.pagination import Page
from app.api.routes.runs import Cursor, Limit
from app.api.schemas import Request
from app.db.tables.webhooks import Callback, WebhookSecret
from app.db.webhooks.queries import Status, callbacks_of_tenant
from app.db.webhooks.secrets import secrets_of_tenant
from app.errors import InvalidCursorError
from app.services.webhooks import outbox, signing_secrets

router = APIRouter(prefix="/v1", tags=["webhooks"], route_class=GuardedRoute)

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
SECRET: dict[str, Any] = {
    "id": "01a20147-a3aa-728a-9a39-1cf480623d0a",
    "secret": None,
    "created_at": "2026-11-22T09:00:01Z",
    "expires_at": None,
}
SHOWN = SECRET | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


class CallbackOut(BaseModel):
    """One event for a run's `callback_url` or an endpoint, and how its delivery stands."""

    id: Annotated[UUID, Field(description="The `webhook-id`, the same on every attempt.")]
    run_id: Annotated[UUID | None, Field(description="Null for a test of an endpoint.")]
    endpoint_id: Annotated[UUID | None, Field(description="Null for the run's own `callback_url`.")]
    sequence: Annotated[int, Field(description="Counts the events of the run.")]
    event: str
    url: str
    status: Status
    attempts: int
    next_at: Annotated[datetime | None, Field(description="Of a pending one: the next attempt.")]
    last_error: str | None
    payload: Annotated[dict[str, Any], Field(description="The body that is sent.")]
    created_at: datetime
    delivered_at: datetime | None


class RotateSecret(Request):
    """Ask for a secret to verify callbacks with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"overlap_seconds": 0}]})

    overlap_seconds: Annotated[
        int, Field(ge=0, le=604_800, description="How long the one before still signs.")
    ] = 86_400


class SecretOut(BaseModel):
    """A secret; its text is in the answer that made or first showed it, and never again."""

    id: UUID
    secret: str | None
    created_at: datetime
    expires_at: Annotated[datetime | None, Field(description="Null for the newest one.")]


class CallbackPage(Page[CallbackOut]):
    """A page of callbacks."""


class SecretPage(Page[SecretOut]):
    """A page of secrets."""


@router.get(
    "/callbacks",
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
    return CallbackPage(items=[show(row) for row in rows], next_cursor=following)


@router.post(
    "/callbacks/{callback_id}/resend",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=CallbackOut,
    responses=documented_responses(202, CALLBACK | {"status": "pending"}),
)
async def resend_callback(callback_id: UUID, session: Session, key: Admin) -> CallbackOut:
    """Send it again under the same id, also after 410 or when it was delivered."""
    return show(await outbox.resend(session, key.tenant_id, callback_id))


@router.get(
    "/webhooks/secrets",
    response_model=SecretPage,
    responses=documented_responses(
        200, {"items": [SECRET], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_secrets(
    session: Session, backend: BackendDep, key: Admin, cursor: Cursor = None, limit: Limit = 20
) -> SecretPage:
    """The tenant's secrets without their text, newest first."""
    rows, following = await backend.cursors.page(
        session,
        secrets_of_tenant(key.tenant_id),
        WebhookSecret.id,
        scope=["webhook-secrets", key.tenant_id],
        cursor=cursor,
        limit=limit,
        newest_first=True,
        read=UUID,
    )
    return SecretPage(items=[_secret(row) for row in rows], next_cursor=following)


@router.post(
    "/webhooks/secrets",
    status_code=status.HTTP_201_CREATED,
    response_model=SecretOut,
    responses=documented_responses(201, SHOWN),
)
async def issue_secret(body: RotateSecret, session: Session, key: Admin) -> SecretOut:
    """Show the signing secret if it was never shown; else make a new one that signs as well."""
    overlap = timedelta(seconds=body.overlap_seconds)
    made = await signing_secrets.issue(session, key.tenant_id, overlap=overlap)
    return _secret(made, text=made.secret)


def show(row: Callback) -> CallbackOut:
    """A callback in the API's shape."""
    fields = {name: getattr(row, name) for name in CallbackOut.model_fields if hasattr(row, name)}
    return CallbackOut(
        **fields | {"next_at": row.next_at if row.status == "pending" else None},
        sequence=row.number,
        payload=json.loads(row.body),
    )


def _secret(row: WebhookSecret, text: str | None = None) -> SecretOut:
    return SecretOut(id=row.id, secret=text, created_at=row.created_at, expires_at=row.expires_at)
