"""The graph when something fails: a person goes on, and nothing is reported that was not done."""

import asyncio
from typing import Any

import pytest
from langgraph.types import TimeoutPolicy

from graphs.llm.ask import RETRY
from graphs.suspend import AttemptLostError
from tests.fakes import FakeConversations, RefusingBilling, SilentBilling, SlowBilling
from tests.unit.desk import E42, SILENT, TWICE, Desk, article, claimed, desk, scripted
from tests.unit.test_graph import ANNUAL, SEATS
from tools.errors import RunLostError, UnavailableError
from tools.models import SentReply

OPENING = "What are your opening hours?"


def exchange_billing(opened: Desk, billing: RefusingBilling | SilentBilling | SlowBilling) -> None:
    """The same payments at a provider with a fault."""
    billing.by_customer = opened.world.billing.by_customer
    opened.world.billing = billing


async def test_specialists_of_one_ticket_run_in_parallel() -> None:
    """Two intents: both specialists in one superstep, one plan, one reply for both."""
    opened = desk("cus_ann", "upload-error-e42")
    paused = await opened.start(f"{TWICE} Also: {E42}")
    assert paused["triage"]["intents"] == ["billing", "technical"]
    assert ("billing", "technical") in [state.next for state in await opened.history()]
    done = await opened.decide("approve")
    assert (await opened.path()).count("plan") == 1
    assert "We have refunded 49.00 USD" in done["reply"]["text"]
    assert "Error E42 means" in done["reply"]["text"]
    assert done["reply"]["citations"] == ["upload-error-e42"]


async def test_failing_specialist_of_two_gives_its_part_to_a_person() -> None:
    """After its retries a person gets that part; the other part is done, and the reply says so."""
    opened = desk("cus_ann")
    opened.world.knowledge.down = True
    paused = await opened.start(f"{TWICE} Also: {E42}")
    assert len(opened.world.knowledge.queries) == 3
    assert [step["id"] for step in paused["plan"]["steps"]] == [
        "refund-pay_1002", "handoff-technical",
    ]  # fmt: skip
    done = await opened.decide("approve")
    assert (done["outcome"], opened.world.billing.calls) == ("acted", 1)
    assert "We have refunded 49.00 USD" in done["reply"]["text"]
    assert (
        "Mia from our team will look at your question about the technical problem."
        in (done["reply"]["text"])
    )
    [summary] = opened.world.conversations.summaries
    assert "Why: specialist_failed" in summary


async def test_ticket_goes_to_a_person_whole_when_no_part_has_an_answer() -> None:
    """One hand-off of everything, not one a part."""
    opened = desk("cus_unknown")
    opened.world.knowledge.down = True
    done = await opened.start(f"{TWICE} Also: {E42}")
    assert (done["outcome"], done["plan"]) == ("escalated", None)
    assert list(opened.world.conversations.handoffs) == [f"handoff:{opened.world.caller.run_id}"]


async def test_classify_that_never_answers_escalates() -> None:
    """Without a triage there is still a hand-off and a holding reply."""
    opened = desk("cus_bob")
    model = scripted(opened, Classification=[LookupError("a bug")])
    done = await opened.start(OPENING)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "node_failed")
    assert "classify failed: LookupError" in done["escalation"]["detail"]
    assert model.asked == ["Classification"], "a bug is not tried again"
    assert (done["handoff"]["skill"], done["handoff"]["urgency"]) == ("general", "normal")


@pytest.mark.parametrize(
    "line", [ConnectionError("the provider is down"), "no JSON at all"], ids=["down", "nonsense"]
)
async def test_last_attempt_asks_the_fallback_model(line: object) -> None:
    """A provider that is down, or talks nonsense, ends in a plan all the same: a person reads it.

    What is sent with no person involved has no such fallback: tests/unit/test_without_model.py.
    """
    opened = desk("cus_bob")
    model = scripted(opened, Proposal=[line])
    after = await opened.start(ANNUAL)
    assert model.asked.count("Proposal") == 2
    assert after["escalation"] is None
    assert after["plan"]["steps"]


async def test_redraft_corrects_what_check_objects_to() -> None:
    """The objections reach the model, and a clean second draft leaves."""
    opened = desk("cus_eva", "upload-error-e42")
    good = claimed("Your upload is larger than the storage that is left.")
    bad = claimed("Your upload is larger than 7 GB.")
    model = scripted(opened, Reply=[bad, good])
    done = await opened.start(E42)
    assert (done["outcome"], done["drafts"]) == ("answered", 2)
    assert done["reply"]["text"] == f"Hello,\n\n{good.claims[0].text}"
    first, second = [heard for name, heard in model.heard if name == "Reply"]
    assert "values: " not in first
    assert "values: " in second


async def test_two_redrafts_are_enough() -> None:
    """A model that keeps promising refunds is not asked a fourth time; a person answers."""
    opened = desk("cus_eva", "upload-error-e42")
    promise = claimed("We will refund you 500.00 USD.")
    model = scripted(opened, Reply=[promise])
    done = await opened.start(E42)
    assert model.asked.count("Reply") == 3
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_valid_reply")
    assert "500" not in done["reply"]["text"]
    assert done["refused_draft"]["claims"][0]["text"] == promise.claims[0].text
    assert (await opened.path())[-5:] == ["respond", "verify", "check", "escalate", "send"]


