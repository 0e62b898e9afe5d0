"""People and money: no edit raises, no click counts twice, no person is both of two approvers."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from app.db.core.connections import Sessions
from app.db.runs.queue import enqueue_run
from app.db.tables.tenants import ApiKey
from app.errors import (
    AlreadyDecidedError,
    EditNotAllowedError,
    OwnRunError,
    SecondApproverError,
    StaleDigestError,
)
from app.services.approvals import decide
from app.services.approvals.decide import GivenAnswer
from app.services.approvals.edit import StepEdit
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.paused import Desk
from tests.integration.test_money_tricks import NO_AMOUNTS

pytestmark = pytest.mark.no_articles


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


async def test_edit_only_lowers_and_only_amounts(desk: Desk) -> None:
    """Other spellings, other payments, other currencies: 422, and the plan stays as it was."""
    run, ann = await desk.pause(), await desk.person("Ann")
    approval = await desk.approval(run)
    changes: list[dict[str, Any]] = [
        {"amount_minor": amount} for amount in (*NO_AMOUNTS, 60_001, 6e4, 59_999.0)
    ]
    others: list[dict[str, Any]] = [
        {"currency": "JPY"},
        {"payment_id": "pay_4002"},
        {"reason": "x"},
        {"customer_id": "cus_bob"},
        {"amount_minor": 1, "currency": "USD"},
    ]
    for changed in (*changes, *others):
        edit = StepEdit("refund-pay_1", changed, drop=False)
        with pytest.raises(EditNotAllowedError):
            await desk.decide(ann, approval, "edit", edit)
    now = await desk.approval(run)
    assert (now.status, now.steps, await desk.decisions(now)) == ("pending", approval.steps, [])


async def test_one_step_is_not_edited_twice(desk: Desk) -> None:
    """Two edits of a step, of which the second one raises, are refused together."""
    run, ann = await desk.pause(), await desk.person("Ann")
    edits = [StepEdit("refund-pay_1", {"amount_minor": n}, drop=False) for n in (1, 10**9)]
    approval = await desk.approval(run)
    with pytest.raises(EditNotAllowedError):
        await desk.decide(ann, approval, "edit", *edits)
    assert (await desk.approval(run)).status == "pending"


async def test_starter_same_person_double_click_and_old_digest(
    desk: Desk, sessions: Sessions
) -> None:
    """No person agrees to their own run, for two, twice, or to what they did not read."""
    run = await desk.pause(required_approvers=2)
    approval = await desk.approval(run)
    ann = await desk.person("Ann")
    async with sessions() as session:
        starter = await session.get(ApiKey, desk.tenant.starter.split("_")[1])
    assert starter is not None
    with pytest.raises(OwnRunError):
        await desk.decide(starter, approval, "approve")
    with pytest.raises(StaleDigestError):
        await answered(desk, ann, run.id, GivenAnswer(approval.id, "0" * 64, "approve", (), ""))
    clicks = [desk.decide(ann, approval, "approve") for _ in range(5)]
    results = await asyncio.gather(*clicks, return_exceptions=True)
    counts = Counter(type(result).__name__ for result in results)
    assert counts == {"Run": 1, AlreadyDecidedError.__name__: 4}
    lowered = StepEdit("refund-pay_1", {"amount_minor": 1}, drop=False)
    with pytest.raises(SecondApproverError):
        await desk.decide(ann, approval, "edit", lowered)
    assert (await desk.approval(run)).status == "pending"


async def answered(desk: Desk, who: ApiKey, run_id: UUID, answer: GivenAnswer) -> None:
    """Decide with whatever digest the answer has."""
    async with desk.sessions.begin() as session:
        await decide.resume(session, enqueue_run, who, run_id, answer)
