"""Replies that are given again: what is kept of a run, and what the next customer gets."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from langgraph.types import Command

from graphs.conversation import Memory, PastTicket
from graphs.policy import Policy, ReplyMode
from graphs.reply.reusable_answer import NAME_HERE, reusable, tells_of, with_name, without_name
from graphs.run.memory import read_memory
from graphs.state import SupportState, fresh_run
from tests.unit.desk import E42, TWICE, Desk, desk, scripted, ticket
from tools.models import JsonObject

REPLY = "Hello Ann Lee,\n\nUploads above 2 GB fail with E42."


async def answered(name: str | None = "Ann Lee") -> tuple[Desk, JsonObject]:
    """A run that an article answered."""
    opened = desk("cus_ann", "upload-error-e42")
    done = await opened.advance(fresh_run("1", ticket(E42, name=name)))
    assert done["outcome"] == "answered"
    return opened, done


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (REPLY, "Ann Lee"),
        ("Hello Ann,\n\nUploads fail.", "Ann Lee"),
        ("Dear Lee:\n\nUploads fail.", "Ann Lee"),
        ("Guten Tag Ann\n\nUploads.", "Ann"),
        ("Hi Ann! Uploads fail.", "Ann"),
    ],
)
def test_greeting_is_for_any_customer(text: str, name: str) -> None:
    """The next customer's name stands where the first one's was; without one it is left out."""
    kept = without_name(text, name)
    assert NAME_HERE in kept
    assert not tells_of(kept, name, "", [])
    assert with_name(kept, name).split()[0] == text.split(maxsplit=1)[0]
    assert "Bob Roe" in with_name(kept, "Bob Roe")
    nameless = with_name(kept, None)
    assert NAME_HERE not in nameless
    assert " ," not in nameless


def test_name_beyond_the_greeting_is_no_place_for_another() -> None:
    """A text that speaks of the customer further down is not kept."""
    kept = without_name("Hello Ann,\n\nAnn, uploads fail.", "Ann")
    assert kept.count(NAME_HERE) == 1
    assert tells_of(kept, "Ann", "", [])


@pytest.mark.parametrize(
    "text",
    [
        "Write to help@shop.example.",
        "Your payment pay_1002 is there.",
        "Call +49 30 1234567.",
        "Card 4242 4242 4242 4242 was used.",
        "Key sk-live-abcdefghijklmnop.",
        "Dear LEE, hello.",
        "Ask jose about it.",
        "That is acct 77-XY.",
        "The address of annlee is known.",
        "Our friends at rosebud know.",
    ],
)
def test_text_that_points_at_a_person_is_not_kept(text: str) -> None:
    """Addresses, identifiers, numbers, secrets, and any word of the customer's own name."""
    assert tells_of(text, "José Lee", "annlee@rosebud.com", ["77-xy"])


async def test_plain_answer_from_an_article_is_kept() -> None:
    """With its triage and passages, so that it can be checked again."""
    _, done = await answered()
    kept = reusable(state_of(done), "ann@example.com", ["cus_ann"])
    assert kept is not None
    assert kept["text"].startswith(f"Hello {NAME_HERE},")
    assert kept["citations"] == done["reply"]["citations"] == ["upload-error-e42"]
    assert [p["article_id"] for p in kept["passages"]] == ["upload-error-e42"]


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "acted"},
        {"escalation": {"reason": "r", "detail": "d"}},
        {"decision": {"verdict": "approve"}},
        {"review": {"steps": []}},
        {"effects": [{"tool": "refund_payment"}]},
        {"guidance": ["Be kind."]},
        {"memory": {"window": [], "summary": "Ann asked before.", "tickets": []}},
        {"asked_back": [{"question": "q1", "text": "Which code?"}]},
        {"cache_hit": True},
        {"draft": {"text": "Hello", "citations": []}},
        {"objections": [{"rule": "money", "detail": "d"}]},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_run_with_anything_personal_leaves_nothing(change: dict[str, Any]) -> None:
    """An effect, a person's part, what was said before: each is reason enough."""
    _, done = await answered()
    assert reusable(state_of({**done, **change}), "", []) is None


