"""/console/handoffs/{id}: a ticket that waits for a person, with what the bot found for them."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.api.http.dependencies import BackendDep, Session
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, ViewerDep
from app.db.audit.actor import act_as, by_key
from app.db.console.claims import claims_of, snoozed_until
from app.db.console.inbox import about_items
from app.db.effects import handoffs
from app.db.runs.steps import messages_of_ticket
from app.errors import InvalidRequestError, NotFoundError
from app.services.connections.ticket_page import ticket_page
from app.services.conversations import takeover

router = APIRouter(prefix="/console/handoffs", route_class=ConsoleRoute)

MESSAGES = 20


@router.get("/{handoff_id}")
async def show_handoff(
    request: Request, session: Session, viewer: ViewerDep, handoff_id: UUID
) -> Response:
    """The hand-off."""
    viewer.need("approvals:decide", "runs:read")
    handoff = await handoffs.get_handoff(session, viewer.tenant_id, handoff_id)
    if handoff is None:
        raise NotFoundError(f"There is no hand-off {handoff_id}.")
    names = await handoffs.names_of_agents(session, viewer.tenant_id)
    claims = await claims_of(session, viewer.tenant_id, [handoff.id])
    about = await about_items(session, viewer.tenant_id, [handoff.id])
    ticket = (viewer.tenant_id, handoff.ticket_id)
    return page(
        request,
        "handoff.html",
        handoff=handoff,
        customer_id=about[handoff.id].customer_id if handoff.id in about else "",
        names=names,
        agent=names.get(handoff.agent_id or "", handoff.agent_id),
        messages=await messages_of_ticket(session, *ticket, MESSAGES)
        if viewer.can("runs:read")
        else None,
        desk=await ticket_page(session, *ticket),
        held=await takeover.handled(session, *ticket),
        claim=claims.get(handoff.id),
        snoozed=await snoozed_until(session, viewer.key, handoff.id),
    )


@router.post("/{handoff_id}")
async def change_handoff(
    backend: BackendDep, viewer: ViewerDep, form: FormDep, handoff_id: UUID
) -> Response:
    """Close it."""
    viewer.need("approvals:decide")
    if form.get("act") != "close":
        raise InvalidRequestError("Choose what to do with the hand-off.")
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(viewer.key.id))
        if await handoffs.close_handoff(session, viewer.tenant_id, handoff_id) is None:
            raise NotFoundError(f"There is no hand-off {handoff_id}.")
    return RedirectResponse(f"/console/handoffs/{handoff_id}", 303, HEADERS)
