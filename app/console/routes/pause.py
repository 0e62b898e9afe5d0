"""/console/pause: the switch that holds back the tenant's replies and effects."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from app.api.http.dependencies import BackendDep
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS
from app.console.viewer import FormDep, ViewerDep
from app.db.audit.actor import act_as, by_key
from app.services.tenants import pause as cases

router = APIRouter(prefix="/console", route_class=ConsoleRoute)


@router.post("/pause")
async def set_pause(backend: BackendDep, viewer: ViewerDep, form: FormDep) -> Response:
    """Switch replies and effects off or on; once the page has loaded, none leaves."""
    viewer.need("admin")
    paused = form.get("paused") == "yes"
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(viewer.key.id))
        if paused:
            await cases.pause(session, viewer.tenant_id, viewer.key.name)
        else:
            await cases.unpause(session, backend.enqueue, viewer.tenant_id)
    if paused:
        await cases.wait_for_in_flight_effects(backend.sessions, viewer.tenant_id)
    return RedirectResponse("/console", 303, HEADERS)
