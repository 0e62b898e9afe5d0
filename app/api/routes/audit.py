"""/v1/audit: what was decided, done and changed, by whom, each with its link of the chain."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.api import schemas
from app.api.http.dependencies import Admin, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.schemas.page import Page
from app.db.audit.kinds import Kind
from app.db.audit.queries import Wanted, events_of, seals_of
from app.db.tables.audit import AuditEvent, AuditSeal
from app.errors import InvalidCursorError

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

Actor = Literal["key", "command_line", "service"]
EVENT: dict[str, Any] = {
    "id": "01a20147-b0c1-7d31-8f6a-7f0d3c5a9e22",
    "at": "2026-11-22T09:00:02.184310Z",
    "kind": "effect.done",
    "actor": "service",
    "actor_key": None,
    "actor_sha256": None,
    "subjects": [
        "effect:refund:01a20147-a34d-7187-9cc4-a3723facf2c8",
        "run:01a20147-a34d-7187-9cc4-a3723facf2c8",
        "approval:01a20147-a3aa-728a-9a39-1cf480623d08",
    ],
    "facts": {"tool": "refund", "amount_minor": 4900, "currency": "USD"},
    "content_sha256": "9173c0d6d7a3cbf2e6a44c6761eb5a85147f6ca25eb6b168f0031a6da741184b",
    "number": 42,
    "seal": "5f1c0a3be1d94f0c8a7de2b64f90c1d39173c0d6d7a3cbf2e6a44c6761eb5a85",
}


class AuditEventOut(BaseModel):
    """A fact, in ids, codes, amounts and hashes. docs/audit.md says what each kind holds."""

    id: UUID
    at: datetime
    kind: Kind
    actor: Annotated[
        Actor, Field(description="`service`: a worker, a hook or a rule, and no caller.")
    ]
    actor_key: Annotated[str | None, Field(description="The id of the key that acted.")]
    actor_sha256: Annotated[
        str | None,
        Field(description="SHA-256 of the tenant's id, U+001F, and the person who acted."),
    ]
    subjects: Annotated[list[str], Field(description="What it is about, each as `kind:id`.")]
    facts: dict[str, Any]
    content_sha256: Annotated[str, Field(description="SHA-256 of what the fact's row held.")]
    number: Annotated[
        int | None, Field(description="Its place in the tenant's chain; null until it is sealed.")
    ]
    seal: Annotated[str | None, Field(description="The hash that chains it to the one before it.")]


class AuditPage(Page[AuditEventOut]):
    """A page of audit events."""


@router.get(
    "",
    response_model=AuditPage,
    responses=documented_responses(
        200, {"items": [EVENT], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_audit_events(
    session: Session,
    backend: BackendDep,
    key: Admin,
    kind: Kind | None = None,
    subject: Annotated[
        str | None,
        Query(max_length=300, description="What it is about, such as `run:<id>`."),
    ] = None,
    since: Annotated[schemas.Time | None, Query(description="Then or later.")] = None,
    until: Annotated[schemas.Time | None, Query(description="Earlier.")] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> AuditPage:
    """The tenant's audit trail, newest first."""
    wanted = Wanted(kind, subject, since, until)
    rows, following = await backend.cursors.page(
        session,
        events_of(key.tenant_id, wanted),
        AuditEvent.id,
        scope=[
            "audit",
            key.tenant_id,
            kind,
            subject,
            *(at and at.isoformat() for at in wanted[2:]),
        ],
        cursor=cursor,
        limit=limit,
        newest_first=True,
        read=UUID,
    )
    seals = await seals_of(session, key.tenant_id, [row.id for row in rows])
    return AuditPage(items=[show(row, seals.get(row.id)) for row in rows], next_cursor=following)


def show(row: AuditEvent, seal: AuditSeal | None) -> AuditEventOut:
    """An event in the API's shape."""
    names = AuditEventOut.model_fields.keys() - {"number", "seal"}
    return AuditEventOut(
        **{name: getattr(row, name) for name in names},
        number=seal.number if seal else None,
        seal=seal.seal if seal else None,
    )
