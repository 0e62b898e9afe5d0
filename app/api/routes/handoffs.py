"""/v1/handoffs: tickets that people have, or that wait for one."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import ApprovalReader, Approver, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.schemas.page import Page
from app.api.views.approvals import show_message
from app.db.effects import handoffs
from app.db.tables.sandbox import Handoff
from app.errors import InvalidCursorError, NotFoundError
from tools.models import FoundArticle, Suggestion, Urgency

router = APIRouter(prefix="/v1/handoffs", tags=["handoffs"], route_class=GuardedRoute)

Status = Literal["open", "closed"]
MAX_MESSAGES = 20
RUN_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LATER = "2026-11-22T09:30:00Z"
EXAMPLE: dict[str, Any] = {
    "id": "01a20147-a3aa-728a-9a39-1cf480623d08",
    "ticket_id": "T-1001",
    "run_id": openapi_examples.RUN_ID,
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
    "part": None,
    "questions": ["Where is the form for a new address?"],
    "held_since": "2026-11-22T09:00:01Z",
    "messages": [
        openapi_examples.MESSAGE | {"id": "msg_3", "text": "Any news?", "created_at": LATER}
    ],
}


class HandoffOut(BaseModel):
    """A ticket opened for a person; without an agent it waits in the queue.

    `suggestion` is a reply that no person checked: read it before it is sent. `articles` fit best.
    """

    id: UUID
    ticket_id: str
    run_id: Annotated[UUID | None, Field(description="The run that handed the ticket over.")]
    agent_id: str | None
    skill: str
    urgency: Urgency
    summary: str
    status: Status
    created_at: datetime
    closed_at: datetime | None
    suggestion: Suggestion | None
    articles: list[FoundArticle]
    part: Annotated[
        str | None, Field(description="What of the ticket it is about; null: all of it.")
    ]
    questions: Annotated[
        list[str],
        Field(description="What the customer asks of it, in their words; empty: the whole text."),
    ]
    held_since: Annotated[
        datetime, Field(description="Since when the bot leaves the ticket, or the part, to it.")
    ]
    messages: Annotated[
        list[schemas.MessageOut],
        Field(description="What the customer wrote since, oldest first; the newest 20."),
    ]


class HandoffPage(Page[HandoffOut]):
    """A page of hand-offs."""


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
    return HandoffPage(items=await show_all(session, rows), next_cursor=following)


@router.get(
    "/{handoff_id}", response_model=HandoffOut, responses=documented_responses(200, EXAMPLE)
)
async def get_handoff(handoff_id: UUID, session: Session, key: ApprovalReader) -> HandoffOut:
    """One hand-off, open or closed."""
    row = await handoffs.get_handoff(session, key.tenant_id, handoff_id)
    return await _shown(session, handoff_id, row)


@router.post(
    "/{handoff_id}/close",
    response_model=HandoffOut,
    responses=documented_responses(200, EXAMPLE | {"status": "closed"}),
)
async def close_handoff(handoff_id: UUID, session: Session, key: Approver) -> HandoffOut:
    """Say that the person is done with it; closing again changes nothing."""
    closed = await handoffs.close_handoff(session, key.tenant_id, handoff_id)
    return await _shown(session, handoff_id, closed)


async def _shown(session: AsyncSession, handoff_id: UUID, row: Handoff | None) -> HandoffOut:
    if row is None:
        raise NotFoundError(f"There is no hand-off {handoff_id}.")
    [shown] = await show_all(session, [row])
    return shown


def run_of(row: Handoff) -> UUID | None:
    """The run that a hand-off's key names."""
    name = [*row.key.split(":", 2), ""][1]
    return UUID(name) if RUN_NAME.fullmatch(name) else None


async def show_all(session: AsyncSession, rows: list[Handoff]) -> list[HandoffOut]:
    """Hand-offs in the API's shape, with what their customers wrote since."""
    newer = await handoffs.newer_messages(session, [row.id for row in rows], MAX_MESSAGES)
    columns = HandoffOut.model_fields.keys() - {"messages", "run_id"}
    return [
        HandoffOut(
            **{name: getattr(row, name) for name in columns},
            run_id=run_of(row),
            messages=[show_message(message) for message in newer.get(row.id, [])],
        )
        for row in rows
    ]
