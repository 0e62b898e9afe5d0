"""Two different people must agree to exactly the same plan; anyone may stop it."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest

from app.db.core.connections import Sessions
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.db.tenants.queries import revoke_key
from app.errors import (
    AlreadyDecidedError,
    ApprovalExpiredError,
    DeskgraphError,
    OverLimitError,
    OwnRunError,
    SecondApproverError,
    StaleDigestError,
    VerdictNotAllowedError,
)
from app.lifecycle import ApprovalStatus, RunStatus
from app.services.approvals.decide import Verdict
from app.services.approvals.edit import StepEdit
from app.services.approvals.open_approval import digest_of
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.boxes import gate_of
from tests.integration.conftest import Begin
from tests.integration.paused import PLAN, Desk
from tools.errors import ApprovalRequiredError
from tools.ledger import Call
from tools.ports import Caller

pytestmark = pytest.mark.no_articles

# A lock decides each race: what goes wrong without it shows in far fewer.
RACES = 12

ALL: tuple[Verdict, ...] = ("approve", "edit", "reject", "respond")
LOWERED = StepEdit("refund-pay_1", {"amount_minor": 10_000}, drop=False)
DROPPED = StepEdit("refund-pay_2", {}, drop=True)


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


async def opened(desk: Desk, approvers: int = 2) -> tuple[Run, Approval]:
    """A run that waits for that many people."""
    run = await desk.pause(required_approvers=approvers)
    return run, await desk.approval(run)


async def test_plan_goes_on_once_two_agree(desk: Desk) -> None:
    """After the first yes nothing moves; after the second the graph is given both names."""
    run, approval = await opened(desk)
    ann, ben = await desk.person("Ann"), await desk.person("Ben")
    waiting = await desk.decide(ann, approval, "approve", comment="duplicate")
    assert waiting.status is RunStatus.INTERRUPTED
    now = await desk.approval(run)
    assert (now.status, now.decision, now.digest) == (
        ApprovalStatus.PENDING, None, approval.digest,
    )  # fmt: skip
    assert [d.decided_by for d in await desk.decisions(now)] == ["Ann"]

    going = await desk.decide(ben, now, "approve", comment="seen it")
    assert going.status is RunStatus.PENDING
    closed = await desk.approval(run)
    assert closed.status is ApprovalStatus.APPROVED
    assert closed.decision == {
        "approval_id": str(approval.id),
        "verdict": "approve",
        "steps": PLAN,
        "comment": "duplicate\nseen it",
        "decided_by": f"Ann ({ann.id}), Ben ({ben.id})",
        "deciders": [
            {"key_id": ann.id, "name": "Ann", "on_behalf_of": None},
            {"key_id": ben.id, "name": "Ben", "on_behalf_of": None},
        ],
        "messages": [],
    }


async def test_gate_permits_nothing_after_the_first_of_two(desk: Desk) -> None:
    """The gate opens with the second yes, not before."""
    run, approval = await opened(desk)
    caller = Caller(run.tenant_id, run.customer_id, run.ticket_id, run.id, run.attempt)
    gate = gate_of(desk.sessions, caller, Policy())
    args = PLAN[0]["args"]
    call = Call("refund_payment", "k", args, PLAN[0]["id"], args["amount_minor"], "USD")
    for name in ("Ann", "Ben"):
        with pytest.raises(ApprovalRequiredError):
            await gate.permit(call)
        await desk.decide(await desk.person(name), approval, "approve")
    assert (await gate.permit(call)).approval_id == approval.id


async def test_second_approver_is_another_key(desk: Desk) -> None:
    """The same click twice is 409 with the decision; any other yes of the same key is 403."""
    _, approval = await opened(desk)
    ann = await desk.person("Ann")
    await desk.decide(ann, approval, "approve", comment="once")
    with pytest.raises(AlreadyDecidedError) as refused:
        await desk.decide(ann, approval, "approve")
    assert refused.value.extra["decision"] == {
        "verdict": "approve", "comment": "once",
        "decided_by": {"key_id": ann.id, "name": "Ann", "on_behalf_of": None},
    }  # fmt: skip
    with pytest.raises(SecondApproverError):
        await desk.decide(ann, approval, "edit", LOWERED)
    assert len(await desk.decisions(approval)) == 1


async def test_second_key_of_one_person_is_no_second_person(desk: Desk) -> None:
    """Two keys of one name: the second yes is refused, and a repeat shows the first answer."""
    run, approval = await opened(desk)
    await desk.decide(await desk.person("Ann"), approval, "approve", comment="once")
    again = await desk.person("ANN ")
    with pytest.raises(AlreadyDecidedError):
        await desk.decide(again, approval, "approve")
    with pytest.raises(SecondApproverError):
        await desk.decide(again, approval, "edit", LOWERED)
    await desk.decide(await desk.person("Ben"), approval, "approve")
    assert (await desk.approval(run)).status is ApprovalStatus.APPROVED


async def test_edit_of_the_first_is_what_the_second_agrees_to(desk: Desk) -> None:
    """The digest changes with the steps; who read the old plan has to read again."""
    run, approval = await opened(desk)
    ann, ben = await desk.person("Ann"), await desk.person("Ben")
    await desk.decide(ann, approval, "edit", LOWERED, DROPPED)
    shown = await desk.approval(run)
    assert [step["args"]["amount_minor"] for step in shown.steps] == [10_000]
    assert shown.digest == digest_of(shown)
    assert shown.changed == [
        "Ann changed amount_minor of refund-pay_1 from 60000 to 10000",
        "Ann dropped refund-pay_2",
    ]
    assert shown.digest != approval.digest
    with pytest.raises(AlreadyDecidedError):  # Ann's second click, on what she saw
        await desk.decide(ann, approval, "edit", LOWERED, DROPPED)
    with pytest.raises(SecondApproverError):  # Ann, on her own plan
        await desk.decide(ann, shown, "approve")
    with pytest.raises(StaleDigestError):
        await desk.decide(ben, approval, "approve")

    await desk.decide(ben, shown, "approve")
    closed = await desk.approval(run)
    assert closed.status is ApprovalStatus.EDITED
    assert closed.decision is not None
    assert (closed.decision["verdict"], closed.decision["steps"]) == ("edit", shown.steps)


async def test_edit_of_the_second_needs_the_first_again(desk: Desk) -> None:
    """No person has agreed to a plan that another changed afterwards."""
    run, approval = await opened(desk)
    ann, ben = await desk.person("Ann"), await desk.person("Ben")
    await desk.decide(ann, approval, "approve")
    await desk.decide(ben, approval, "edit", LOWERED)
    shown = await desk.approval(run)
    assert shown.status is ApprovalStatus.PENDING
    with pytest.raises(SecondApproverError):
        await desk.decide(ben, shown, "approve")
    await desk.decide(ann, shown, "approve")
    closed = await desk.approval(run)
    assert closed.decision is not None
    assert closed.decision["decided_by"] == f"Ben ({ben.id}), Ann ({ann.id})"
    assert closed.decision["steps"][0]["args"]["amount_minor"] == 10_000


async def test_corrected_plan_may_be_agreed_to_as_it_is(desk: Desk) -> None:
    """A plan that no longer fits takes no plain yes, but what the first made of it does."""
    fits_no_more: Any = {"verdicts": ["edit", "reject"], "changed": ["refund-pay_2: nothing left"]}
    run = await desk.pause(required_approvers=2, **fits_no_more)
    ann, ben = await desk.person("Ann"), await desk.person("Ben")
    with pytest.raises(VerdictNotAllowedError):
        await desk.decide(ann, await desk.approval(run), "approve")
    await desk.decide(ann, await desk.approval(run), "edit", DROPPED)
    shown = await desk.approval(run)
    assert shown.verdicts == ["approve", "edit", "reject"]
    assert shown.changed == ["refund-pay_2: nothing left", "Ann dropped refund-pay_2"]
    await desk.decide(ben, shown, "approve")
    assert (await desk.approval(run)).status is ApprovalStatus.EDITED


@pytest.mark.parametrize("verdict", ["reject", "respond"])
@pytest.mark.parametrize("who", ["Ann", "Ben"])
async def test_one_no_is_enough(desk: Desk, verdict: Verdict, who: str) -> None:
    """At once, also from the one who said yes before."""
    run, approval = await opened(desk)
    people = {name: await desk.person(name) for name in ("Ann", "Ben")}
    await desk.decide(people["Ann"], approval, "approve")
    going = await desk.decide(people[who], approval, verdict, comment="no")
    assert going.status is RunStatus.PENDING
    closed = await desk.approval(run)
    assert closed.decision is not None
    assert closed.status == {"reject": "rejected", "respond": "responded"}[verdict]
    assert (closed.decision["verdict"], closed.decision["steps"]) == (verdict, [])
    assert closed.decision["decided_by"] == f"{who} ({people[who].id})"


async def test_limits_of_both_hold(desk: Desk) -> None:
    """A plan above the second's limit waits for another person."""
    run, approval = await opened(desk)
    small = await desk.person("Small", {"USD": 64_899})
    with pytest.raises(OverLimitError):
        await desk.decide(small, approval, "approve")
    await desk.decide(await desk.person("Ann"), approval, "approve")
    with pytest.raises(OverLimitError):
        await desk.decide(small, approval, "approve")
    await desk.decide(await desk.person("Ben", {"USD": 64_900}), approval, "approve")
    assert (await desk.run(run.id)).status is RunStatus.PENDING


