"""One mail to two addresses is two tickets about one payment: the second one waits."""

from dataclasses import replace

import pytest

from app.db.effects.approvals import approvals_of_runs
from app.db.tables.runs import Run
from app.db.tenants.queries import add_policy
from app.execution.wiring import Service
from app.models.offline.chat_model import OfflineChatModel
from graphs.context import Models
from graphs.llm.pool import open_pool
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.fakes import ScriptedModel
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles

MAIL = "Please refund 10.00 USD of my Pro plan payment pay_1002."


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose configured model may refund up to 49.00 USD a day without a person."""
    chat = ScriptedModel()
    models = open_pool(Models(chat, chat, OfflineChatModel()))
    policy = Policy(refund_auto_limit={"USD": 4900})
    async with service.sessions.begin() as session:
        await add_policy(session, tenant.id, 1, policy.model_dump(mode="json"), "tests")
    return Workplace(replace(service, models=models), tenant)


async def gate_of(place: Workplace, run: Run) -> list[str]:
    """Why the run's newest approval is asked for."""
    async with place.service.sessions() as session:
        return (await approvals_of_runs(session, run.tenant_id, [run.id]))[-1].gate


async def test_second_ticket_about_a_payment_waits(place: Workplace) -> None:
    """Both are within the limit and asked for in the same words; money moves once."""
    first = await place.advance(await place.start(MAIL, ticket="T-support"))
    assert (first.status, first.outcome) == ("success", "acted")
    second = await place.advance(await place.start(MAIL, ticket="T-help"))
    assert second.status == "interrupted"
    why = "10.00 USD of payment pay_1002 went back within the last 7 days, in ticket T-support"
    assert why in await gate_of(place, second)
    assert await place.count("sandbox_refunds") == 1
    done = await place.decide(second)
    assert (done.outcome, await place.count("sandbox_refunds")) == ("acted", 2)


async def test_two_tickets_that_both_wait_name_each_other(place: Workplace) -> None:
    """The one that is agreed to second comes back with the reason before money moves."""
    mail = "Please refund pay_1001 and pay_1002."
    runs = [await place.advance(await place.start(mail, ticket=t)) for t in ("T-1", "T-2")]
    assert [run.status for run in runs] == ["interrupted", "interrupted"]
    assert (await place.decide(runs[0])).outcome == "acted"
    again = await place.decide(runs[1])
    assert again.status == "interrupted"
    assert await place.count("sandbox_refunds") == 2
