"""A preview of a policy says what last week's runs would have done under it, and stores nothing."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.core.connections import Sessions
from app.db.runs.plans import past_runs
from app.execution.wiring import Service
from app.services.tenants import policy as policies
from app.services.tenants import policy_preview
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.place import DOCUMENT, Place, opened
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles
NO_PLANS = {"alone": 0, "one_person": 0, "two_people": 0, "handed_over": 0, "answer_only": 0,
            "unknown": 0, "replies_wait": 0}  # fmt: skip


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


async def preview(place: Place, expected: int = 200, **fields: Any) -> Any:
    """What the API answers for these fields."""
    answer = await place.starter.post("/v1/policy/preview", json=fields)
    DOCUMENT.check(answer)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def trusted(sessions: Sessions, run_id: UUID) -> None:
    """Let the plan of the run be one that a model of the tenant's proposed."""
    proposer = """UPDATE steps SET output = jsonb_set(output, '{findings,billing,proposer}',
        '{"model": "gpt-of-theirs", "tier": "fast"}') WHERE run_id = :run AND node = 'billing'"""
    async with sessions.begin() as session:
        await session.execute(text(proposer), {"run": run_id})


async def test_a_higher_limit_lets_a_plan_go_alone(place: Place, sessions: Sessions) -> None:
    """With the run that differs, the reason that falls away, and nothing stored."""
    work = Workplace(place.service, place.tenant)
    run = await work.advance(await work.start())
    await trusted(sessions, run.id)
    found = await preview(place, refund_auto_limit={"USD": 5000})
    assert (found["version"], found["runs"], found["complete"]) == (0, 1, True)
    assert found["now"] == {**NO_PLANS, "one_person": 1}
    assert found["proposed"] == {**NO_PLANS, "alone": 1}
    [differs] = found["differing"]
    assert (differs["run_id"], differs["ticket_id"]) == (str(run.id), "T-1")
    assert differs["now"]["reasons"] == [
        "refunds of 49.00 USD in 24 hours exceed the limit of 0.00 USD"
    ]
    assert differs["proposed"] == {"plan": "alone", "reply_waits": False, "reasons": []}
    assert (await place.starter.get("/v1/policy")).json()["version"] == 0


async def test_each_rule_is_the_graphs_own(place: Place, sessions: Sessions) -> None:
    """Two people from a sum on, models that may not decide, thresholds, and drafts that wait."""
    work = Workplace(place.service, place.tenant)
    await trusted(sessions, (await work.advance(await work.start())).id)
    two = await preview(place, refund_second_approver_from={"USD": 4900})
    assert two["proposed"] == {**NO_PLANS, "two_people": 1}
    within: dict[str, Any] = {"refund_auto_limit": {"USD": 5000}}
    assert (await preview(place, **within))["proposed"]["alone"] == 1
    unknown_model = await preview(place, **within, auto_approve_models=["another"])
    assert unknown_model["proposed"]["one_person"] == 1
    assert unknown_model["differing_total"] == 0
    handed = await preview(place, anger_threshold=0)
    assert handed["proposed"] == {**NO_PLANS, "handed_over": 1}
    drafts = await preview(place, reply_mode={"default": "draft"})
    assert drafts["proposed"] == {**NO_PLANS, "one_person": 1, "replies_wait": 1}
    assert drafts["differing_total"] == 1


async def test_what_no_step_says_is_unknown(place: Place, sessions: Sessions) -> None:
    """A ticket that a threshold sent to a person was never planned; an alarm never depends."""
    work = Workplace(place.service, place.tenant)
    async with sessions.begin() as session:
        strict = Policy(anger_threshold=0)
        await policies.replace(session, place.tenant.id, strict, None)
    await work.advance(await work.start(ticket="T-angry"))
    await work.advance(await work.start("I want to talk to a person now", ticket="T-person"))
    found = await preview(place, anger_threshold=1)
    assert found["now"] == {**NO_PLANS, "handed_over": 2}
    assert found["proposed"] == {**NO_PLANS, "unknown": 1, "handed_over": 1}
    assert [one["ticket_id"] for one in found["differing"]] == ["T-angry"]


async def test_steps_of_an_earlier_release_are_unknown(place: Place, sessions: Sessions) -> None:
    """What the rules need and a step does not hold is no error, and no guess."""
    work = Workplace(place.service, place.tenant)
    run = await work.advance(await work.start())
    older = "UPDATE steps SET output = output #- '{triage,anger}' WHERE run_id = :run"
    async with sessions.begin() as session:
        await session.execute(text(older), {"run": run.id})
    found = await preview(place, refund_auto_limit={"USD": 5000})
    assert (found["now"], found["proposed"]) == ({**NO_PLANS, "unknown": 1},) * 2


async def test_only_customers_runs_of_the_week_count(place: Place, sessions: Sessions) -> None:
    """A rehearsal is none, one of before is none, and another tenant's neither."""
    work = Workplace(place.service, place.tenant)
    run = await work.advance(await work.start())
    await work.replay(run, "billing", dry_run=True)
    assert (await preview(place))["runs"] == 1
    old = policy_preview.LOOKED_BACK + timedelta(minutes=1)
    async with sessions() as session:
        [created] = await session.execute(
            text("SELECT created_at FROM runs WHERE id = :id"), {"id": run.id}
        )
        since = created[0] + old
        assert since - policy_preview.LOOKED_BACK > created[0]
        found = await past_runs(session, place.tenant.id, since - policy_preview.LOOKED_BACK, 10)
        assert found == []
        assert await past_runs(session, "another", created[0], 10) == []


async def test_a_stale_version_and_a_wrong_field_are_refused(place: Place) -> None:
    """As a change itself would be."""
    changed = await place.starter.patch("/v1/policy", json={"anger_threshold": 0.5})
    assert changed.status_code == 200
    assert (await preview(place, 412, version=0))["code"] == "stale-version"
    assert (await preview(place, version=1))["version"] == 1
    assert (await preview(place, 422, anger_threshold=7))["code"] == "invalid-request"
