"""/console/audit: the audit trail with its seals, and what waits for a second admin."""

from typing import Annotated, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app.api.http.dependencies import BackendDep, Session
from app.console.console_route import ConsoleRoute
from app.console.templating import page
from app.console.viewer import ViewerDep
from app.console.views.audit import rows_of
from app.db.audit.kinds import Kind
from app.db.audit.queries import Wanted, events_of, seals_of
from app.db.tables.audit import AuditEvent
from app.db.tenants.policy_changes import waiting_changes
from app.db.tenants.queries import holders_of_keys
from app.services.audit.verify import verify

router = APIRouter(prefix="/console/audit", route_class=ConsoleRoute)

PAGE = 50
# Checked at each view; `deskgraph audit verify` checks the whole chain.
CHECKED = 1000
KINDS = get_args(Kind)


@router.get("")
async def show(
    request: Request,
    session: Session,
    backend: BackendDep,
    viewer: ViewerDep,
    kind: Annotated[str, Query(max_length=50)] = "",
    subject: Annotated[str, Query(max_length=300)] = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The tenant's events, newest first, and whether the newest links of the chain hold."""
    viewer.need("admin")
    filters = {"kind": kind if kind in KINDS else "", "subject": subject.strip()}
    wanted = Wanted(filters["kind"] or None, filters["subject"] or None)
    events, following = await backend.cursors.page(
        session,
        events_of(viewer.tenant_id, wanted),
        AuditEvent.id,
        scope=["console audit", viewer.tenant_id, filters],
        cursor=cursor or None,
        limit=PAGE,
        newest_first=True,
        read=UUID,
    )
    seals = await seals_of(session, viewer.tenant_id, [event.id for event in events])
    names = await holders_of_keys(session, {e.actor_key for e in events if e.actor_key})
    return page(
        request,
        "audit.html",
        rows=rows_of(events, seals, names),
        pending=await waiting_changes(session, viewer.tenant_id),
        kinds=KINDS,
        filters=filters,
        next_url=_url({**filters, "cursor": following}) if following else "",
        chain=await verify(session, viewer.tenant_id, newest=CHECKED),
    )


def _url(filters: dict[str, str]) -> str:
    return f"/console/audit?{urlencode({name: value for name, value in filters.items() if value})}"
