"""/v1/handoffs: tickets that people have, or that wait for one."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.http.dependencies import ApprovalReader, Approver, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.http.pagination import Page
from app.api.routes.runs import Cursor, Limit
from app.db.effects import handoffs
from app.db.tables.sandbox import Handoff
from app.errors import InvalidCursorError, NotFoundError
from tools.models import FoundArticle, Suggestion, Urgency

router = APIRouter(prefix="/v1/handoffs", tags=["handoffs"], route_class=GuardedRoute)

Status = Literal["open", "closed"]
EXAMPLE: dict[str, Any] = {
    "id": "01a20147-a3aa-728a-9a39-1cf480623d08",
    "ticket_id": "T-1001",
    "agent_id": "ag_mia",
    "skill": "complaints",
    "urgency": "high",
    "summary": "Why: human_requested. The customer asks for a person.",
    "status": "open",
    "created_at": "2026-11-22T09:00:01Z",
    "closed_at": None,
    "suggestion": {
        "text": "Choose Forgot password? on the sign-in page.",
        "citations": ["reset-password"],
    },
    "articles": [
        {
            "article_id": "reset-password",
            "title": "Reset your password",
            "excerpt": "Choose **Forgot password?** on the sign-in page.",
        }
    ],
}


class HandoffOut(BaseModel):
    """A ticket opened for a person; without an agent it waits in the queue.

    `suggestion` is a reply that no person checked: read it before it is sent. `articles` fit best.
    """

    id: UUID
    ticket_id: str
    agent_id: str | None
    skill: str
    urgency: Urgency
    summary: str
    status: Status
    created_at: datetime
    closed_at: datetime | None
    suggestion: Suggestion | None
    articles: list[FoundArticle]


HandoffPage = Page[HandoffOut]


@router.get(
    "",
    response_model=HandoffPage,
    responses=documented_responses(
        200, {"items": [EXAMPLE], "next_cursor": None}, InvalidCursorError
    ),
)
async def list_handoffs(
    session: Session,
    backend: BackendDep,
    key: ApprovalReader,
    status: Status | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> HandoffPage:
    """The tenant's hand-offs, oldest first."""
    rows, following = await backend.cursors.page(
        session,
        handoffs.handoffs_of_tenant(key.tenant_id, status),
        Handoff.id,
        scope=["handoffs", key.tenant_id, status],
        cursor=cursor,
        limit=limit,
        read=UUID,
    )
    return HandoffPage(items=[show(row) for row in rows], next_cursor=following)


@router.post(
    "/{handoff_id}/close",
    response_model=HandoffOut,
    responses=documented_responses(200, EXAMPLE | {"status": "closed"}),
)
async def close_handoff(handoff_id: UUID, session: Session, key: Approver) -> HandoffOut:
    """Say that the person is done with it; closing again changes nothing."""
    closed = await handoffs.close_handoff(session, key.tenant_id, handoff_id)
    if closed is None:
        raise NotFoundError(f"There is no hand-off {handoff_id}.")
    return show(closed)


def show(row: Handoff) -> HandoffOut:
    """A hand-off in the API's shape."""
    return HandoffOut(**{name: getattr(row, name) for name in HandoffOut.model_fields})
