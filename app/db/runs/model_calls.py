"""Queries on model calls: each is a row of its own, so a crash loses none that has ended."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.types import json_text
from app.db.tables.figures import ModelCall

# A call that was given up and ends after all gets what it came to.
UPSERT_MODEL_CALLS: LiteralString = """
INSERT INTO model_calls (id, tenant_id, run_id, attempt, task_id, node, number, role, tier, asked,
    answered, prompt_version, fallback, repair, reason, input_tokens, cached_tokens, output_tokens,
    cost_usd, error, started_at, duration_ms)
SELECT call.* FROM unnest(%b::text[], %b::text[]) AS given (identity, document),
    jsonb_to_record(given.document::jsonb) AS call (id uuid, tenant_id text, run_id uuid,
        attempt bigint, task_id text, node text, number int, role text, tier text, asked text,
        answered text, prompt_version text, fallback bool, repair bool, reason text,
        input_tokens bigint, cached_tokens bigint, output_tokens bigint, cost_usd numeric,
        error text, started_at timestamptz, duration_ms int)
ON CONFLICT (id) DO UPDATE SET answered = EXCLUDED.answered, error = EXCLUDED.error,
    input_tokens = EXCLUDED.input_tokens, cached_tokens = EXCLUDED.cached_tokens,
    output_tokens = EXCLUDED.output_tokens, cost_usd = EXCLUDED.cost_usd"""

# What a run and its steps came to, by the calls themselves: an attempt that was killed or stopped
# did not say. Calls outside of the graph count for the tenant, not for the run.
UPDATE_STEPS_SPEND = """
UPDATE steps SET tokens = spent.tokens, cost_usd = spent.cost_usd
FROM (SELECT run_id, attempt, task_id, sum(input_tokens + output_tokens) AS tokens,
        CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS cost_usd
    FROM model_calls WHERE run_id = ANY(:runs) AND task_id <> '' GROUP BY 1, 2, 3) AS spent
WHERE steps.run_id = spent.run_id AND steps.attempt = spent.attempt
    AND steps.task_id = spent.task_id
    AND (steps.tokens, steps.cost_usd) IS DISTINCT FROM (spent.tokens, spent.cost_usd)"""
UPDATE_RUNS_SPEND = """
UPDATE runs SET tokens = spent.tokens, cost_usd = spent.cost_usd
FROM (SELECT run_id, sum(input_tokens + output_tokens) AS tokens,
        CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS cost_usd
    FROM model_calls WHERE run_id = ANY(:runs) AND task_id <> '' GROUP BY 1) AS spent
WHERE runs.id = spent.run_id
    AND (runs.tokens, runs.cost_usd) IS DISTINCT FROM (spent.tokens, spent.cost_usd)"""


def model_call_row(call: dict[str, Any]) -> tuple[str, str]:
    """A call as UPSERT_MODEL_CALLS takes it."""
    return str(call["id"]), json_text(call)


async def count_spend(session: AsyncSession, run_ids: Iterable[UUID]) -> None:
    """Set tokens and cost of runs, and of their steps, to what their model calls came to."""
    runs = {"runs": list(run_ids)}
    await session.execute(text(UPDATE_STEPS_SPEND), runs)
    await session.execute(text(UPDATE_RUNS_SPEND), runs)


async def spent_usd(session: AsyncSession, tenant_id: str, run_id: UUID) -> Decimal:
    """US dollars that the run's model calls cost so far, over all attempts, killed ones too."""
    query = select(func.sum(ModelCall.cost_usd)).where(
        ModelCall.tenant_id == tenant_id, ModelCall.run_id == run_id, ModelCall.task_id != ""
    )
    return (await session.scalars(query)).one() or Decimal(0)
