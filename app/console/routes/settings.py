"""/console/settings: the tenant's connections: their state, a test, and a switch for each."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import BackendDep, Connections, Session
from app.connectors.connector import Check
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, Viewer, ViewerDep
from app.db.connections.deliveries import waiting_by_connection
from app.db.connections.queries import connections_of_tenant
from app.db.tables.connections import Connection
from app.errors import InvalidRequestError
from app.services.connections import manage
from app.services.connections.check import is_failing, test_connection

router = APIRouter(prefix="/console/settings", route_class=ConsoleRoute)


@router.get("")
async def show(request: Request, session: Session, viewer: ViewerDep) -> Response:
    """The tenant's connections."""
    viewer.need("admin", "approvals:decide")
    return await _page(request, session, viewer)


@router.post("/connections/{connection_id}/test")
async def test(
    request: Request,
    backend: BackendDep,
    connections: Connections,
    viewer: ViewerDep,
    connection_id: str,
) -> Response:
    """Make harmless calls there, and show what is right and what is missing."""
    viewer.need("admin")
    checks = await test_connection(backend.sessions, connections, viewer.tenant_id, connection_id)
    async with backend.sessions() as session:
        return await _page(request, session, viewer, {connection_id: checks})


@router.post("/connections/{connection_id}/pause")
async def set_pause(
    session: Session,
    connections: Connections,
    viewer: ViewerDep,
    form: FormDep,
    connection_id: str,
) -> Response:
    """Send nothing there any more, or use it again; what waited is then delivered."""
    viewer.need("admin")
    if form.get("paused") not in ("yes", "no"):
        raise InvalidRequestError("Choose whether to pause it or to use it again.")
    await manage.change(
        session, connections.vault, viewer.tenant_id, connection_id,
        paused=form["paused"] == "yes",
    )  # fmt: skip
    return RedirectResponse(f"/console/settings#{connection_id}", 303, HEADERS)


async def _page(
    request: Request,
    session: AsyncSession,
    viewer: Viewer,
    checked: dict[str, list[Check]] | None = None,
) -> Response:
    of_tenant = connections_of_tenant(viewer.tenant_id).order_by(Connection.id)
    known = list(await session.scalars(of_tenant)) if viewer.can("admin") else None
    return page(
        request,
        "settings.html",
        connections=known,
        failing={row.id for row in known or () if is_failing(row)},
        waits=await waiting_by_connection(session, viewer.tenant_id) if known else {},
        checked=checked or {},
    )
