"""Queries on the ledger, and the fence that lets only a run's owner begin an effect."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core import advisory_locks
from app.db.core.base import found_by_key, sql_table
from app.db.core.compiled import CompiledQuery, CompiledStatement, Executor, new_values, typed_binds
from app.db.effects.pseudonyms import names_of
from app.db.effects.takeovers import is_quiet
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run
from app.db.tenants.pauses import paused
from app.lifecycle import RunStatus
from tools.models import RecentRefund

REFUND_WINDOW = "24 hours"
# Two tickets that ask for the same money, such as one mail to two addresses, are days apart.
REPEAT_WINDOW = "7 days"


@cache
def _owned() -> CompiledStatement:
    return CompiledStatement(_held(select(Run.id)))


def _held(query: Select[Any]) -> Select[Any]:
    """The query if this attempt still runs the run, which is not paused; its row stays as it is."""
    held = (Run.status == RunStatus.RUNNING, Run.cancel_requested_at.is_(None), ~paused())
    own = (Run.id == bindparam("run"), Run.attempt == bindparam("held"))
    return query.where(*own, *held).with_for_update(read=True, of=Run)


async def owns_run(executor: Executor, run_id: UUID, attempt: int) -> bool:
    """Whether this attempt still runs the run, which stays so until the transaction ends.

    And whether it is not paused, which stays so if the switch is held still.
    """
    return bool(await _owned().rows(executor, run=run_id, held=attempt))


async def start_entry(executor: Executor, **values: Any) -> bool:
    """Write `started`; False when the key is known. A key refused in another run may try again."""
    new = new_values(values)
    return bool(await _start(tuple(values)).rows(executor, **new))


async def start_at_once(executor: Executor, attempt: int, ticket_id: str, **values: Any) -> bool:
    """Pass the fence and write `started`, if the key is new and the thread of the run is quiet.

    False says only that they must be asked one by one.
    """
    asked = {"run": values["run_id"], "held": attempt, "tenant": values["tenant_id"]}
    query = _start(tuple(values), at_once=True)
    return bool(await query.rows(executor, **asked, ticket=ticket_id, **new_values(values)))


@cache
def _start(names: tuple[str, ...], *, at_once: bool = False) -> CompiledStatement:
    given = typed_binds(sql_table(LedgerEntry), names)
    new = select(literal("started"), *given.values())
    if at_once:
        new = _held(new).where(is_quiet(bindparam("tenant"), bindparam("ticket")))
    row = insert(LedgerEntry).from_select(["status", *names], new)
    again = ("run_id", "approval_id", "customer_id", "step_id", "args", "connection_id")
    return CompiledStatement(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "key"],
            set_={
                "status": "started",
                **{name: row.excluded[name] for name in again},
                "error": None,
                "started_at": func.now(),
                "finished_at": None,
            },
            where=(LedgerEntry.status == "failed") & (LedgerEntry.run_id != row.excluded.run_id),
        ).returning(LedgerEntry.key)
    )


OWN = (LedgerEntry.tenant_id == bindparam("tenant"), LedgerEntry.key == bindparam("business_key"))


@cache
def _select_entry() -> CompiledQuery[LedgerEntry]:
    return CompiledQuery(LedgerEntry, select(LedgerEntry).where(*OWN))


@cache
def _update_ended() -> CompiledStatement:
    return CompiledStatement(
        update(LedgerEntry)
        .where(*OWN, LedgerEntry.status == "started")
        .values(
            status=bindparam("to"),
            result=bindparam("answered"),
            error=bindparam("refused"),
            finished_at=func.now(),
        )
    )


async def get_entry(executor: Executor, tenant_id: str, key: str) -> LedgerEntry | None:
    """The row of a business key, only to be read."""
    return await _select_entry().one_or_none(executor, tenant=tenant_id, business_key=key)


async def end_entry(
    executor: Executor,
    tenant_id: str,
    key: str,
    status: str,
    *,
    result: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """started -> done or failed; a row that has ended stays as it is."""
    own = {"tenant": tenant_id, "business_key": key}
    await _update_ended().rows(executor, **own, to=status, answered=result, refused=error)


async def started_at(session: AsyncSession, tenant_id: str, connection_id: str) -> int:
    """How many calls have begun at the payment provider whose end is unknown."""
    query = select(func.count()).where(
        LedgerEntry.tenant_id == tenant_id,
        LedgerEntry.connection_id == connection_id,
        LedgerEntry.status == "started",
    )
    return int(await session.scalar(query) or 0)


async def started_of_run(session: AsyncSession, tenant_id: str, run_id: UUID) -> list[LedgerEntry]:
    """Effects that the run began and whose end is unknown, without mailings in progress."""
    query = select(LedgerEntry).where(
        LedgerEntry.tenant_id == tenant_id,
        LedgerEntry.run_id == run_id,
        LedgerEntry.status == "started",
        LedgerEntry.progress.is_(None),
    )
    return list(await session.scalars(query))


async def entries_of_run(session: AsyncSession, tenant_id: str, run_id: UUID) -> list[LedgerEntry]:
    """Every effect that the run began, in order, whatever became of it."""
    query = select(LedgerEntry).where(
        LedgerEntry.tenant_id == tenant_id, LedgerEntry.run_id == run_id
    )
    return list(await session.scalars(query.order_by(LedgerEntry.started_at)))


@cache
def _select_of_runs() -> CompiledQuery[LedgerEntry]:
    return CompiledQuery(
        LedgerEntry,
        select(LedgerEntry)
        .where(
            found_by_key(LedgerEntry.tenant_id) == bindparam("tenant"),
            LedgerEntry.run_id == func.any(bindparam("runs", type_=ARRAY(Uuid))),
            (LedgerEntry.status == "done") | LedgerEntry.progress.is_not(None),
        )
        .order_by(LedgerEntry.started_at),
    )


async def effects_of_runs(
    executor: Executor, tenant_id: str, run_ids: list[UUID]
) -> list[LedgerEntry]:
    """What these runs did, in order, and what is done in part; only to be read."""
    if not run_ids:
        return []
    return await _select_of_runs().all(executor, tenant=tenant_id, runs=run_ids)


async def refunded_24h(session: AsyncSession, tenant_id: str, customer_id: str) -> dict[str, int]:
    """What a customer got back in the last 24 hours, begun ones included, by currency.

    Also what they got before they were erased: coming back brings no fresh allowance.
    """
    names = await names_of(session, tenant_id, customer_id)
    query = (
        select(LedgerEntry.currency, func.sum(LedgerEntry.amount_minor))
        .where(
            LedgerEntry.tenant_id == tenant_id,
            LedgerEntry.customer_id.in_(names),
            LedgerEntry.amount_minor.is_not(None),
            LedgerEntry.status != "failed",
            LedgerEntry.started_at > func.now() - text(f"interval '{REFUND_WINDOW}'"),
        )
        .group_by(LedgerEntry.currency)
    )
    return {str(currency): int(total or 0) for currency, total in await session.execute(query)}


async def refunded_elsewhere(
    session: AsyncSession, tenant_id: str, customer_id: str, ticket_id: str
) -> list[RecentRefund]:
    """What a customer got back in other tickets in the last 7 days, begun ones included."""
    names = await names_of(session, tenant_id, customer_id)
    query = (
        select(LedgerEntry.args, LedgerEntry.amount_minor, LedgerEntry.currency, Run.ticket_id)
        .join(Run, Run.id == LedgerEntry.run_id)
        .where(
            LedgerEntry.tenant_id == tenant_id,
            LedgerEntry.customer_id.in_(names),
            LedgerEntry.amount_minor.is_not(None),
            LedgerEntry.status != "failed",
            LedgerEntry.started_at > func.now() - text(f"interval '{REPEAT_WINDOW}'"),
            Run.ticket_id != ticket_id,
        )
        .order_by(LedgerEntry.started_at)
    )
    return [
        {
            "payment_id": args["payment_id"],
            "amount_minor": amount,
            "currency": currency,
            "ticket_id": ticket,
        }
        for args, amount, currency, ticket in await session.execute(query)
        if "payment_id" in args
    ]


async def lock_customer(session: AsyncSession, tenant_id: str, customer_id: str) -> None:
    """Keep other transactions from spending this customer's allowance until this one ends."""
    await advisory_locks.hold(
        session, advisory_locks.exclusive("allowance", tenant_id, customer_id)
    )


async def set_result(
    session: AsyncSession, tenant_id: str, key: str, result: dict[str, Any]
) -> None:
    """What the outside system says later of an effect that is done."""
    await session.execute(
        update(LedgerEntry)
        .where(
            LedgerEntry.tenant_id == tenant_id,
            LedgerEntry.key == key,
            LedgerEntry.status == "done",
        )
        .values(result=result)
        .execution_options(synchronize_session=False)
    )
