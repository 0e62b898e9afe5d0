"""The graph's silence: which runs end before a model, and which parts are a person's already."""

from typing import Any

import pytest

from graphs.conversation import ThreadView
from graphs.nodes.send import run_outcome
from graphs.policy import Policy
from graphs.quiet import UNKNOWN_THREAD, after_triage, nothing_to_answer, silenced
from graphs.state import Intent, Outcome, Triage, fresh_run
from tests.fakes import ScriptedModel
from tests.unit.desk import E42, Desk, desk, scripted, ticket
from tools.errors import SilencedError, TakenOverError, TooManyRepliesError
from tools.ledger import Call, Entry, Permit
from tools.models import JsonObject

AWAY = "I am out of the office until Monday and will respond when I return."


def triage(*intents: Intent, **values: Any) -> Triage:
    """A calm ticket with these intents."""
    calm: Triage = {
        "intents": list(intents), "parts": {}, "urgency": "normal", "anger": 0.0,
        "language": "en", "wants_human": False, "confidence": 0.9,
    }  # fmt: skip
    return {**calm, **values}  # type: ignore[typeddict-item]  # tests name the keys they change


def state_of(body: str, **thread: Any) -> Any:
    """A run's state at its start, on such a thread."""
    view: ThreadView = {**UNKNOWN_THREAD, **thread}  # type: ignore[typeddict-item]
    return {**fresh_run("r1", ticket(body), thread=view), "findings": {}}


async def handled(opened: Desk, body: str, **thread: Any) -> JsonObject:
    """A run of the whole graph on such a thread."""
    return await opened.advance(state_of(body, **thread) | {"findings": None})


async def test_noise_asks_no_model_and_changes_nothing() -> None:
    """The run ends behind classify."""
    opened = desk()
    model = scripted(opened)
    end = await handled(opened, AWAY)
    assert (end["outcome"], end["ignored"], end["draft"]) == ("ignored", "auto_reply", None)
    assert (await opened.path(), model.asked) == (["classify"], [])
    assert (opened.world.conversations.keys, opened.world.ledger.rows) == ([], {})


async def test_held_thread_is_silent_whatever_is_asked() -> None:
    """Also when a person is asked for again, which would name another colleague."""
    for body in (E42, "I want to speak to a human!", ""):
        opened = desk()
        end = await handled(opened, body, held=True)
        assert (end["outcome"], end["ignored"]) == ("ignored", "human_has_it"), body
        assert opened.world.conversations.keys == []


async def test_run_that_a_reviewer_sent_back_is_triaged() -> None:
    """A person wants it answered, whatever it looks like."""
    assert nothing_to_answer(state_of(AWAY), Policy()) is not None
    assert nothing_to_answer(state_of(AWAY) | {"guidance": ["Answer him."]}, Policy()) is None
    assert nothing_to_answer(state_of(E42, held=True) | {"round": 1}, Policy()) is None


@pytest.mark.parametrize(("sent", "goes_on"), [(0, True), (4, True), (5, False), (9, False)])
def test_thread_gets_so_many_replies(sent: int, *, goes_on: bool) -> None:
    """The policy's number, five by default."""
    found = nothing_to_answer(state_of(E42, replies_last_hour=sent), Policy())
    assert (found is None) == goes_on
    assert goes_on or found == {
        "escalation": {
            "reason": "too_many_replies",
            "detail": f"{sent} replies left within the last hour.",
        }
    }
    assert (
        nothing_to_answer(state_of(E42, replies_last_hour=sent), Policy(replies_per_thread_hour=10))
        is None
    )


@pytest.mark.parametrize(("sent", "goes_on"), [(19, True), (20, False)])
def test_slow_loop_ends_after_a_days_replies(sent: int, *, goes_on: bool) -> None:
    """Although each hour stays below its limit; a view of an older release counts none."""
    slow = state_of(E42, replies_last_hour=1, replies_last_day=sent)
    found = nothing_to_answer(slow, Policy())
    assert (found is None) == goes_on
    if found:
        assert found["escalation"]["detail"] == "20 replies left within the last day."
    assert nothing_to_answer(slow, Policy(replies_per_thread_day=21)) is None
    assert nothing_to_answer(state_of(E42, replies_last_hour=1), Policy()) is None


