"""/v1/webhooks/secrets: what a tenant's callbacks are signed with."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field

from app.api.http.dependencies import Admin, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.schemas import Request
from app.api.schemas.page import Page
from app.db.tables.webhooks import WebhookSecret
from app.db.webhooks.secrets import secrets_of_tenant
from app.errors import InvalidCursorError
from app.services.webhooks import signing_secrets

router = APIRouter(prefix="/v1/webhooks/secrets", tags=["webhooks"], route_class=GuardedRoute)

SECRET: dict[str, Any] = {
    "id": "01a20147-a3aa-728a-9a39-1cf480623d0a",
    "secret": None,
    "created_at": "2026-11-22T09:00:01Z",
    "expires_at": None,
}
SHOWN = SECRET | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


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


class SecretPage(Page[SecretOut]):
    """A page of secrets."""


@router.get(
    "",
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
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=SecretOut,
    responses=documented_responses(201, SHOWN),
)
async def issue_secret(body: RotateSecret, session: Session, key: Admin) -> SecretOut:
    """Show the signing secret if it was never shown; else make a new one that signs as well."""
    overlap = timedelta(seconds=body.overlap_seconds)
    made = await signing_secrets.issue(session, key.tenant_id, overlap=overlap)
    return _secret(made, text=made.secret)


def _secret(row: WebhookSecret, text: str | None = None) -> SecretOut:
    return SecretOut(id=row.id, secret=text, created_at=row.created_at, expires_at=row.expires_at)
