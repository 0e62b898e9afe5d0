"""Guidance instead of an answer: newer messages are taken in, the next plan is asked again."""

import hashlib
import json
import operator
from typing import Annotated, Any
from uuid import UUID

import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from sqlalchemy import update
from typing_extensions import TypedDict

from app.api.views.approvals import show_approvals
from app.db.core.connections import Sessions, open_saver_pool
from app.db.effects.approvals import approvals_of_runs, decision_for
from app.db.runs.merging import newer_messages
from app.db.runs.queue import enqueue_run
from app.db.tables.approvals_and_ledger import Approval
from app.errors import (
    AlreadyDecidedError,
    DeskgraphError,
    InvalidRequestError,
    StaleDigestError,
)
from app.lifecycle import ApprovalStatus, RunStatus
from app.services.approvals import decide
from app.services.approvals.decide import GivenAnswer, Verdict
from app.services.approvals.edit import StepEdit
from app.services.approvals.open_approval import digest_of, open_approval
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.boxes import gate_of
from tests.integration.claims import claim_one
from tests.integration.conftest import WORKER, Begin
from tests.integration.paused import PLAN, Desk
from tests.unit.test_edits import REPLY
from tools.errors import ApprovalRequiredError
from tools.ledger import Call
from tools.ports import Caller

pytestmark = pytest.mark.no_articles


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


class Rounds(TypedDict):
    """The answers so far."""

    answers: Annotated[list[str], operator.add]


async def ask(state: Rounds) -> dict[str, Any]:
    """Wait for an answer."""
    return {"answers": [interrupt("same question")]}


async def plan(state: Rounds) -> dict[str, Any]:
    """Plan again."""
    return {}


async def test_same_node_entered_again_asks_under_another_id(database_url: str) -> None:
    """The real saver: the old answer is never that of the new question, whatever is asked."""
    graph = StateGraph(Rounds)
    graph.add_node("plan", plan)
    graph.add_node("ask", ask)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "ask")
    again = {True: "plan", False: END}
    graph.add_conditional_edges("ask", lambda state: len(state["answers"]) < 3, again)  # type: ignore[arg-type]  # a bool is a key
    config: Any = {"configurable": {"thread_id": "rounds"}}
    ids = []
    async with open_saver_pool(database_url, 1) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        compiled = graph.compile(checkpointer=saver)
        following: Any = {"answers": []}
        for number in range(3):
            await compiled.ainvoke(following, config, durability="sync")
            [gate] = (await compiled.aget_state(config)).interrupts
            ids.append(gate.id)
            following = Command(resume={gate.id: f"answer {number}"})
        done = await compiled.ainvoke(following, config, durability="sync")
    assert len(set(ids)) == 3
    assert done["answers"] == ["answer 0", "answer 1", "answer 2"]


async def test_respond_takes_in_what_the_customer_wrote_since(desk: Desk) -> None:
    """Oldest first, with the guidance; the waiting runs are merged and never start."""
    run = await desk.pause()
    newer = [await desk.write(text) for text in ("Please hurry", "Only pay_4002")]
    elsewhere = await desk.write("Another ticket", ticket="T-2")
    approval = await desk.approval(run)
    async with desk.sessions() as session:
        shown = (await newer_messages(session, [approval]))[approval.id]
    assert [message.text for message in shown] == ["Please hurry", "Only pay_4002"]

    going = await desk.decide(await desk.person("Ann"), approval, "respond", comment="one only")
    assert going.status is RunStatus.PENDING
    closed = await desk.approval(run)
    assert closed.status is ApprovalStatus.RESPONDED
    assert closed.decision is not None
    assert closed.decision["messages"] == ["Please hurry", "Only pay_4002"]
    assert (closed.decision["comment"], closed.decision["steps"]) == ("one only", [])
    for waited in newer:
        merged = await desk.run(waited.id)
        assert (merged.status, merged.merged_into) == (RunStatus.CANCELLED, run.id)
        assert merged.finished_at is not None
    assert (await desk.run(elsewhere.id)).status is RunStatus.PENDING
    async with desk.sessions.begin() as session:
        assert await claim_one(session, newer[0].id, WORKER) is None