async def test_ticket_over_the_limit_is_handed_over_without_a_reply() -> None:
    """One hand-off, no holding reply."""
    opened = desk()
    end = await handled(opened, E42, replies_last_hour=5)
    assert (end["outcome"], end["reply"], end["ignored"]) == ("escalated", None, None)
    assert (len(opened.world.conversations.handoffs), opened.world.conversations.replies) == (1, {})


def test_part_that_a_person_has_is_theirs() -> None:
    """A message about nothing else is ignored; of one about more, the rest is looked into."""
    held = state_of(E42, parts=["billing"])
    assert after_triage(held, triage("billing")) == {
        "ignored": "human_has_it",
        "outcome": "ignored",
        "asked_about": None,
    }
    assert after_triage(held, triage("technical")) == {}
    both = after_triage(held, triage("billing", "technical"))
    assert list(both["findings"]) == ["billing"]
    assert "person has this part" in both["findings"]["billing"]["unsure"]
    assert after_triage(state_of(E42), triage("billing")) == {}


def test_model_and_code_must_agree_on_thanks() -> None:
    """Neither a model's word for a question nor code's for more than thanks is enough."""
    thanks = "Thank you, my boss is happy with the outcome"
    asks = triage("general")
    nothing = triage("general", nothing_asked=True)
    assert after_triage(state_of(thanks), nothing)["ignored"] == "thanks"
    assert after_triage(state_of(thanks), asks) == {}
    assert after_triage(state_of("Thanks, can you refund me?"), nothing) == {}
    assert after_triage(state_of("The export fails"), nothing) == {}


@pytest.mark.parametrize(
    ("outcome", "end"),
    [("answered", "ignored"), ("asked", "ignored"), ("acted", "acted"), ("escalated", "escalated")],
)
def test_taken_over_run_keeps_what_it_did(outcome: Outcome, end: Outcome) -> None:
    """Its reply is withheld; what was done stays its outcome."""
    found = silenced(state_of(E42), TakenOverError("Mia has it"), outcome)
    assert found == {"ignored": "human_has_it", "outcome": end}


def test_limit_at_the_last_moment_finds_a_person_once() -> None:
    """A run that has one ends; another one is handed over."""
    late = TooManyRepliesError("enough")
    assert silenced(state_of(E42), late, "answered")["escalation"]["reason"] == "too_many_replies"
    assert silenced(state_of(E42) | {"handoff": {"id": "h"}}, late, "escalated") == {
        "outcome": "escalated"
    }


@pytest.mark.parametrize("why", [TakenOverError("Mia has it"), TooManyRepliesError("enough")])
async def test_reply_that_is_refused_at_the_end_is_not_sent(why: SilencedError) -> None:
    """The ledger refuses it in its transaction; nothing is drafted or sent behind its back."""
    opened = desk("cus_ann", "upload-error-e42")

    async def begin(call: Call, permit: Permit | None) -> Entry:
        if call.tool == "send_reply":
            raise why
        return await first(call, permit)

    first = opened.world.ledger.begin
    opened.world.ledger.begin = begin  # type: ignore[method-assign]  # plays the database's fence
    end = await handled(opened, E42)
    taken = isinstance(why, TakenOverError)
    assert (end["outcome"], end["ignored"]) == (
        ("ignored", "human_has_it") if taken else ("escalated", None)
    )
    assert (end["reply"], opened.world.conversations.replies) == (None, {})
    assert len(opened.world.conversations.handoffs) == (0 if taken else 1)
    assert run_outcome(end) == ("answered" if taken else "escalated")  # type: ignore[arg-type]


async def test_headers_reach_no_model() -> None:
    """They hold what senders like, and no model needs them."""
    opened = desk("cus_ann", "upload-error-e42")
    model: ScriptedModel = scripted(opened)
    state = state_of(E42) | {"findings": None}
    state["ticket"]["headers"] = {"x-mailer": "quuxplugh"}
    state["ticket"]["set_apart"] = [{"kind": "quote", "text": "quuxplugh"}]
    await opened.advance(state)
    assert model.heard
    assert not [said for _, said in model.heard if "quuxplugh" in said]
