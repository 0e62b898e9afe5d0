"""A filter of a list that few rows match reads few rows, however many the tenant has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Select, text

from app.db.audit.queries import Wanted, events_of
from app.db.core.compiled import DIALECT, driver_of
from app.db.core.connections import Sessions
from app.db.runs.filters import RunFilters
from app.db.runs.queries import runs_of_tenant
from app.db.runs.queue_position import _select_positions
from app.db.tables.audit import AuditEvent
from app.db.tables.runs import Run
from app.db.tables.webhooks import Callback
from app.db.webhooks.queries import callbacks_of_tenant

RUNS, READ, PAGE = 20_000, 500, 21
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FILL = (
    "SET LOCAL session_replication_role = replica",
    """
    INSERT INTO runs (id, tenant_id, thread_id, ticket_id, customer_id, ticket, status, outcome,
        attempt, policy_version, started_by, request_sha256, started_at, finished_at)
    SELECT gen_random_uuid(), :tenant, gen_random_uuid(), 'T-' || i, 'c-' || i, '{}', 'success',
        (ARRAY['answered', 'acted', 'escalated'])[1 + i % 3], 1, 0, 'key', '', now(), now()
    FROM generate_series(1, :runs) AS i""",
    """
    INSERT INTO steps (run_id, attempt, task_id, tenant_id, node, status, started_at)
    SELECT id, 1, node, tenant_id, node, 'success', now()
    FROM runs, unnest(ARRAY['classify', 'technical', 'respond']) AS node
    WHERE tenant_id = :tenant""",
    """
    INSERT INTO model_calls (id, tenant_id, run_id, attempt, task_id, node, number, asked, fallback,
        repair, input_tokens, cached_tokens, output_tokens, started_at, duration_ms)
    SELECT gen_random_uuid(), tenant_id, id, 1, 'respond', 'respond', 1, 'gpt-5', false, false, 1,
        0, 1, now(), 1
    FROM runs WHERE tenant_id = :tenant""",
    """
    INSERT INTO callbacks (id, tenant_id, endpoint_id, number, event, url, body, status,
        delivered_at)
    SELECT gen_random_uuid(), :tenant, gen_random_uuid(), 1, 'test', '', '{}', 'delivered', now()
    FROM generate_series(1, :runs) AS i""",
    """
    INSERT INTO audit_events (tenant_id, id, at, kind, actor, subjects, facts, content_sha256)
    SELECT :tenant, gen_random_uuid(), now(), 'effect.done', 'service', '{}', '{}', ''
    FROM generate_series(1, :runs) AS i""",
    "ANALYZE runs, steps, model_calls, callbacks, audit_events",
)
FILTERS = [
    RunFilters(status="timeout"),  # type: ignore[arg-type]  # as text it is the same
    RunFilters(outcome="rejected"),
    RunFilters(ticket_id="none"),
    RunFilters(customer_id="none"),
    RunFilters(created_before=LONG_AGO),
    RunFilters(finished_before=LONG_AGO),
    RunFilters(replays=True),
    RunFilters(error_type="none"),
    RunFilters(connection="none"),
    RunFilters(mark="lost"),
    RunFilters(mark="cache_hit"),
    RunFilters(mark="refused"),
    RunFilters(node="none"),
    RunFilters(failed_node="none"),
    RunFilters(model="none"),
    RunFilters(model_error="none"),
    RunFilters(fallback="none"),
    RunFilters(approval="expired"),
    RunFilters(approval_kind="none"),
]


@pytest.fixture(scope="module")
async def large(sessions: Sessions) -> str:
    """A tenant with many runs, none of which has what the filters ask for."""
    async with sessions.begin() as session:
        for statement in FILL:
            await session.execute(text(statement), {"tenant": "many-runs", "runs": RUNS})
    return "many-runs"


def rows_read(plan: dict[str, Any]) -> Iterator[float]:
    """What each part of a plan took from a table or an index, whether it was used or not."""
    if "Relation Name" in plan or "Index Name" in plan:
        each = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        yield (each + plan.get("Rows Removed by Index Recheck", 0)) * plan["Actual Loops"]
    for part in plan.get("Plans", []):
        yield from rows_read(part)


async def read_for(sessions: Sessions, query: Select[Any]) -> float:
    """How many rows are read for a page."""
    compiled = query.limit(PAGE).compile(dialect=DIALECT)
    async with sessions() as session:
        connection = await driver_of(session)
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}"
        found: Any = await (await connection.execute(explain.encode(), compiled.params)).fetchone()
    [plan] = found[0]
    return sum(rows_read(plan["Plan"]))


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: str(filters.scope()))
async def test_filter_that_nothing_matches_reads_few_rows(
    sessions: Sessions, large: str, filters: RunFilters
) -> None:
    """By an index, instead of by the tenant's runs from the newest to the oldest."""
    query = runs_of_tenant(large, filters).order_by(Run.id.desc())
    assert await read_for(sessions, query) <= READ


async def test_callbacks_of_an_endpoint_are_found(sessions: Sessions, large: str) -> None:
    """Among those of all others."""
    query = callbacks_of_tenant(large, endpoint_id=uuid4()).order_by(Callback.id.desc())
    assert await read_for(sessions, query) <= READ


async def test_events_of_a_time_are_found(sessions: Sessions, large: str) -> None:
    """Among those of all other times."""
    query = events_of(large, Wanted(None, None, None, LONG_AGO)).order_by(AuditEvent.id.desc())
    assert await read_for(sessions, query) <= READ


async def test_positions_in_the_queue_are_looked_up_by_the_runs_key(
    sessions: Sessions, large: str
) -> None:
    """An index of the tenant's customers, skipped through to each id, grows with the customers."""
    sql = _select_positions(1).sql.replace("%(tenant)s", "$1").replace("%(runs)s", "$2")
    async with sessions.raw_connection() as connection:
        explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {sql}"
        plain = await connection.execute(explain.encode(), prepare=False)
        found: Any = await plain.fetchone()
    [plan] = found["QUERY PLAN"]
    outer = [p for p in plan["Plan"]["Plans"] if p["Parent Relationship"] == "Outer"]
    assert {p["Index Name"] for p in outer or [plan["Plan"]]} == {"runs_pkey"}