async def known() -> tuple[Desk, JsonObject]:
    """A desk where two customers were answered, and the next run begins on an empty thread."""
    opened, done = await answered()
    for customer in ("cus_ann", "cus_bob"):
        opened.world.answers.keep(done, customer)
    opened.compile()
    opened.world.caller = replace(opened.world.caller, run_id=UUID(int=2))
    return opened, done


def state_of(done: JsonObject) -> SupportState:
    """The state that a run ended with."""
    return done  # type: ignore[return-value]  # the graph's own state


async def test_runs_that_read_payments_leave_nothing() -> None:
    """A question about money is answered from the customer's own records."""
    opened = desk("cus_ann")
    await opened.start(TWICE)
    done = await opened.decide("approve")
    assert done["outcome"] == "acted"
    assert reusable(state_of({**done, "outcome": "answered", "effects": []}), "", []) is None


async def test_third_asking_calls_no_model() -> None:
    """Two customers were answered; the third gets the checked reply under their own name."""
    opened, done = await known()
    model = scripted(opened)
    again = await opened.advance(fresh_run("2", ticket(E42.upper(), name="Bob Roe")))
    assert model.asked == []
    assert again["cache_hit"] is True
    assert again["reply"]["text"] == done["reply"]["text"].replace("Ann Lee", "Bob Roe")
    assert again["reply"]["citations"] == done["reply"]["citations"]
    assert await opened.path_from("classify") == ["classify", "check", "send"]


async def test_recalled_draft_is_held_to_the_rules() -> None:
    """A kept text that breaks a rule is written again, and the run is no hit any more."""
    opened, _ = await known()
    [kept] = opened.world.answers.kept.values()
    kept["claims"][0]["text"] = "We have refunded 49.00 USD."
    model = scripted(opened)
    again = await opened.advance(fresh_run("2", ticket(E42)))
    assert (again["outcome"], again["cache_hit"], model.asked[0]) == ("answered", False, "Reply")
    assert "refunded" not in again["reply"]["text"]


PAST: PastTicket = {
    "ticket_id": "T0", "subject": "s", "outcome": "acted", "promised": [], "at": "2026-11-01",
}  # fmt: skip
KNOWN: Memory = {"window": [], "summary": "", "tickets": [PAST]}


async def test_known_customer_gives_and_gets_answers() -> None:
    """A question asked alone is read without the customer's other tickets, for any customer."""
    opened = desk("cus_ann", "upload-error-e42")
    model = scripted(opened)
    done = await opened.advance(fresh_run("1", ticket(E42, name="Ann Lee"), KNOWN))
    assert all("2026-11-01" not in heard for _, heard in model.heard)
    for customer in ("cus_ann", "cus_bob"):
        opened.world.answers.keep(done, customer)
    opened.compile()
    opened.world.caller = replace(opened.world.caller, run_id=UUID(int=2))
    again = await opened.advance(fresh_run("2", ticket(E42), KNOWN))
    assert again["cache_hit"] is True


async def test_question_about_money_still_reads_the_customers_tickets() -> None:
    """There what was promised before matters, and nothing of it is kept for others."""
    opened = desk("cus_ann", "refund-policy")
    model = scripted(opened)
    await opened.advance(fresh_run("1", ticket(TWICE), KNOWN))
    heard = dict(model.heard)
    assert "2026-11-01" not in heard["Classification"]
    assert read_memory(billing_state(KNOWN)) == KNOWN


