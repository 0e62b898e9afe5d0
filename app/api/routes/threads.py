"""/v1/threads/{ticket_id}/takeover, /handback, /messages, /close: what people do with a ticket.

Apart from the other calls on threads: these are a person's, those are the helpdesk's.
"""

from typing import Annotated

from fastapi import APIRouter, Body, status

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import ActingSession, Approver, Backend, BackendDep
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import IdempotencyKey
from app.api.views.approvals import show_message
from app.db.audit.actor import act_as, by_key
from app.errors import IdempotencyMismatchError
from app.services.connections.hand_back import hand_back_ticket
from app.services.conversations import own_desk
from app.services.conversations import takeover as cases
from app.services.runs.start_and_cancel import thread_of

PERSON_MESSAGE = openapi_examples.MESSAGE | {"id": "msg_4", "author": "person"}
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
        await act_as(session, by_key(key.id))
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
        await act_as(session, by_key(key.id))
        await hand_back_ticket(session, key.tenant_id, ticket_id)
    return await _show(backend, key.tenant_id, ticket_id)


@router.post(
    "/{ticket_id:outside_id}/messages",
    status_code=status.HTTP_201_CREATED,
    response_model=schemas.MessageOut,
    responses=documented_responses(201, PERSON_MESSAGE, IdempotencyMismatchError),
)
async def add_message(
    ticket_id: schemas.OutsideId,
    body: schemas.PersonMessage,
    backend: BackendDep,
    key: Approver,
    idempotency_key: IdempotencyKey = None,
) -> schemas.MessageOut:
    """Keep what a person wrote; the bot is silent on the ticket after a public message."""
    author = body.author_name or key.name
    said = own_desk.Said(ticket_id, author, body.text, body.public, idempotency_key)
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(key.id))
        message = await own_desk.add_person_message(session, key.tenant_id, said)
        shown = show_message(message)
    if body.public:
        await cases.wait_for_begun_replies(backend.sessions, key.tenant_id, ticket_id)
    return shown


@router.post(
    "/{ticket_id:outside_id}/close",
    response_model=schemas.CloseOut,
    responses=documented_responses(
        200,
        {"ticket_id": "T-1001", "cancelled_runs": [openapi_examples.RUN_ID], "closed_handoffs": 1},
    ),
)
async def close_ticket(
    ticket_id: schemas.OutsideId, session: ActingSession, backend: BackendDep, key: Approver
) -> schemas.CloseOut:
    """Cancel what is open on the ticket, close its hand-offs; a later message opens it again."""
    closed = await own_desk.close_ticket(session, backend.enqueue, key.tenant_id, ticket_id)
    return schemas.CloseOut(
        ticket_id=ticket_id, cancelled_runs=closed.runs, closed_handoffs=closed.handoffs
    )


async def _show(backend: Backend, tenant_id: str, ticket_id: str) -> schemas.ThreadHolder:
    async with backend.sessions() as session:
        held = await cases.handled(session, tenant_id, ticket_id)
    return schemas.ThreadHolder(
        thread_id=thread_of(tenant_id, ticket_id),
        ticket_id=ticket_id,
        handled_by=held.by,
        handled_since=held.since,
    )
