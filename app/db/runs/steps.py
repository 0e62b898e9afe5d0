"""Queries on the steps of runs and on the messages of tickets."""

from functools import cache
from itertools import groupby
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy import bindparam, exists, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from app.db.core.compiled import CompiledQuery, Executor, new_binds, new_values
from app.db.core.types import json_text
from app.db.tables.runs import Message, Run, Step

# A later row of the same node execution replaces the earlier one.
UPSERT_STEPS: LiteralString = """
INSERT INTO steps (run_id, attempt, task_id, tenant_id, node, tries, status, checkpoint_id, input,
    output, error, tokens, cost_usd, started_at, duration_ms, trace_run_id)
SELECT step.* FROM unnest(%b::text[], %b::text[]) AS given (identity, document),
    jsonb_to_record(given.document::jsonb) AS step (run_id uuid, attempt bigint, task_id text,
        tenant_id text, node text, tries int, status text, checkpoint_id text, input jsonb,
        output jsonb, error jsonb, tokens bigint, cost_usd numeric,
        started_at timestamptz, duration_ms bigint, trace_run_id uuid)
ON CONFLICT (run_id, attempt, task_id) DO UPDATE SET status = EXCLUDED.status,
    tries = EXCLUDED.tries, output = EXCLUDED.output, error = EXCLUDED.error,
    tokens = EXCLUDED.tokens, cost_usd = EXCLUDED.cost_usd,
    duration_ms = EXCLUDED.duration_ms, trace_run_id = EXCLUDED.trace_run_id"""


def step_row(step: dict[str, Any]) -> tuple[str, str]:
    """A node execution as UPSERT_STEPS takes it."""
    identity = f"{step['run_id']}/{step['attempt']}/{step['task_id']}"
    return identity, json_text(step)


STOPPED = {"type": "stopped", "message": "The execution ended before this step did."}


async def close_open_steps(session: AsyncSession, run_id: UUID, attempt: int) -> None:
    """Mark steps that will never end as stopped, those of earlier attempts too.

    A killed worker's last write may come after its run was brought back.
    """
    await session.execute(
        update(Step)
        .where(Step.run_id == run_id, Step.attempt <= attempt, Step.status == "running")
        .values(status="error", error=STOPPED)
        .execution_options(synchronize_session=False)
    )


async def steps_of_run(session: AsyncSession, tenant_id: str, run_id: UUID) -> list[Step]:
    """The run's node executions in the order they began, each with its model calls.

    A row holds of the input what the attempt's rows before do not; here it is the whole state
    again.
    """
    query = (
        select(Step)
        .options(selectinload(Step.model_calls))
        .where(Step.tenant_id == tenant_id, Step.run_id == run_id)
        .order_by(Step.started_at, Step.seq)
    )
    steps = list(await session.scalars(query))
    _add_up(steps)
    return steps


def _add_up(steps: list[Step]) -> None:
    """Make each input whole. What steps of one checkpoint wrote, only those after them read."""
    states: dict[int, dict[str, Any]] = {}
    for (attempt, _), parallel in groupby(steps, lambda step: (step.attempt, step.checkpoint_id)):
        written: dict[str, Any] = {}
        for step in parallel:
            if step.input is not None:
                states[attempt] = {**states.get(attempt, {}), **step.input}
                set_committed_value(step, "input", states[attempt])
            written |= step.output or {}
        states[attempt] = {**states.get(attempt, {}), **written}


async def checkpoint_of_run(session: AsyncSession, run: Run, checkpoint_id: str) -> bool | None:
    """Whether the checkpoint that a step of the run began with is kept; None if none did."""
    began = exists().where(
        Step.tenant_id == run.tenant_id,
        Step.run_id == run.id,
        Step.checkpoint_id == checkpoint_id,
    )
    if not await session.scalar(select(began)):
        return None
    # The checkpointer's own table; its migrations make it, not ours.
    kept = text(
        "SELECT EXISTS (SELECT FROM checkpoints WHERE thread_id = :thread"
        " AND checkpoint_ns = '' AND checkpoint_id = :checkpoint)"
    )
    where = {"thread": str(run.thread_id), "checkpoint": checkpoint_id}
    return bool(await session.scalar(kept, where))


async def add_message(executor: Executor, **values: Any) -> Message:
    """Store a message once per key; a repeated key returns the first message, only to be read."""
    new = await _insert_message(tuple(values)).one_or_none(executor, **new_values(values))
    if new is not None:
        return new
    first = {"tenant": values["tenant_id"], "business_key": values["key"]}
    known = await _select_message().one_or_none(executor, **first)
    assert known is not None, "a key that could not be stored is known"
    return known


@cache
def _insert_message(names: tuple[str, ...]) -> CompiledQuery[Message]:
    row = insert(Message).values(new_binds(names))
    new = row.on_conflict_do_nothing(index_elements=["tenant_id", "key"])
    return CompiledQuery(Message, new.returning(Message))


@cache
def _select_message() -> CompiledQuery[Message]:
    own = (Message.tenant_id == bindparam("tenant"), Message.key == bindparam("business_key"))
    return CompiledQuery(Message, select(Message).where(*own))


async def messages_of_ticket(
    session: AsyncSession, tenant_id: str, ticket_id: str, limit: int
) -> list[Message]:
    """The newest messages of a ticket, oldest first."""
    query = (
        select(Message)
        .where(Message.tenant_id == tenant_id, Message.ticket_id == ticket_id)
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return list(await session.scalars(query))[::-1]
