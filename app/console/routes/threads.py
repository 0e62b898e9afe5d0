"""/console/threads/{ticket}: a person takes a ticket over, or hands it back to the bot."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from app.api.http.dependencies import BackendDep
from app.api.schemas import OutsideId
from app.console.console_route import ConsoleRoute
from app.console.routes.sign_in import own_path
from app.console.templating import HEADERS
from app.console.viewer import FormDep, ViewerDep
from app.db.audit.actor import act_as, by_key
from app.services.connections.hand_back import hand_back_ticket
from app.services.conversations import takeover

router = APIRouter(prefix="/console/threads", route_class=ConsoleRoute)


@router.post("/{ticket_id:outside_id}/takeover")
async def take_over(
    backend: BackendDep, viewer: ViewerDep, form: FormDep, ticket_id: OutsideId
) -> Response:
    """Silence the bot on the ticket; once the page has loaded, no reply of before is under way."""
    viewer.need("approvals:decide")
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(viewer.key.id))
        await takeover.take_over(session, viewer.tenant_id, ticket_id, viewer.key.name)
    await takeover.wait_for_begun_replies(backend.sessions, viewer.tenant_id, ticket_id)
    return RedirectResponse(own_path(form.get("back", "")), 303, HEADERS)


@router.post("/{ticket_id:outside_id}/handback")
async def hand_back(
    backend: BackendDep, viewer: ViewerDep, form: FormDep, ticket_id: OutsideId
) -> Response:
    """Let the bot answer the ticket's next message."""
    viewer.need("approvals:decide")
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(viewer.key.id))
        await hand_back_ticket(session, viewer.tenant_id, ticket_id)
    return RedirectResponse(own_path(form.get("back", "")), 303, HEADERS)
