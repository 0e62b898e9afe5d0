"""The offline model's triage: the right specialist, or a person when it is not sure."""

import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from app.demo.tickets import TICKETS
from app.models.offline.chat_model import OfflineChatModel
from app.models.offline.triage import triage
from graphs.nodes.classify import Classification
from graphs.policy import Policy, must_escalate
from graphs.state import Ticket, Triage
from tests.unit.desk import ticket

# What each of the demo's ten tickets is about, in their order.
EXPECTED = [
    ["billing"], ["billing"], ["billing"], ["billing"],
    ["technical"],
    ["general"], ["technical"], ["general"],
    ["escalate"], ["escalate"],
]  # fmt: skip
GIBBERISH = [
    "flurb gnar wexo plith",
    "qwpoeiru zmxncb asdlkfj",
    "????",
    "🙂🙂🙂",
    "lorem ipsum dolor",
    "1234 5678",
    "...",
    "\u200b",
    "a",
]


def sample(at: int) -> Ticket:
    """One of the demo's tickets as the workflow gets it."""
    body: dict[str, Any] = TICKETS[at]
    return ticket(body["body"], subject=body["subject"], name=body["customer"]["name"])


def triaged(body: str, subject: str = "") -> Triage:
    """The offline model's opinion as the state keeps it."""
    made: Any = triage(ticket(body, subject), {}).model_dump()
    return made  # type: ignore[no-any-return]  # the same keys, by the schema


@pytest.mark.parametrize(("at", "intents"), list(enumerate(EXPECTED)))
def test_sample_ticket_reaches_its_specialist(at: int, intents: list[str]) -> None:
    """Each sample takes the way it is a sample of."""
    answer: Any = triage(sample(at), {}).model_dump()
    assert answer["intents"] == intents
    assert (must_escalate(answer, Policy()) is not None) == (intents == ["escalate"])


@pytest.mark.parametrize(
    ("body", "intents"),
    [
        ("I was charged twice. Also, my upload fails with error E42.", ["billing", "technical"]),
        ("The API returns error 500 and it does not work", ["technical"]),
        ("What is your refund policy?", ["general"]),
        ("How do I export my boards?", ["general"]),
        ("Where is my invoice for the last payment? I was billed", ["billing"]),
    ],
)
def test_ticket_has_the_intents_it_asks_for(body: str, intents: list[str]) -> None:
    """Several kinds of help in one ticket are several intents; a question is not a claim."""
    assert triaged(body)["intents"] == intents


@pytest.mark.parametrize("body", GIBBERISH)
def test_gibberish_is_not_understood(body: str) -> None:
    """Low confidence, and so a person, not an invention."""
    opinion = triaged(body)
    assert opinion["confidence"] < Policy().confidence_threshold
    assert must_escalate(opinion, Policy()) is not None


@pytest.mark.parametrize(
    ("body", "person", "furious"),
    [
        ("I want to speak to a manager", True, False),
        ("Please connect me to a real person", True, False),
        ("You will hear from my lawyer", True, False),
        ("This is unacceptable!! I am furious", False, True),
        ("You are thieves, this is a ridiculous scam!!!", False, True),
        ("GIVE ME MY MONEY BACK YOU THIEVES", False, True),
        ("How do I give my manager access to a board?", False, False),
        ("My colleague is angry about the colour", False, False),
        ("Thanks, all is well.", False, False),
    ],
)
def test_anger_and_the_wish_for_a_person_are_seen(body: str, person: bool, furious: bool) -> None:
    """Two different signs: each alone brings a person."""
    opinion = triaged(body)
    assert opinion["wants_human"] == person
    assert (opinion["anger"] >= Policy().anger_threshold) == furious
    assert 0 <= opinion["anger"] <= 1


@pytest.mark.parametrize(
    ("body", "urgency"),
    [
        ("There is an outage, nobody can sign in", "critical"),
        ("Our account was hacked", "critical"),
        ("It is urgent, we need it asap", "high"),
        ("I am furious about this", "high"),
        ("No rush, just wondering how to export", "low"),
        ("No rush, but I am furious and outraged", "high"),
        ("How do I export?", "normal"),
    ],
)
def test_urgency_is_told_by_words_and_by_anger(body: str, urgency: str) -> None:
    """An outage before a deadline, a deadline before patience; anger is never low."""
    assert triaged(body)["urgency"] == urgency


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("How can I reset my password?", "en"),
        ("Wie kann ich mein Passwort zurücksetzen? Ich habe es nicht mehr.", "de"),
        ("Comment est-ce que je change mon mot de passe ?", "fr"),
        ("請求書のダウンロード方法", "ja"),
        ("비밀번호를 잊었어요", "ko"),
        ("如何重置密码", "zh"),
        ("Как сбросить пароль", "ru"),
        ("Quels sont vos horaires d'ouverture ?", "fr"),
        ("Was sind Ihre Öffnungszeiten?", "de"),
        ("When is the invoice for 田中 due, and how can I pay it?", "en"),
        ("Editing pro account", "en"),
        ("com", "un"),
        ("support@acme.com.br", "un"),
        ("flurb", "un"),
    ],
)
def test_language_is_told_by_the_text(body: str, code: str) -> None:
    """ISO 639-1, or `un` when nothing tells."""
    assert triaged(body)["language"] == code


def ask(schema: type, asked: Ticket) -> Any:
    """One question to the offline model, put as the nodes put it."""
    bodies = (json.dumps({"facts": {}}), json.dumps({"ticket": asked}))
    asker = OfflineChatModel().with_structured_output(schema, include_raw=True)
    return asker.invoke([SystemMessage("Triage."), *map(HumanMessage, bodies)])


def test_same_question_has_the_same_answer() -> None:
    """No chance and no memory: ten askings, one answer."""
    for at in range(len(TICKETS)):
        answers = {str(ask(Classification, sample(at))["parsed"]) for _ in range(10)}
        assert len(answers) == 1


def test_it_says_that_it_is_offline_and_free() -> None:
    """Wherever a model's name is shown, and nothing is counted as spent."""
    raw = ask(Classification, sample(0))["raw"]
    assert raw.response_metadata["model_name"] == "offline"
    assert raw.usage_metadata["total_tokens"] == 0
    params = OfflineChatModel()._get_ls_params()
    assert (params["ls_provider"], params["ls_model_name"]) == ("offline", "offline")