async def test_empty_draft_is_not_redrafted() -> None:
    """A model that says the facts do not answer is believed at once."""
    opened = desk("cus_eva", "upload-error-e42")
    model = scripted(opened, Reply=[SILENT])
    done = await opened.start(E42)
    assert model.asked.count("Reply") == 1
    assert done["escalation"]["detail"] == "The facts do not answer the ticket."


async def test_refused_step_ends_the_plan_and_the_reply_tells_only_what_was_done() -> None:
    """The first of three is refunded, the second refused: the third is not tried."""
    opened = desk("cus_max")
    billing = RefusingBilling({})
    billing.refused = frozenset({"pay_4002"})
    exchange_billing(opened, billing)
    await opened.start(SEATS)
    done = await opened.decide("approve")
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "step_failed")
    assert "pay_4002 is disputed" in done["escalation"]["detail"]
    assert billing.calls == 2
    written = done["reply"]["text"]
    assert "We have refunded 199.00 USD for Team seat September." in written
    assert "October" not in written
    assert "November" not in written
    assert "Done: refund_payment 199.00 USD" in opened.world.conversations.summaries[0]


@pytest.mark.parametrize("books", [True, False])
async def test_provider_that_does_not_answer_is_asked_by_key(books: bool) -> None:
    """The money moved: the run goes on. Its end is unknown: a person looks. Never a second call."""
    opened = desk("cus_ann")
    billing = SilentBilling({})
    billing.books = books
    exchange_billing(opened, billing)
    await opened.start(TWICE)
    done = await opened.decide("approve")
    assert billing.calls == 1
    assert done["outcome"] == ("acted" if books else "escalated")
    assert ("We have refunded" in done["reply"]["text"]) == books
    assert books or "outcome is unknown" in done["escalation"]["detail"]


async def test_step_that_takes_too_long_is_not_done_again() -> None:
    """The node's time is over before the provider answers: its retry reads the ledger."""
    opened = desk("cus_ann")
    exchange_billing(opened, slow := SlowBilling({}))
    opened.builder.nodes["act"].timeout = TimeoutPolicy(run_timeout=1.0)
    # Between the two tries the answer comes.
    opened.builder.nodes["act"].retry_policy = RETRY._replace(initial_interval=1.0, jitter=False)
    opened.compile()
    await opened.start(TWICE)
    asyncio.get_running_loop().call_later(1.2, slow.answer.set)
    done = await opened.decide("approve")
    assert (slow.calls, len(slow.refunds)) == (1, 1)
    assert done["outcome"] == "acted"


async def test_lost_run_stops_at_once() -> None:
    """A worker that no longer owns the run neither retries nor escalates: the other one does."""
    opened = desk("cus_ann")
    await opened.start(TWICE)
    opened.world.ledger.lost = True
    with pytest.raises(RunLostError):
        await opened.decide("approve")
    assert (opened.world.billing.calls, opened.world.conversations.keys) == (0, [])


class MuteConversations(FakeConversations):
    """Takes no reply for the first `deaf` times."""

    deaf = 0

    async def reply(self, *args: Any, **kwargs: Any) -> SentReply:
        if self.deaf > 0:
            self.deaf -= 1
            raise UnavailableError("the helpdesk does not answer")
        return await super().reply(*args, **kwargs)


async def test_reply_that_cannot_be_sent_brings_a_person() -> None:
    """After three attempts the ticket is handed over, and the holding reply is tried."""
    opened = desk("cus_eva")
    opened.world.knowledge.passages = [article("opening-hours")]
    opened.world.conversations = mute = MuteConversations()
    mute.deaf = 3
    done = await opened.start(OPENING)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "node_failed")
    assert len(mute.replies) == len(mute.handoffs) == 1


async def test_failure_after_the_hand_off_ends_the_run() -> None:
    """There is no one left to escalate to: the run is an error, never a loop."""
    opened = desk("cus_eva")
    opened.world.conversations = mute = MuteConversations()
    mute.deaf = 100
    with pytest.raises(UnavailableError):
        await opened.start("I want to speak to a manager")
    assert len(mute.handoffs) == 1
    assert 100 - mute.deaf == 3


async def test_runs_of_other_threads_do_not_meet() -> None:
    """Twenty tickets at once, each with its own world: each gets its own refund, once."""
    desks = [desk("cus_ann") for _ in range(20)]
    await asyncio.gather(*(opened.start(TWICE) for opened in desks))
    done = await asyncio.gather(*(opened.decide("approve") for opened in desks))
    assert [state["outcome"] for state in done] == ["acted"] * 20
    assert [opened.world.billing.calls for opened in desks] == [1] * 20


async def test_lost_attempt_leaves_the_node_to_the_next_one() -> None:
    """No handler hides it and no failure is stored: who has the run goes on with the refund."""
    opened = desk("cus_ann")
    await opened.start(TWICE)
    opened.world.ledger.lost = True
    with pytest.raises(AttemptLostError):
        await opened.decide("approve")
    assert opened.world.billing.calls == 0
    opened.world.ledger.lost = False
    done = await opened.advance(None)
    assert (done["outcome"], opened.world.billing.calls) == ("acted", 1)
