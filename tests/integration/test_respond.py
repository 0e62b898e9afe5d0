"""Guidance instead of an answer: newer messages are taken in, the next plan is asked anew."""

import operator
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from app.api.views.approvals import show_approvals
from app.db.core.connections import Sessions, open_saver_pool
from app.db.effects.approvals import approvals_of_runs, decision_for
from app.db.runs import transitions
from app.db.runs.merging import newer_messages
from app.errors import InvalidRequestError
from app.lifecycle import ApprovalStatus, RunStatus
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.boxes import gate_of
from tests.integration.conftest import WORKER, Begin
from tests.integration.paused import PLAN, Desk
from tests.unit.test_edits import REPLY
from tools.errors import ApprovalRequiredError
from tools.ledger import Call
from tools.ports import Caller


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
        assert await transitions.claim(session, newer[0].id, WORKER) is None


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
    """Nobody planned for it: it stays with its own run, and the reviewer has to say something."""
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
        claimed = await transitions.claim(session, run.id, WORKER)
    assert claimed is not None
    await desk.stop(claimed, "gate-2", round=1, changed=["Only one is wanted"])
    second = await desk.approval(run)
    assert second.id != first.id
    assert (second.round, second.changed) == (1, ["Only one is wanted"])
    async with desk.sessions() as session:
        assert await decision_for(session, run.id, "gate-2") is None
        assert await newer_messages(session, [second]) == {}
        assert len(await approvals_of_runs(session, [run.id])) == 2


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
        claimed = await transitions.claim(session, run.id, WORKER)
    assert claimed is not None
    await desk.stop(claimed, "gate-2", round=1)
    with pytest.raises(ApprovalRequiredError):
        await gate.permit(call)
    await desk.decide(ann, await desk.approval(run), "reject")
    with pytest.raises(ApprovalRequiredError):
        await gate.permit(call)
