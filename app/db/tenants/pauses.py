"""The pause switch: a row holds back replies and effects of one tenant, or of all."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core import advisory_locks
from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run
from app.db.tables.tenants import EVERYONE, Pause
from app.lifecycle import RunStatus


@cache
def paused() -> ColumnElement[bool]:
    """The run's tenant, or everyone, is paused."""
    either = or_(Pause.tenant_id == Run.tenant_id, Pause.tenant_id == EVERYONE)
    return select(Pause.tenant_id).where(either).exists()


def held_still(tenant_id: advisory_locks.Name) -> list[ColumnElement[Any]]:
    """Columns that lock both switches, shared, until the transaction ends.

    Only a later statement may read the switch: this one's snapshot is older than its locks.
    Advisory locks, since a switch that is off has no row, and a lock on a row is a write.
    """
    return [advisory_locks.shared("pause", name) for name in (EVERYONE, tenant_id)]


@cache
def _select_shared_locks() -> CompiledStatement:
    return CompiledStatement(select(*held_still(bindparam("tenant", type_=Text))))


async def lock_pause_shared(executor: Executor, tenant_id: str) -> None:
    """Block switching until the transaction ends; waits for a switch in progress."""
    await _select_shared_locks().rows(executor, tenant=tenant_id)


async def lock_pause_exclusive(session: AsyncSession, tenant_id: str) -> None:
    """Wait for every transaction that relies on this switch, and block new ones."""
    await advisory_locks.hold(session, advisory_locks.exclusive("pause", tenant_id))


async def pauses_of(session: AsyncSession, tenant_id: str) -> list[Pause]:
    """The pauses that apply to the tenant, the one for all tenants first."""
    query = select(Pause).where(Pause.tenant_id.in_([tenant_id, EVERYONE]))
    return list(await session.scalars(query.order_by(Pause.tenant_id != EVERYONE)))


async def is_paused(executor: Executor, tenant_id: str) -> bool:
    """Whether the tenant, or everyone, is paused."""
    return bool(await _select_paused().rows(executor, tenant=tenant_id))


@cache
def _select_paused() -> CompiledStatement:
    either = or_(Pause.tenant_id == bindparam("tenant"), Pause.tenant_id == EVERYONE)
    return CompiledStatement(select(Pause.tenant_id).where(either).limit(1))


async def write_pause(session: AsyncSession, tenant_id: str, by: str) -> None:
    """Pause; an existing pause keeps its time and author."""
    row = insert(Pause).values(tenant_id=tenant_id, paused_by=by)
    await session.execute(row.on_conflict_do_nothing())


async def remove_pause(session: AsyncSession, tenant_id: str) -> bool:
    """End a pause; False when there was none."""
    query = delete(Pause).where(Pause.tenant_id == tenant_id).returning(Pause.tenant_id)
    return (await session.scalars(query)).one_or_none() is not None


async def in_flight(session: AsyncSession, tenant_id: str) -> int:
    """How many effects of the tenant, or of all, have begun and not ended in a live execution.

    Effects that a dead worker began do not count.
    """
    query = (
        select(func.count())
        .select_from(Run)
        .join(
            LedgerEntry,
            and_(
                LedgerEntry.tenant_id == Run.tenant_id,
                # Leads into an index.
                LedgerEntry.customer_id == Run.customer_id,
                LedgerEntry.run_id == Run.id,
            ),
        )
        .where(Run.status == RunStatus.RUNNING, LedgerEntry.status == "started")
        .where(or_(Run.tenant_id == tenant_id, literal(tenant_id) == EVERYONE))
    )
    return int(await session.scalar(query) or 0)


def due_runs(tenant_id: str) -> Select[Run]:
    """Select the pending runs that a pause held back, oldest first; every tenant's for everyone."""
    return (
        select(Run)
        .where(or_(Run.tenant_id == tenant_id, literal(tenant_id) == EVERYONE))
        # The clock: a look may have refused a run that became due while the switch was waited for.
        .where(Run.status == RunStatus.PENDING, Run.not_before <= func.clock_timestamp())
        .where(~paused())
        .order_by(Run.seq)
        .with_for_update(skip_locked=True)
    )
