"""What is read of a run between its decision and the worker that goes on with it."""

import pytest

from app.api.views.runs import show_run
from app.db.core.connections import Sessions
from app.db.effects.approvals import agreed_steps, approvals_of_runs, decision_for
from app.db.effects.ledger import effects_of_runs
from app.lifecycle import RunStatus
from app.settings import Settings
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.paused import Desk

pytestmark = pytest.mark.no_articles


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant whose runs are paused by hand."""
    return Desk(sessions, tenant, begin)


async def test_decided_run_shows_its_approval_while_it_waits(
    desk: Desk, sessions: Sessions
) -> None:
    """A pending run at its first attempt is not one that never asked."""
    run = await desk.pause()
    approval = await desk.approval(run)
    decided = await desk.decide(await desk.person("ann"), approval, "approve")
    assert (decided.status, decided.attempt) == (RunStatus.PENDING, 1)
    async with sessions() as session:
        shown = await show_run(session, await desk.run(run.id), Settings(_env_file=None))
    assert [(one.id, one.status) for one in shown.approvals] == [(approval.id, "approved")]


async def test_consent_of_one_tenant_is_none_in_another(desk: Desk, sessions: Sessions) -> None:
    """What people agreed to is read by tenant and run, so a run's id alone opens nothing."""
    run = await desk.pause()
    await desk.decide(await desk.person("ann"), await desk.approval(run), "approve")
    async with sessions() as session:
        assert await agreed_steps(session, run.tenant_id, run.id)
        assert await decision_for(session, run.tenant_id, run.id, "gate-1")
        assert await agreed_steps(session, "another", run.id) == []
        assert await decision_for(session, "another", run.id, "gate-1") is None
        assert await approvals_of_runs(session, "another", [run.id]) == []
        assert await effects_of_runs(session, "another", [run.id]) == []
