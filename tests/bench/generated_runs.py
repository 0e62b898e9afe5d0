"""Rows of many runs that ended, and of paused ones: for benches of a large database.

Every row is a copy of what the service wrote for a run of its own. A run that ended is written as
the service does it, in batches: inserted as pending, claimed, ended; so the tables and indexes are
left as bloated as its updates leave them, with autovacuum at work. What hangs on the run (messages,
steps without their texts, calls of models) is inserted once. Nothing stands in for checkpoints and
events of runs that ended, which are pruned.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg

from app.db.core.connections import plain_dsn

BATCH = 5_000
DAYS = 60
# Half of the runs are of the tenant that is measured, the rest of 999 others, few of most.
MADE = """
    CREATE UNLOGGED TABLE made AS
    SELECT n, uuidv7(-(%(days)s * (%(count)s - n)::float / %(count)s) * interval '1 day') AS run,
        gen_random_uuid() AS thread,
        now() - (%(days)s * (%(count)s - n)::float / %(count)s) * interval '1 day' AS at,
        CASE WHEN n %% 2 = 0 THEN %(tenant)s
            ELSE 'other-' || floor(pow(%(tenants)s, random()))::int END AS tenant,
        CASE WHEN n %% 100 = 7 THEN 'cancelled' WHEN n %% 200 = 9 THEN 'error' ELSE 'success' END
            AS status
    FROM generate_series(1, %(count)s) AS n"""
OUTCOMES = "(ARRAY['answered','answered','answered','acted','asked','escalated','ignored'])"
OUTCOME = f"CASE WHEN m.status = 'success' THEN {OUTCOMES}[1 + m.n % 7] END"
FAILURE = """CASE WHEN m.status = 'error' THEN '{"type": "TimeoutError"}'::jsonb END"""
PENDING = {
    "id": "m.run", "tenant_id": "m.tenant", "thread_id": "m.thread", "ticket_id": "'V-' || m.n / 2",
    "customer_id": "'cus_' || m.n % 50000", "status": "'pending'", "outcome": "NULL",
    "summary": "'{}'", "error": "NULL", "attempt": "0", "started_at": "NULL", "finished_at": "NULL",
    "created_at": "m.at", "not_before": "m.at", "queued_at": "m.at", "trace_id": "NULL",
    "tokens": "0", "cost_usd": "0", "checkpoints_pruned_at": "NULL", "idempotency_key": "NULL",
}  # fmt: skip
CLAIM = """
    UPDATE runs SET status = 'running', attempt = 1, worker_id = 1, trace_id = gen_random_uuid(),
        started_at = m.at + interval '50 ms'
    FROM made m WHERE runs.id = m.run AND m.n BETWEEN %(first)s AND %(last)s"""
# Constants of this file.
END = f"""
    UPDATE runs SET status = m.status, outcome = {OUTCOME}, error = {FAILURE}, summary = t.summary,
        worker_id = NULL, tokens = 1000, cost_usd = 0, finished_at = m.at + interval '4 s',
        checkpoints_pruned_at = CASE WHEN m.at < now() - interval '30 days' THEN now() END
    FROM made m, runs t
    WHERE runs.id = m.run AND t.id = %(run)s AND m.n BETWEEN %(first)s AND %(last)s
""".replace("% 7]", "%% 7]")  # noqa: S608
OF_RUN: Mapping[str, dict[str, str]] = {
    "messages": {
        "tenant_id": "m.tenant", "ticket_id": "'V-' || m.n / 2", "run_id": "m.run",
        "key": "t.author || ':' || m.run", "created_at": "m.at",
    },
    "steps": {
        "tenant_id": "m.tenant", "run_id": "m.run", "started_at": "m.at", "input": "NULL",
        "output": "NULL",
    },
    "model_calls": {
        "id": "gen_random_uuid()", "tenant_id": "m.tenant", "run_id": "m.run", "started_at": "m.at",
    },
}  # fmt: skip
# What a run leaves in tables that have a list of their own.
BESIDES: Mapping[str, str] = {
    "handoffs": """
        INSERT INTO handoffs (id, tenant_id, key, ticket_id, skill, urgency, summary, status,
            created_at, closed_at)
        SELECT m.run, m.tenant, 'handoff:' || m.run, 'V-' || m.n / 2, 'general', 'normal', 'Brief',
            'closed', m.at, m.at + interval '1 h'
        FROM made m WHERE m.n %% 7 = 6 AND m.n BETWEEN %(first)s AND %(last)s""",
    "callbacks": """
        INSERT INTO callbacks (id, tenant_id, run_id, number, event, url, body, status, attempts,
            next_at, created_at, delivered_at)
        SELECT m.run, m.tenant, m.run, 1, 'run.finished', 'https://desk.example/hook', '{}',
            'delivered', 1, m.at, m.at, m.at
        FROM made m WHERE m.n BETWEEN %(first)s AND %(last)s""",
    "audit_events": """
        INSERT INTO audit_events (tenant_id, id, at, kind, actor, subjects, facts, content_sha256)
        SELECT m.tenant, m.run, m.at, 'effect.done', 'service', ARRAY['run:' || m.run], '{}', ''
        FROM made m WHERE m.n %% 4 = 0 AND m.n BETWEEN %(first)s AND %(last)s""",
}
TENANTS = """
    INSERT INTO tenants (id, name) SELECT 'other-' || n, 'Other ' || n
    FROM generate_series(1, %(tenants)s) AS n"""
COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_name = %s AND is_identity = 'NO' AND is_generated = 'NEVER'"""


class Model(NamedTuple):
    """The run of the service's own that is copied, and its tenant."""

    tenant_id: str
    run_id: str


def fill_runs(url: str, model: Model, count: int, tenants: int) -> Iterator[str]:
    """Write so many runs that ended; yields what was done after each table."""
    with psycopg.connect(plain_dsn(url), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        values = {"tenant": model.tenant_id, "run": model.run_id, "count": count}
        connection.execute(TENANTS.encode(), {"tenants": tenants - 1})
        made = {**values, "days": DAYS, "tenants": tenants - 1}
        connection.execute(MADE.encode(), made)
        connection.execute("CREATE INDEX ON made (n)")
        connection.execute("ANALYZE made")
        for name in ("runs", *OF_RUN, *BESIDES):
            statements = _statements(connection, name)
            for first in range(1, count + 1, BATCH):
                of_batch = {**values, "first": first, "last": first + BATCH - 1}
                for statement in statements:
                    connection.execute(statement.encode(), of_batch)
            yield name
        connection.execute("DROP TABLE made")


def _statements(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """What writes the rows of a batch."""
    if table in BESIDES:
        return [BESIDES[table]]
    if table == "runs":
        return [_copied(connection, table, PENDING, "t.id"), CLAIM, END]
    return [_copied(connection, table, OF_RUN[table], "t.run_id")]


def _copied(
    connection: psycopg.Connection[Any], table: str, changed: Mapping[str, str], of_run: str
) -> str:
    names = [name for (name,) in connection.execute(COLUMNS.encode(), (table,)).fetchall()]
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    # Names of columns and constants of this file.
    return f"""
        INSERT INTO {table} ({", ".join(names)}) SELECT {values.replace("%", "%%")}
        FROM made m, {table} t
        WHERE {of_run} = %(run)s AND m.n BETWEEN %(first)s AND %(last)s"""  # noqa: S608
