"""While a table is nearly empty all of its indexes look the same, and a plan of that time stays."""

import pytest
from sqlalchemy import text

from app.db.conversations.summaries import count_unsummarized
from app.db.core.compiled import RawConnection
from app.db.effects.ledger import effects_of_runs
from app.db.runs.queries import read_run
from app.db.tables.runs import Run
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.queued_runs import start

pytestmark = pytest.mark.no_articles

READ = """
SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS n
FROM pg_stat_xact_user_tables WHERE relname = 'runs'"""
COPY = text("""
INSERT INTO runs (id, tenant_id, thread_id, ticket_id, customer_id, ticket, policy_version,
    started_by, request_sha256)
SELECT gen_random_uuid(), tenant_id, gen_random_uuid(), 'Y-' || n, 'y-' || n, '{}',
    policy_version, started_by, ''
FROM runs, generate_series(1, 500) AS n""")


async def looked_up(connection: RawConnection, tenant: Tenant, run: Run) -> int:
    """How many rows of runs are read to show one, to find its effects and what is unsummarised."""
    async with connection.transaction():
        assert await read_run(connection, tenant.id, run.id) is not None
        assert await effects_of_runs(connection, tenant.id, [run.id]) == []
        assert await count_unsummarized(connection, run, 10) == 0
        row = await (await connection.execute(READ)).fetchone()
    assert row is not None
    return int(row["n"])


async def test_plans_of_an_empty_table_find_rows_by_their_key(own: tuple[Service, Tenant]) -> None:
    """The same connection, with 500 runs of the tenant that nothing has counted."""
    service, tenant = own
    run = await start(service.sessions, tenant, "T-1")
    async with service.sessions.raw_connection() as connection:
        first = await looked_up(connection, tenant, run)
        async with service.sessions.begin() as session:
            await session.execute(COPY)
        assert await looked_up(connection, tenant, run) <= first + 5
