"""/v1/threads/{ticket_id}/takeover and /handback: a person has a ticket, or the bot has it again.

Apart from the other calls on threads: these are a person's, those are the helpdesk's.
"""

from typing import Annotated

from fastapi import APIRouter, Body

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import Approver, Backend, BackendDep
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.services.conversations import takeover as cases
from app.services.runs.start_and_cancel import thread_of

router = APIRouter(prefix="/v1/threads", tags=["handoffs"], route_class=GuardedRoute)


@router.post(
    "/{ticket_id:outside_id}/takeover",
    response_model=schemas.TakenOver,
    responses=documented_responses(200, openapi_examples.TAKEN_OVER),
)
async def take_over(
    ticket_id: schemas.OutsideId,
    backend: BackendDep,
    key: Approver,
    body: Annotated[schemas.TakeOver, Body(default_factory=schemas.TakeOver)],
) -> schemas.TakenOver:
    """Give the ticket to a person: from the answer on no reply of the bot begins on it."""
    by = body.handled_by or key.name
    async with backend.sessions.begin() as session:
        await cases.take_over(session, key.tenant_id, ticket_id, by)
    begun = await cases.wait_for_begun_replies(backend.sessions, key.tenant_id, ticket_id)
    holder = await _show(backend, key.tenant_id, ticket_id)
    return schemas.TakenOver(**holder.model_dump(), begun=begun)


@router.post(
    "/{ticket_id:outside_id}/handback",
    response_model=schemas.ThreadHolder,
    responses=documented_responses(200, openapi_examples.HANDED_BACK),
)
async def hand_back(
    ticket_id: schemas.OutsideId, backend: BackendDep, key: Approver
) -> schemas.ThreadHolder:
    """Give the ticket back to the bot, which answers its next message; closes its hand-offs."""
    async with backend.sessions.begin() as session:
        await cases.hand_back(session, key.tenant_id, ticket_id)
    return await _show(backend, key.tenant_id, ticket_id)


async def _show(backend: Backend, tenant_id: str, ticket_id: str) -> schemas.ThreadHolder:
    async with backend.sessions() as session:
        held = await cases.handled(session, tenant_id, ticket_id)
    return schemas.ThreadHolder(
        thread_id=thread_of(tenant_id, ticket_id),
        ticket_id=ticket_id,
        handled_by=held.by,
        handled_since=held.since,
    )