def billing_state(memory: Memory) -> SupportState:
    """A run about money."""
    triage: Any = {"intents": ["billing", "general"]}
    return {"memory": memory, "triage": triage}


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"verdicts": []}, False),
        ({"verdicts": [{"supported": False}]}, False),
        ({"verdicts": [{"supported": True}]}, True),
    ],
)
async def test_only_what_was_verified_is_kept(change: dict[str, Any], kept: bool) -> None:
    """Where replies are verified, each claim needs a verdict of its own."""
    _, done = await answered()
    claims = done["draft"]["claims"]
    verdicts = [
        {"question": "q1", "text": claim["text"], "reason": "", **verdict}
        for claim in claims
        for verdict in change["verdicts"]
    ]
    draft = {**done["draft"], "grounding": "verified"}
    state = state_of({**done, "draft": draft, "verdicts": verdicts})
    assert (reusable(state, "", []) is not None) is kept


async def test_two_questions_are_no_one_elses() -> None:
    """Who asks the one may not ask the other."""
    _, done = await answered()
    two = [*done["questions"], {**done["questions"][0], "id": "q2"}]
    assert reusable(state_of({**done, "questions": two}), "", []) is None


async def reviewed(verdict: str, *, release: bool, text: str | None = None) -> JsonObject:
    """A drafted reply that a person decided."""
    opened = desk("cus_ann", "upload-error-e42")
    opened.world.policy = Policy(reply_mode=ReplyMode(default="draft"))
    shown = await opened.start(E42)
    [gate] = shown["__interrupt__"]
    [step] = gate.value["steps"]
    if text:
        step = {**step, "args": {**step["args"], "text": text}}
    decision = {
        "approval_id": "a", "verdict": verdict, "steps": [step], "comment": "",
        "decided_by": "Uma", "messages": [], "release": release,
    }  # fmt: skip
    return await opened.advance(Command(resume={gate.id: decision}))


async def test_released_text_of_a_person_is_given_as_it_is() -> None:
    """It has no claims, and is held to the rules for a person's text."""
    own = "Hello,\n\nSign out and in again."
    done = await reviewed("edit", release=True, text=own)
    assert done["outcome"] == "answered"
    kept = reusable(state_of(done), "", [])
    assert kept is not None
    assert (kept["released"], kept["claims"], kept["text"]) == (True, [], own)
    opened, _ = await known()
    for key in opened.world.answers.kept:
        opened.world.answers.kept[key] = kept
    again = await opened.advance(fresh_run("2", ticket(E42)))
    assert (again["cache_hit"], again["reply"]["text"]) == (True, own)


@pytest.mark.parametrize("verdict", ["approve", "edit"])
async def test_what_a_person_decided_is_kept_only_when_released(verdict: str) -> None:
    """An edit may be meant for this customer alone."""
    own = "Hello,\n\nSign out and in again." if verdict == "edit" else None
    assert reusable(state_of(await reviewed(verdict, release=False, text=own)), "", []) is None
    assert reusable(state_of(await reviewed(verdict, release=True, text=own)), "", []) is not None


async def test_thresholds_hold_for_a_recalled_triage() -> None:
    """What the policy sends to a person goes to a person."""
    opened, _ = await known()
    opened.world.policy = Policy(anger_threshold=0.0)
    again = await opened.advance(fresh_run("2", ticket(E42)))
    assert (again["outcome"], again["escalation"]["reason"]) == ("escalated", "anger")


async def test_draft_mode_leaves_nothing() -> None:
    """A reply that a person approved is that person's, for this customer."""
    opened = desk("cus_ann", "upload-error-e42")
    opened.world.policy = Policy(reply_mode=ReplyMode(default="draft"))
    await opened.start(E42)
    done = await opened.decide("approve")
    assert done["outcome"] == "answered"
    assert reusable(state_of(done), "", []) is None


def test_steps_about_passwords_name_no_customer() -> None:
    """An article may say where a password is entered; only what looks like one is held back."""
    assert not tells_of("3. Enter a new password with at least 12 characters.", "", "", [])
    assert tells_of("Your password is sk-live-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c.", "", "", [])