MAX, EVE = "cus_max", "cus_eve"


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ([(MAX, "one"), (EVE, "hers"), (MAX, "two")], ["one"]),
        ([(EVE, "hers"), (MAX, "one")], []),
        ([(MAX, f"n{number}") for number in range(25)], [f"n{number}" for number in range(19)]),
        ([(MAX, "x" * 30_000), (MAX, "y" * 20_000), (MAX, "z")], ["x" * 30_000]),
        ([(MAX, "x" * 30_000), (MAX, "é" * 19_995)], ["x" * 30_000, "é" * 19_995]),
    ],
    ids=["another customer between", "another customer first", "many", "long", "just fits"],
)
async def test_what_is_shown_is_what_is_taken(
    desk: Desk, written: list[tuple[str, str]], taken: list[str]
) -> None:
    """No word of another customer, none that would overtake theirs, no more than fits."""
    run = await desk.pause()
    for customer, text in written:
        await desk.write(text, customer=customer)
    approval = await desk.approval(run)
    async with desk.sessions() as session:
        [shown] = await show_approvals(session, [approval])
    assert [message.text for message in shown.newer_messages] == taken
    await desk.decide(await desk.person("Ann"), approval, "respond", comment="again")
    closed = await desk.approval(run)
    assert closed.decision is not None
    assert closed.decision["messages"] == taken


@pytest.mark.parametrize("verdict", ["approve", "edit", "reject"])
async def test_other_verdicts_leave_newer_messages_to_their_runs(desk: Desk, verdict: Any) -> None:
    """What was not taken into a plan is handled afterwards."""
    run = await desk.pause()
    newer = await desk.write("Please hurry")
    await desk.decide(await desk.person("Ann"), await desk.approval(run), verdict)
    left = await desk.run(newer.id)
    assert (left.status, left.merged_into) == (RunStatus.PENDING, None)


@pytest.mark.parametrize("comment", ["", "  \n"])
async def test_respond_says_something_or_takes_something_in(desk: Desk, comment: str) -> None:
    """Without guidance and without a newer message the next plan would be the same one."""
    run = await desk.pause()
    ann, approval = await desk.person("Ann"), await desk.approval(run)
    with pytest.raises(InvalidRequestError) as refused:
        await desk.decide(ann, approval, "respond", comment=comment)
    assert [error["pointer"] for error in refused.value.extra["errors"]] == ["/comment"]
    assert (await desk.approval(run)).status is ApprovalStatus.PENDING
    await desk.write("Please hurry")
    await desk.decide(ann, approval, "respond", comment=comment)
    assert (await desk.approval(run)).status is ApprovalStatus.RESPONDED


async def test_another_draft_takes_no_newer_message(desk: Desk) -> None:
    """No plan was made for it: it stays with its own run, and the reviewer has to say something."""
    run = await desk.pause(kind="reply", steps=[REPLY])
    newer = await desk.write("And refund pay_4002, too")
    ann, approval = await desk.person("Ann"), await desk.approval(run)
    async with desk.sessions() as session:
        [shown] = await show_approvals(session, [approval])
    assert shown.answer_schema["then"]["required"] == ["comment"]
    with pytest.raises(InvalidRequestError):
        await desk.decide(ann, approval, "respond")
    await desk.decide(ann, approval, "respond", comment="Shorter, please.")
    closed = await desk.approval(run)
    assert closed.decision is not None
    assert closed.decision["messages"] == []
    left = await desk.run(newer.id)
    assert (left.status, left.merged_into) == (RunStatus.PENDING, None)


async def test_next_plan_is_a_new_question(desk: Desk) -> None:
    """With a row, digest and answer of its own; messages taken in are not shown again."""
    run = await desk.pause()
    ann = await desk.person("Ann")
    await desk.write("Please hurry")
    first = await desk.approval(run)
    await desk.decide(ann, first, "respond")
    async with desk.sessions.begin() as session:
        claimed = await claim_one(session, run.id, WORKER)
    assert claimed is not None
    await desk.stop(claimed, "gate-2", round=1, changed=["Only one is wanted"])
    second = await desk.approval(run)
    assert second.id != first.id
    assert (second.round, second.changed) == (1, ["Only one is wanted"])
    async with desk.sessions() as session:
        assert await decision_for(session, run.tenant_id, run.id, "gate-2") is None
        assert await newer_messages(session, [second]) == {}
        assert len(await approvals_of_runs(session, run.tenant_id, [run.id])) == 2


async def asked_twice(desk: Desk, **gate: Any) -> tuple[Approval, Approval]:
    """A plan, and the one that a wish made of it: word for word the same, in the next round."""
    run = await desk.pause(**gate)
    first = await desk.approval(run)
    await desk.decide(await desk.person("Ann"), first, "respond", comment="Look again.")
    async with desk.sessions.begin() as session:
        claimed = await claim_one(session, run.id, WORKER)
    assert claimed is not None
    await desk.stop(claimed, "gate-2", **gate)
    return first, await desk.approval(run)


