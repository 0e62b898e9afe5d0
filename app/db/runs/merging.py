"""Which waiting messages a run can absorb: one rule for those shown and those absorbed."""

from functools import cache
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, column, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.base import sql_table
from app.db.core.compiled import CompiledQuery, Executor
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Message, Run

MAX_MESSAGES = 20
# The length of the longest single message, so a merged run reads no more than any other.
MAX_CHARACTERS = 50_000
BLANK_LINE = "\n\n"
BOUNDS = {"most": MAX_MESSAGES, "longest": MAX_CHARACTERS, "between": len(BLANK_LINE)}

# The runs behind those of `:runs` that fit into them: in their order, up to the first that does
# not fit, so that none overtakes another. At most `:most` waiting runs are read.
WITH_FITTING = """
    WITH fitting AS (
        SELECT * FROM (
            SELECT run.tenant_id, run.id AS run_id, behind.id AS waiting_id, behind.seq,
                bool_and(behind.status = 'pending' AND behind.started_at IS NULL
                    AND behind.replay_of IS NULL AND behind.customer_id = run.customer_id
                ) OVER so_far AS alike,
                1 + (SELECT count(*) FROM runs AS merged WHERE merged.merged_into = run.id)
                    + row_number() OVER so_far AS messages,
                row_number() OVER so_far AS place,
                length(run.ticket ->> 'body')
                    + sum(:between + length(behind.ticket ->> 'body')) OVER so_far AS characters
            FROM runs AS run CROSS JOIN LATERAL (
                SELECT * FROM runs
                WHERE tenant_id = run.tenant_id AND thread_id = run.thread_id
                    AND seq > run.seq AND finished_at IS NULL
                ORDER BY seq LIMIT :most
            ) AS behind
            WHERE run.id = ANY(:runs)
            WINDOW so_far AS (PARTITION BY run.id ORDER BY behind.seq)
        ) AS queue
        WHERE alike AND messages <= :most AND characters <= :longest
    )"""
LOCK_FITTING = select(Run, column("place", Integer)).from_statement(
    text(f"""{WITH_FITTING}
    SELECT runs.*, place FROM runs JOIN fitting ON runs.id = waiting_id
    WHERE runs.status = 'pending' AND runs.started_at IS NULL
    ORDER BY runs.seq FOR UPDATE OF runs SKIP LOCKED""")  # noqa: S608  # a constant
)
COLUMNS = [*sql_table(Message).columns, column("into_run")]


@cache
def _select_newer_messages() -> CompiledQuery[Message]:
    return CompiledQuery(
        Message,
        text(f"""{WITH_FITTING}
        SELECT {", ".join(f"messages.{own.name}" for own in COLUMNS[:-1])}, fitting.run_id
        FROM messages JOIN fitting ON messages.run_id = waiting_id
            AND messages.tenant_id = fitting.tenant_id
        WHERE messages.author = 'customer' ORDER BY fitting.seq""")  # noqa: S608  # a constant
        .bindparams(bindparam("runs", type_=ARRAY(Uuid)))
        .columns(*COLUMNS),
    )


async def lock_fitting(session: AsyncSession, run: Run) -> list[Run]:
    """The runs that fit into this one, oldest first, up to the first that another one locked.

    None is waited for, and what is behind it must not overtake it.
    """
    locked = await session.execute(LOCK_FITTING, {**BOUNDS, "runs": [run.id]})
    return [found for number, (found, place) in enumerate(locked, 1) if number == place]


async def newer_messages(
    executor: Executor, approvals: list[Approval]
) -> dict[UUID, list[Message]]:
    """The customer's newer messages that a `respond` can absorb, by approval."""
    if not approvals:
        return {}
    by_run = {approval.run_id: approval.id for approval in approvals}
    found: dict[UUID, list[Message]] = {}
    query = _select_newer_messages()
    for row in await query.rows(executor, **BOUNDS, runs=list(by_run)):
        found.setdefault(by_run[row[-1]], []).append(query.made(row))
    return found
