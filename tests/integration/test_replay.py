"""A replay begins at any step, on a thread of its own, and never does again what was done."""

import pytest

from app.db.effects.approvals import approvals_of_runs
from app.db.runs.queue import enqueue_run
from app.db.tables.runs import Run
from app.errors import InvalidRequestError, RunNotFinishedError
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.services.runs import replay
from app.services.runs.diff import diff, sides
from app.services.runs.replay import NewReplay
from tests.conftest import Tenant
from tests.integration.workplace import Workplace

E42 = "My upload fails with error E42. How do I fix it?"


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


async def acted(place: Workplace) -> Run:
    """A run that refunded and replied."""
    run = await place.decide(await place.advance(await place.start()))
    assert (run.status, run.outcome) == (RunStatus.SUCCESS, "acted")
    return run


@pytest.mark.parametrize(
    ("node", "dry_run"),
    [("classify", False), ("plan", False), ("send", False), ("plan", True), ("act", True)],
)
async def test_replay_from_any_step_repeats_no_effect(
    place: Workplace, node: str, dry_run: bool
) -> None:
    """The provider, the conversation and the ledger are as before; the first run's too."""
    first = await acted(place)
    before, steps = await place.effects(), len(await place.steps(first))
    again = await place.replay(first, node, dry_run=dry_run)
    if again.status is RunStatus.INTERRUPTED:
        assert not dry_run, "a dry run asks no person"
        again = await place.decide(again)
    assert again.status is RunStatus.SUCCESS, again.error
    assert await place.effects() == before
    assert len(await place.steps(first)) == steps
    assert (await place.steps(again))[0].node == node
    assert again.thread_id != first.thread_id
    assert again.replay_of == first.id


async def test_replayed_act_is_answered_from_the_ledger(place: Workplace) -> None:
    """No new approval is needed for what was done: the answer is the first one, word for word."""
    first = await acted(place)
    again = await place.replay(first, "act")
    assert (again.status, again.outcome) == (RunStatus.SUCCESS, "acted")
    assert again.result["reply"] == first.result["reply"], "what the customer read"
    results = [(await place.step(run, "act")).output for run in (first, again)]
    assert results[0] == results[1]


async def test_replay_from_the_gate_asks_again(place: Workplace) -> None:
    """The old yes is no yes for the replay, and its question is bound to the replay."""
    first = await acted(place)
    again = await place.replay(first, "approve")
    assert again.status is RunStatus.INTERRUPTED
    async with place.service.sessions() as session:
        old, new = await approvals_of_runs(session, first.tenant_id, [first.id, again.id])
    assert (new.run_id, new.status, new.decision) == (again.id, "pending", None)
    assert new.digest != old.digest


async def test_effect_that_was_never_done_needs_an_approval_of_its_own(place: Workplace) -> None:
    """Rejected at first: the replay refunds only after its own yes, and then once."""
    paused = await place.advance(await place.start())
    first = await place.decide(paused, "reject")
    assert first.outcome == "rejected"
    untouched = await place.effects()
    again = await place.replay(first, "approve")
    assert await place.effects() == untouched
    done = await place.decide(again)
    assert done.outcome == "acted"
    assert (await place.effects())["sandbox_refunds"] == 1
    assert (await place.effects())["messages"] == untouched["messages"], "one reply, the first"
    third = await place.replay(done, "act")
    assert third.outcome == "acted", "a replay of a replay knows what both did"
    assert (await place.effects())["sandbox_refunds"] == 1


async def test_other_words_find_another_way_and_nothing_leaves(place: Workplace) -> None:
    """A replaced text is classified again; the reply was sent once already, so it is no other."""
    first = await place.advance(await place.start(E42))
    assert first.outcome == "answered"
    before = await place.effects()
    again = await place.replay(first, "classify", ticket={"body": "I want to talk to a person."})
    assert (again.status, again.outcome) == (RunStatus.SUCCESS, "escalated")
    assert again.result["handoff"]["simulated"] is True
    assert await place.effects() == before


async def test_another_triage_chooses_the_way_again(place: Workplace) -> None:
    """Right after classify, the intents that the caller names are those that are followed."""
    first = await place.advance(await place.start(E42))
    asked = [step for step in await place.steps(first) if step.node in ("technical", "general")]
    again = await place.replay(first, asked[0].node, dry_run=True, triage={"intents": ["billing"]})
    assert (await place.steps(again))[0].node == "billing"


async def test_dry_run_of_a_paused_run_shows_its_end(place: Workplace) -> None:
    """The whole way is gone, marked as simulated; the open question stays open."""
    paused = await place.advance(await place.start())
    before = await place.effects()
    again = await place.replay(paused, "plan", dry_run=True)
    assert (again.status, again.outcome) == (RunStatus.SUCCESS, "acted")
    assert again.result["reply"]["simulated"] is True
    assert await place.effects() == before
    assert await place.count("approvals") == 1
    assert (await place.decide(paused)).outcome == "acted"


async def test_running_run_is_replayed_dry_or_not_at_all(place: Workplace) -> None:
    """What a live run may still do cannot be distinguished from what it did not do."""
    paused = await place.advance(await place.start())
    with pytest.raises(RunNotFinishedError):
        await place.replay(paused, "plan")


async def test_checkpoint_of_another_run_is_unknown(place: Workplace) -> None:
    """Two runs of one ticket share a thread, and no checkpoints."""
    first = await place.advance(await place.start(E42))
    second = await place.advance(await place.start(E42))
    theirs = await place.step(second, "classify")
    assert theirs.checkpoint_id is not None
    with pytest.raises(InvalidRequestError):
        await replay_at(place, first, theirs.checkpoint_id)


async def replay_at(place: Workplace, run: Run, checkpoint_id: str) -> Run:
    """A replay from a checkpoint of any run."""
    new = NewReplay(run.id, checkpoint_id, {}, dry_run=False, idempotency_key=None)
    async with place.service.sessions.begin() as session:
        return await replay.replay(session, enqueue_run, place.tenant.id, place.starter, new)


async def test_diff_tells_what_changed(place: Workplace) -> None:
    """Nodes before the replay's begin count for both; an equal replay differs in nothing."""
    first = await place.advance(await place.start(E42))
    same = await place.replay(first, "respond", dry_run=True)
    other = await place.replay(
        first, "classify", dry_run=True, ticket={"body": "I want to talk to a person."}
    )
    rows = {run.id: await place.steps(run) for run in (first, same, other)}
    equal = diff(*sides(first, rows[first.id], same, rows[same.id]))
    assert (equal["same"], equal["changed"], equal["draft"]) == (True, [], [])
    differs = diff(*sides(first, rows[first.id], other, rows[other.id]))
    assert {"outcome", "nodes", "draft"} <= set(differs["changed"])
    assert {"change": "added", "nodes": ["escalate"]} in differs["nodes"]
