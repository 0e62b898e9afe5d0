"""/console/settings: connections with a test, and the policy with who stored which version."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import BackendDep, Connections, Session
from app.connectors.connector import Check
from app.console.console_route import ConsoleRoute
from app.console.templating import page
from app.console.viewer import Viewer, ViewerDep
from app.console.views.policy import changed_lines, rules_of
from app.db.connections.queries import connections_of_tenant
from app.db.tables.connections import Connection
from app.db.tables.tenants import PolicyVersion
from app.db.tenants.queries import policies_of
from app.services.connections.check import is_failing, test_connection

router = APIRouter(prefix="/console/settings", route_class=ConsoleRoute)

VERSIONS = 20


@router.get("")
async def show(request: Request, session: Session, viewer: ViewerDep) -> Response:
    """The tenant's connections and its policy."""
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


async def _page(
    request: Request,
    session: AsyncSession,
    viewer: Viewer,
    checked: dict[str, list[Check]] | None = None,
) -> Response:
    newest = policies_of(viewer.tenant_id).order_by(PolicyVersion.version.desc())
    versions = list(await session.scalars(newest.limit(VERSIONS)))
    of_tenant = connections_of_tenant(viewer.tenant_id).order_by(Connection.id)
    known = list(await session.scalars(of_tenant)) if viewer.can("admin") else None
    return page(
        request,
        "settings.html",
        connections=known,
        failing={row.id for row in known or () if is_failing(row)},
        checked=checked or {},
        policy=rules_of(versions[0].body if versions else {}),
        versions=versions,
        changes=_changes(versions),
    )


def _changes(versions: list[PolicyVersion]) -> dict[int, list[str]]:
    """What each version changed on the one before it, as far as that is among them."""
    bodies = {one.version: one.body for one in versions} | {0: {}}
    return {
        number: changed_lines(bodies[number - 1], body)
        for number, body in bodies.items()
        if number - 1 in bodies
    }
