"""What waits for people: open approvals and hand-offs in one list, those that are due first.

An approval is due when it expires; a hand-off, whose customer waits already, since it was opened.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.console import Claim, Snooze
from app.db.tables.runs import Run
from app.db.tables.sandbox import Handoff
from app.lifecycle import ApprovalStatus

Kind = Literal["plan", "reply", "handoff"]
Claimed = Literal["mine", "unclaimed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# A list shows "999+" above it: counting further would read every waiting row.
COUNTED = 1000
# As much of a subject as a line of the list has room for.
SUBJECT_CHARACTERS = 100


class Item(NamedTuple):
    """One thing that waits, and when it is due."""

    kind: str
    id: UUID
    due: datetime


class About(NamedTuple):
    """Whose ticket an item is about, and the beginning of its subject; "" where there is none."""

    customer_id: str
    subject: str


class Wanted(NamedTuple):
    """Which of the tenant's waiting items a person wants to see.

    `claimed` is `mine` with hand-offs that are with one of `agents` as well. `skills` narrows down
    to what needs one of them; None does not.
    """

    tenant_id: str
    key_id: str
    kind: Kind | None = None
    claimed: Claimed | None = None
    ticket_id: str | None = None
    snoozed: bool = False
    agents: tuple[str, ...] = ()
    skills: tuple[str, ...] | None = None


async def waiting_items(
    session: AsyncSession, wanted: Wanted, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[Item]:
    """Up to `limit` items behind a place, those due first on top."""
    kinds = [wanted.kind] if wanted.kind else KINDS
    parts = []
    for kind, skills in product(kinds, _each_alone(wanted.skills)):
        due, item_id = _place(kind)
        part = _waiting(kind, wanted._replace(skills=skills))
        if after is not None:
            part = part.where(tuple_(due, item_id) > tuple_(literal(after[0]), literal(after[1])))
        parts.append(part.order_by(due, item_id).limit(limit))
    if not parts:
        return []
    merged = union_all(*(part.subquery().select() for part in parts)).subquery()
    query = select(merged).order_by(merged.c.due, merged.c.id).limit(limit)
    return [Item(*row) for row in await session.execute(query)]


def _each_alone(skills: tuple[str, ...] | None) -> Sequence[tuple[str, ...] | None]:
    """Each skill apart, so that it is one range of an index, in the order of the list."""
    return [None] if skills is None else [(skill,) for skill in skills]


async def count_waiting(session: AsyncSession, wanted: Wanted) -> dict[str, int]:
    """How many items of each kind wait, each counted up to `COUNTED`."""
    counts = [
        select(func.count())
        .select_from(_waiting(kind, wanted).limit(COUNTED).subquery())
        .scalar_subquery()
        for kind in KINDS
    ]
    row = (await session.execute(select(*counts))).one()
    return dict(zip(KINDS, row, strict=True))


async def about_items(
    session: AsyncSession, tenant_id: str, ids: Sequence[UUID]
) -> dict[UUID, About]:
    """Customer and subject of each approval and hand-off whose ticket has a run."""
    said = (
        Run.customer_id,
        func.left(func.coalesce(Run.ticket["subject"].astext, ""), SUBJECT_CHARACTERS),
    )
    newest = (
        select(Run.id)
        .where(Run.tenant_id == Handoff.tenant_id, Run.ticket_id == Handoff.ticket_id)
        .order_by(Run.id.desc())
        .limit(1)
        .correlate(Handoff)
        .scalar_subquery()
    )
    of_approvals = (
        select(Approval.id, *said)
        .join(Run, Run.id == Approval.run_id)
        .where(Approval.tenant_id == tenant_id, Run.tenant_id == tenant_id, Approval.id.in_(ids))
    )
    of_handoffs = (
        select(Handoff.id, *said)
        .join(Run, Run.id == newest)
        .where(Handoff.tenant_id == tenant_id, Run.tenant_id == tenant_id, Handoff.id.in_(ids))
    )
    found = await session.execute(union_all(of_approvals, of_handoffs))
    return {item_id: About(customer_id, subject) for item_id, customer_id, subject in found}


def _place(kind: str) -> tuple[Any, Any]:
    """The columns that say when an item of the kind is due, and its id."""
    if kind == "handoff":
        return Handoff.created_at, Handoff.id
    return Approval.expires_at, Approval.id


def _waiting(kind: str, wanted: Wanted) -> Select[Any]:
    """Select the kind, id and time of what waits of one kind."""
    due, item_id = _place(kind)
    table = Handoff if kind == "handoff" else Approval
    query = select(
        # A constant, so that the branch is planned by its own partial index.
        literal_column(f"'{kind}'").label("kind"), item_id.label("id"), due.label("due")
    ).where(table.tenant_id == wanted.tenant_id)  # fmt: skip
    if kind == "handoff":
        query = query.where(Handoff.status == literal_column("'open'"))
    else:
        pending: ColumnElement[Any] = literal_column(f"'{ApprovalStatus.PENDING.value}'")
        query = query.where(Approval.status == pending, Approval.kind == kind)
    if wanted.ticket_id is not None:
        query = query.where(table.ticket_id == wanted.ticket_id)
    snoozed = _snoozed(wanted, item_id)
    query = query.where(snoozed if wanted.snoozed else ~snoozed)
    if wanted.skills is not None:
        query = query.where(table.skill.in_(wanted.skills))
    if wanted.claimed == "mine":
        own = _claimed(wanted, item_id).where(Claim.key_id == wanted.key_id).exists()
        assigned = table is Handoff and wanted.agents
        query = query.where(or_(own, Handoff.agent_id.in_(wanted.agents)) if assigned else own)
    elif wanted.claimed == "unclaimed":
        query = query.where(~_claimed(wanted, item_id).exists())
    return query


def _claimed(wanted: Wanted, item_id: Any) -> Select[Any]:
    return select(Claim.item_id).where(
        Claim.tenant_id == wanted.tenant_id, Claim.item_id == item_id
    )


def _snoozed(wanted: Wanted, item_id: Any) -> ColumnElement[bool]:
    return exists().where(
        Snooze.tenant_id == wanted.tenant_id,
        Snooze.item_id == item_id,
        Snooze.key_id == wanted.key_id,
        Snooze.until > func.now(),
    )
