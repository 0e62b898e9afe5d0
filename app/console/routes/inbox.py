"""/console: what waits for people, by filters that stand in the address."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import BackendDep, Session
from app.api.http.pagination import Cursors
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS, page
from app.console.viewer import Viewer, ViewerDep
from app.console.views.inbox import rows_of
from app.db.console.inbox import KINDS, Item, Kind, Wanted, count_waiting, waiting_items
from app.db.effects.approvals import get_approval
from app.errors import InvalidCursorError
from app.services.console.groups import Group, group_of

router = APIRouter(prefix="/console", route_class=ConsoleRoute)

PAGE = 25
View = Literal["", "mine", "group", "unclaimed", "snoozed"]
Ticket = Annotated[str, Query(max_length=128)]


@router.get("")
async def inbox(
    request: Request,
    session: Session,
    backend: BackendDep,
    viewer: ViewerDep,
    kind: Literal["", "plan", "reply", "handoff"] = "",
    view: View = "",
    ticket: Ticket = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
    answered: UUID | None = None,
) -> Response:
    """The list, those that are due first on top; others are led to what they may see."""
    if not viewer.sees_what_waits:
        place = "settings" if viewer.can("admin") else "articles"
        return RedirectResponse(f"/console/{place}", 303, HEADERS)
    filters = {"kind": kind, "view": view, "ticket": ticket.strip()}
    group = await group_of(session, viewer.key)
    wanted = _wanted(viewer, kind or None, view, ticket.strip(), group)
    after = read_place(backend.cursors, viewer, cursor) if cursor else None
    found = await waiting_items(session, wanted, PAGE + 1, after)
    counts = await _counts(request, session, wanted)
    following = make_place(backend.cursors, viewer, found[PAGE - 1]) if len(found) > PAGE else ""
    here = {**filters, "cursor": cursor}
    renewed = request.headers.get("hx-target") == "list"
    return page(
        request,
        "inbox_list.html" if renewed else "inbox.html",
        renewed=renewed,
        rows=await rows_of(session, viewer, found[:PAGE]),
        filters=filters,
        counts=counts,
        group=group,
        kinds=KINDS,
        url=_url(here),
        next_url=_url({**filters, "cursor": following}) if following else "",
        address=lambda **changed: _url({**filters, **changed}),
        answered=await _answered(session, viewer, answered),
    )


async def _counts(request: Request, session: AsyncSession, wanted: Wanted) -> dict[str, int] | None:
    """How many of each kind the list has; without a filter those that every page shows.

    None for one ticket: the list itself shows them.
    """
    if wanted.ticket_id:
        return None
    if wanted.claimed or wanted.snoozed or wanted.skills is not None:
        return await count_waiting(session, wanted._replace(kind=None))
    known: dict[str, int] = request.state.waiting
    return known


def _wanted(viewer: Viewer, kind: Kind | None, view: View, ticket_id: str, group: Group) -> Wanted:
    claimed = view if view in ("mine", "unclaimed") else None
    skills = group.skills if view == "group" else None
    return Wanted(
        viewer.tenant_id, viewer.key.id, kind, claimed, ticket_id or None, view == "snoozed",
        group.agents, skills,
    )  # fmt: skip


def _url(filters: dict[str, str]) -> str:
    """The inbox with these filters; those that are empty are left out."""
    set_ = {name: value for name, value in filters.items() if value}
    return f"/console?{urlencode(set_)}" if set_ else "/console"


async def _answered(session: AsyncSession, viewer: Viewer, approval_id: UUID | None) -> Any:
    """The approval that the reader has just answered, as its row says it."""
    return await get_approval(session, viewer.tenant_id, approval_id) if approval_id else None


def make_place(cursors: Cursors, viewer: Viewer, item: Item) -> str:
    """A place in the tenant's list, signed."""
    return str(_signer(cursors, viewer).dumps([item.due.isoformat(), str(item.id)]))


def read_place(cursors: Cursors, viewer: Viewer, cursor: str) -> tuple[datetime, UUID]:
    """The place that a cursor names. Raises InvalidCursorError."""
    try:
        due, item_id = _signer(cursors, viewer).loads(cursor)
        return datetime.fromisoformat(due), UUID(item_id)
    except (BadData, ValueError, TypeError):
        raise InvalidCursorError("Start the list again without a cursor.") from None


def _signer(cursors: Cursors, viewer: Viewer) -> URLSafeSerializer:
    return cursors.signer(["console", viewer.tenant_id])
