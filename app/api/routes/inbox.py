"""/v1/inbox/{item_id}: who works on an approval or hand-off, and who has put it off."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http import openapi_examples
from app.api.http.dependencies import ApprovalReader, Approver, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.schemas.base import OutsideId, Request
from app.db.tables.tenants import ApiKey
from app.errors import AlreadyClaimedError
from app.services.console import items as cases

router = APIRouter(prefix="/v1/inbox", tags=["inbox"], route_class=GuardedRoute)

MAX_SNOOZE_SECONDS = 30 * 86_400
EXAMPLE: dict[str, Any] = {
    "item_id": openapi_examples.APPROVAL_ID,
    "claim": {
        "key_id": "e09568fc36b6",
        "claimed_by": "Mia",
        "claimed_at": "2026-11-22T09:00:01Z",
    },
    "snoozed_until": None,
}


class ClaimOut(BaseModel):
    """Who works on an item: a sign to others, and no lock."""

    model_config = ConfigDict(from_attributes=True)

    key_id: str
    claimed_by: Annotated[str, Field(description="The name of that key.")]
    claimed_at: datetime


class InboxItemOut(BaseModel):
    """How an approval or a hand-off stands for the caller."""

    item_id: Annotated[UUID, Field(description="Of the approval or the hand-off.")]
    claim: ClaimOut | None
    snoozed_until: Annotated[
        datetime | None, Field(description="Until when the caller's own list leaves it out.")
    ]


class ClaimItem(Request):
    """Claim an item that is free, or the caller's own already."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    over: Annotated[
        OutsideId | None,
        Field(description="The `key_id` of a claim that was seen, to claim it instead."),
    ] = None


class SnoozeItem(Request):
    """Put an item off."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"seconds": 3600}]})

    seconds: Annotated[int, Field(ge=0, le=MAX_SNOOZE_SECONDS, description="0: show it again.")]


RESPONSES = documented_responses(200, EXAMPLE)


@router.get("/{item_id}", response_model=InboxItemOut, responses=RESPONSES)
async def get_inbox_item(item_id: UUID, session: Session, key: ApprovalReader) -> InboxItemOut:
    """Who has claimed it, and until when the caller has put it off."""
    return await _shown(session, key, item_id)


@router.post(
    "/{item_id}/claim",
    response_model=InboxItemOut,
    responses=documented_responses(200, EXAMPLE, AlreadyClaimedError),
)
async def claim_item(
    item_id: UUID, body: ClaimItem, session: Session, key: Approver
) -> InboxItemOut:
    """Show others that you work on it; claiming again changes nothing."""
    await cases.claim(session, key, item_id, body.over)
    return await _shown(session, key, item_id)


@router.post("/{item_id}/release", response_model=InboxItemOut, responses=RESPONSES)
async def release_item(item_id: UUID, session: Session, key: Approver) -> InboxItemOut:
    """Give your own claim back; that of another key stays."""
    await cases.release(session, key, item_id)
    return await _shown(session, key, item_id)


@router.post("/{item_id}/snooze", response_model=InboxItemOut, responses=RESPONSES)
async def snooze_item(
    item_id: UUID, body: SnoozeItem, session: Session, key: Approver
) -> InboxItemOut:
    """Leave it out of your own list for a while; it is due when it was due before."""
    await cases.snooze(session, key, item_id, timedelta(seconds=body.seconds))
    return await _shown(session, key, item_id)


async def _shown(session: AsyncSession, key: ApiKey, item_id: UUID) -> InboxItemOut:
    known = await cases.standing(session, key, item_id)
    claim = ClaimOut.model_validate(known.claim) if known.claim else None
    return InboxItemOut(item_id=item_id, claim=claim, snoozed_until=known.snoozed_until)
