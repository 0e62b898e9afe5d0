"""What an execution of a run needs to know before its first node, in one statement."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
)
from sqlalchemy import exists as sql_exists

from app.db.connections.queries import connections_of_tenant
from app.db.core.base import found_by_key
from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.connections import Connection
from app.db.tables.conversations import Takeover
from app.db.tables.runs import Message, Run
from app.db.tables.tenants import ApiKey, TriageModel

TENANT: Any = bindparam("tenant", type_=Text)
RUN: Any = bindparam("run", type_=Uuid())
TICKET: Any = bindparam("ticket", type_=Text)
THREAD: Any = bindparam("thread", type_=Uuid())
# A table of LangGraph's, which keeps threads as text.
CHECKPOINTS = table("checkpoints", column("thread_id", Text))


class Beginning(NamedTuple):
    """What stands as the execution begins.

    `may_mail`: the keys that started the run, and the runs merged into it, live and hold the scope.
    `payments`: the tenant connected a payment provider. `trained`: the version of its triage model
    that counts. `wrote_before`: the customer has older runs. `known_thread`: something happened on
    the ticket before. `stored`: its thread has checkpoints.
    """

    may_mail: bool
    payments: bool
    trained: int | None
    wrote_before: bool
    known_thread: bool
    stored: bool


async def beginning_of(executor: Executor, run: Run) -> Beginning:
    """See `Beginning`; all of it as one snapshot of the database has it."""
    [found] = await _select_beginning().rows(
        executor,
        tenant=run.tenant_id,
        run=run.id,
        customer=run.customer_id,
        before=run.seq,
        thread=run.thread_id,
        ticket=run.ticket_id,
    )
    return Beginning(*found)


@cache
def _select_beginning() -> CompiledStatement:
    older = select(Run.id).where(
        Run.tenant_id == TENANT,
        Run.customer_id == bindparam("customer"),
        Run.seq < bindparam("before"),
    )
    trained = select(TriageModel.version).where(
        TriageModel.tenant_id == TENANT, TriageModel.active.is_(True)
    )
    connected = connections_of_tenant(TENANT).where(Connection.role == "payments")
    stored = select(CHECKPOINTS).where(CHECKPOINTS.c.thread_id == cast(THREAD, Text))
    return CompiledStatement(
        select(
            func.coalesce(_may_mail().scalar_subquery(), False),
            connected.exists(),
            trained.scalar_subquery(),
            older.exists(),
            or_(*_known_thread()),
            stored.exists(),
        )
    )


def _may_mail() -> Select[bool]:
    """Whether each key that started the run, or a run merged into it, lives and holds the scope."""
    holds = and_(
        ApiKey.id == Run.started_by,
        ApiKey.tenant_id == Run.tenant_id,
        ApiKey.revoked_at.is_(None),
        literal("mail:send") == func.any(ApiKey.scopes),
    )
    return (
        select(func.bool_and(ApiKey.id.is_not(None)))
        .select_from(Run)
        .outerjoin(ApiKey, holds)
        .where(found_by_key(Run.tenant_id) == TENANT, or_(Run.id == RUN, Run.merged_into == RUN))
    )


def _known_thread() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a person took the ticket over, and whether another run left a message there."""
    taken_over = sql_exists().where(Takeover.tenant_id == TENANT, Takeover.ticket_id == TICKET)
    others = sql_exists().where(
        Message.tenant_id == TENANT, Message.ticket_id == TICKET, Message.run_id != RUN
    )
    return taken_over, others
