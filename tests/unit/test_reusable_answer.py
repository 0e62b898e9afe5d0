"""Replies that are given again: what is kept of a run, and what the next customer gets."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from graphs.policy import Policy, ReplyMode
from graphs.reply.reusable_answer import NAME_HERE, reusable, tells_of, with_name, without_name
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
def test_greeting_is_for_whoever_asks(text: str, name: str) -> None:
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
    """A kept text that breaks a rule is written anew, and the run is no hit any more."""
    opened, _ = await known()
    [kept] = opened.world.answers.kept.values()
    kept["text"] = "We have refunded 49.00 USD."
    model = scripted(opened)
    again = await opened.advance(fresh_run("2", ticket(E42)))
    assert (again["outcome"], again["cache_hit"], model.asked) == ("answered", False, ["Reply"])
    assert "refunded" not in again["reply"]["text"]


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


def test_steps_about_passwords_tell_of_nobody() -> None:
    """An article may say where a password is entered; only what looks like one is held back."""
    assert not tells_of("3. Enter a new password with at least 12 characters.", "", "", [])
    assert tells_of("Your password is sk-live-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c.", "", "", [])
