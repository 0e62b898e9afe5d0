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
from app.services.connections.hand_back import hand_back_ticket
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
    agents = {agent["id"]: agent for agent in await handoffs.agents_of(session, viewer.tenant_id)}
    claims = await claims_of(session, viewer.tenant_id, [handoff.id])
    about = await about_items(session, viewer.tenant_id, [handoff.id])
    ticket = (viewer.tenant_id, handoff.ticket_id)
    return page(
        request,
        "handoff.html",
        handoff=handoff,
        customer_id=about[handoff.id].customer_id if handoff.id in about else "",
        names={agent_id: agent["name"] for agent_id, agent in agents.items()},
        agent=agents.get(handoff.agent_id or ""),
        messages=await messages_of_ticket(session, *ticket, MESSAGES)
        if viewer.can("runs:read")
        else None,
        held=await takeover.handled(session, *ticket),
        claim=claims.get(handoff.id),
        snoozed=await snoozed_until(session, viewer.key, handoff.id),
    )


@router.post("/{handoff_id}")
async def change_handoff(
    backend: BackendDep, viewer: ViewerDep, form: FormDep, handoff_id: UUID
) -> Response:
    """Close it, take its ticket over, or hand the ticket back to the bot."""
    viewer.need("approvals:decide")
    act = form.get("act", "")
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(viewer.key.id))
        handoff = await handoffs.get_handoff(session, viewer.tenant_id, handoff_id)
        if handoff is None:
            raise NotFoundError(f"There is no hand-off {handoff_id}.")
        ticket_id = handoff.ticket_id
        if act == "close":
            await handoffs.close_handoff(session, viewer.tenant_id, handoff_id)
        elif act == "takeover":
            await takeover.take_over(session, viewer.tenant_id, ticket_id, viewer.key.name)
        elif act == "handback":
            await hand_back_ticket(session, viewer.tenant_id, ticket_id)
        else:
            raise InvalidRequestError("Choose what to do with the hand-off.")
    if act == "takeover":
        await takeover.wait_for_begun_replies(backend.sessions, viewer.tenant_id, ticket_id)
    return RedirectResponse(f"/console/handoffs/{handoff_id}", 303, HEADERS)