async def test_starter_of_a_merged_run_may_not_decide_either(desk: Desk) -> None:
    """Whose message went into the plan is one of those who started it."""
    run = await desk.pause()
    newer = await desk.write("And the other one too")
    approval = await desk.approval(run)
    await desk.decide(await desk.person("Ann"), approval, "respond")
    async with desk.sessions() as session:
        helpdesk = await session.get(type(await desk.person("x")), newer.started_by)
    assert helpdesk is not None
    with pytest.raises(OwnRunError):
        await desk.decide(helpdesk, approval, "approve")


async def test_agreement_of_a_revoked_key_does_not_count(desk: Desk) -> None:
    """Once the first of two is revoked, two others must agree, and only they are named."""
    run, approval = await opened(desk)
    ann, ben, cid = [await desk.person(name) for name in ("Ann", "Ben", "Cid")]
    await desk.decide(ann, approval, "edit", LOWERED)
    async with desk.sessions.begin() as session:
        assert await revoke_key(session, desk.tenant.id, ann.id)
    shown = await desk.approval(run)
    waiting = await desk.decide(ben, shown, "approve")
    assert waiting.status is RunStatus.INTERRUPTED
    await desk.decide(cid, await desk.approval(run), "approve")
    closed = await desk.approval(run)
    assert closed.decision is not None
    assert closed.decision["decided_by"] == f"Ben ({ben.id}), Cid ({cid.id})"
    assert closed.decision["verdict"] == "edit", "Ann's edit is in the plan that they agreed to"


