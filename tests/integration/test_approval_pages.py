"""A page of approvals costs what it shows, however many wait."""

from uuid import UUID

import pytest
from sqlalchemy import text

from app.api.http.pagination import Cursors
from app.api.views.approvals import show_approvals
from app.db.core.connections import Sessions
from app.db.effects.approvals import approvals_of_tenant
from app.db.tables.approvals_and_ledger import Approval
from app.lifecycle import ApprovalStatus
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.paused import Desk
from tests.integration.reads import rows_read

pytestmark = pytest.mark.no_articles

MANY = """
    INSERT INTO approvals (id, tenant_id, run_id, ticket_id, interrupt_id, kind, steps, gate,
        digest, verdicts, expires_at)
    SELECT gen_random_uuid(), tenant_id, run_id, ticket_id, 'more-' || i, kind, steps, gate,
        digest, verdicts, expires_at
    FROM approvals, generate_series(1, 3000) AS i WHERE run_id = :run"""


@pytest.mark.parametrize("table", ["approvals", "runs", "decisions", "messages"])
async def test_a_page_reads_little_more_than_it_shows(
    sessions: Sessions, tenant: Tenant, begin: Begin, table: str
) -> None:
    """The first page and the second, of three thousand that wait."""
    run = await Desk(sessions, tenant, begin).pause()
    query = approvals_of_tenant(tenant.id, ApprovalStatus.PENDING)
    cursor: str | None = None
    async with sessions() as session:
        await session.execute(text(MANY), {"run": run.id})
        await session.execute(text("ANALYZE approvals"))
        # A table of sixty rows is rightly read whole: what counts is the way through its indexes.
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        for _ in range(2):
            before = await rows_read(session, table)
            rows, cursor = await Cursors("secret").page(
                session, query, Approval.id, scope=["all"], cursor=cursor, limit=20, read=UUID
            )
            assert len(await show_approvals(session, rows)) == 20
            assert await rows_read(session, table) - before <= 100