@pytest.mark.parametrize("verdict", ["approve", "edit", "reject", "respond"])
@pytest.mark.parametrize(
    "gate", [{}, {"required_approvers": 2}, {"kind": "reply", "steps": [REPLY], "round": 1}]
)
async def test_answer_to_an_earlier_question_is_no_answer_to_this_one(
    desk: Desk, verdict: Verdict, gate: dict[str, Any]
) -> None:
    """Though both show the same: the id and the digest of the first, together or apart."""
    first, second = await asked_twice(desk, **gate)
    assert (first.steps, first.changed) == (second.steps, second.changed)
    assert first.digest != second.digest
    ben = await desk.person("Ben")
    stale: list[tuple[UUID, str, type[DeskgraphError]]] = [
        (second.id, first.digest, StaleDigestError),
        (first.id, first.digest, AlreadyDecidedError),
        (first.id, second.digest, AlreadyDecidedError),
    ]
    for approval_id, digest, refusal in stale:
        answer = GivenAnswer(approval_id, digest, verdict, (), "Fine.")
        async with desk.sessions.begin() as session:
            with pytest.raises(refusal):
                await decide.resume(session, enqueue_run, ben, second.run_id, answer)
    now = await desk.approval(await desk.run(second.run_id))
    assert (now.status, now.answers) == (ApprovalStatus.PENDING, 0)


def digest_of_old(run_id: UUID, steps: list[Any], changed: list[str]) -> str:
    """The digest as it was made before it named the approval."""
    shown = {"kind": "plan", "run_id": str(run_id), "steps": steps, "changed": changed}
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("verdict", ["approve", "edit"])
async def test_approval_from_before_keeps_the_digest_it_showed(
    desk: Desk, people: int, verdict: Verdict
) -> None:
    """Who read it may still answer with it; an edit makes a digest of today."""
    run = await desk.pause(required_approvers=people)
    approval = await desk.approval(run)
    old = digest_of_old(run.id, PLAN, [])
    async with desk.sessions.begin() as session:
        one = update(Approval).where(Approval.id == approval.id)
        await session.execute(one.values(digest=old))
    edits = [StepEdit("refund-pay_1", {"amount_minor": 1}, drop=False)] if verdict == "edit" else []
    for name in ("Ann", "Ben")[:people]:
        shown = await desk.approval(run)
        assert (shown.digest == old) is (name == "Ann" or verdict == "approve")
        given = edits if name == "Ann" else []
        await desk.decide(await desk.person(name), shown, "edit" if given else "approve", *given)
    closed = await desk.approval(run)
    assert closed.status == ("edited" if verdict == "edit" else "approved")


async def test_interrupt_from_before_is_asked_under_a_digest_of_today(desk: Desk) -> None:
    """A checkpoint may still hold a digest of its own, and may lack what was added later."""
    caller = await desk.begin()
    run = await desk.run(caller.run_id)
    old = digest_of_old(run.id, PLAN, [])
    question = {
        "kind": "plan", "verdicts": ["approve"], "expires_in_seconds": 60, "steps": PLAN,
        "gate": [], "digest": old,
    }  # fmt: skip
    async with desk.sessions.begin() as session:
        await open_approval(session, run, "gate-1", question, None)
    opened = await desk.approval(run)
    assert (opened.required_approvers, opened.changed, opened.round) == (1, [], 0)
    assert opened.digest == digest_of(opened) != old


async def test_newer_question_ends_what_was_agreed_before(desk: Desk) -> None:
    """A plan that came back to people is never carried out by the old yes."""
    run = await desk.pause()
    ann = await desk.person("Ann")
    caller = Caller(run.tenant_id, run.customer_id, run.ticket_id, run.id, run.attempt)
    gate = gate_of(desk.sessions, caller, Policy())
    call = Call("refund_payment", "k", PLAN[0]["args"], PLAN[0]["id"], 60_000, "USD")
    await desk.decide(ann, await desk.approval(run), "approve")
    assert (await gate.permit(call)).approval_id
    async with desk.sessions.begin() as session:
        claimed = await claim_one(session, run.id, WORKER)
    assert claimed is not None
    await desk.stop(claimed, "gate-2", round=1)
    with pytest.raises(ApprovalRequiredError):
        await gate.permit(call)
    await desk.decide(ann, await desk.approval(run), "reject")
    with pytest.raises(ApprovalRequiredError):
        await gate.permit(call)