async def test_half_agreed_plan_expires(desk: Desk) -> None:
    """One of two is not enough when the time is over."""
    _, approval = await opened(desk)
    await desk.decide(await desk.person("Ann"), approval, "approve")
    async with desk.sessions.begin() as session:
        late = await session.get(Approval, approval.id)
        assert late is not None
        late.expires_at = late.created_at
    with pytest.raises(ApprovalExpiredError):
        await desk.decide(await desk.person("Ben"), approval, "approve")


async def outcomes(*answers: Coroutine[Any, Any, Run]) -> Counter[str]:
    """How often each code, or `taken`, came of answers at the same instant."""
    results = await asyncio.gather(*answers, return_exceptions=True)
    codes: list[str] = []
    for result in results:
        if isinstance(result, BaseException):
            assert isinstance(result, DeskgraphError), result
            codes.append(result.code)
        else:
            codes.append("taken")
    return Counter(codes)


async def test_first_approvals_at_the_same_instant(desk: Desk) -> None:
    """Of two keys they are two, of one key they are one; RACES times."""
    run, approval = await opened(desk)
    ann, ben = [await desk.person(name) for name in ("Ann", "Ben")]
    for _ in range(RACES):
        clicks = [desk.decide(who, approval, "approve") for who in (ann, ben, ann)]
        assert await outcomes(*clicks) == {"taken": 2, "already-decided": 1}
        assert (await desk.approval(run)).status is ApprovalStatus.APPROVED
        keys = [decision.key_id for decision in await desk.decisions(approval)]
        assert sorted(keys) == sorted([ann.id, ben.id])
        await desk.ask_again(run)


async def test_one_key_is_never_both_approvers(desk: Desk) -> None:
    """However fast it clicks: one answer counts and the plan still waits; RACES times."""
    run, approval = await opened(desk)
    ann = await desk.person("Ann")
    for _ in range(RACES):
        clicks = [desk.decide(ann, approval, "approve") for _ in range(3)]
        assert await outcomes(*clicks) == {"taken": 1, "already-decided": 2}
        assert (await desk.approval(run)).status is ApprovalStatus.PENDING
        await desk.ask_again(run)


async def test_yes_and_an_edit_at_the_same_instant_are_never_one_plan(desk: Desk) -> None:
    """Either the edit comes first and the yes is stale, or the yes is worthless; RACES times."""
    run, approval = await opened(desk)
    ann, ben = [await desk.person(name) for name in ("Ann", "Ben")]
    for _ in range(RACES):
        seen = await outcomes(
            desk.decide(ann, approval, "approve"), desk.decide(ben, approval, "edit", LOWERED)
        )
        assert seen in ({"taken": 2}, {"taken": 1, "stale-digest": 1})
        now = await desk.approval(run)
        assert (now.status, now.steps[0]["args"]["amount_minor"]) == ("pending", 10_000)
        await desk.ask_again(run)


async def test_only_one_of_many_answers_closes_a_plan_for_one(desk: Desk) -> None:
    """Approve, edit, reject and respond at once: one is taken, the others read which."""
    run, approval = await opened(desk, approvers=1)
    people = [await desk.person(name) for name in ("Ann", "Ben", "Cid", "Dee")]
    for _ in range(RACES):
        answers = [
            desk.decide(who, approval, verdict, comment="c")
            for who, verdict in zip(people, ALL, strict=True)
        ]
        assert await outcomes(*answers) == {"taken": 1, "already-decided": 3}
        [decision] = await desk.decisions(approval)
        closed = await desk.approval(run)
        assert closed.decision is not None
        assert closed.decision["verdict"] == decision.verdict
        await desk.ask_again(run)
