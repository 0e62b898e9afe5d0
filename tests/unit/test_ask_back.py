"""Asking the customer back: once in a thread, in a fixed sentence, and every question ends."""

from typing import Any

import pytest

from graphs.nodes.billing import Proposal
from graphs.questions import unsettled
from graphs.state import AskedBack, Question, fresh_run
from tests.fakes import payment
from tests.unit.desk import SILENT, Desk, desk, scripted, ticket
from tests.unit.test_triage import opinion
from tools.models import Passage, Step

FAILS = "My upload fails with an error. How do I fix it?"
WHICH = "Which error code do you see, for example E17, E42?"


def coded(*titles: str) -> list[Passage]:
    """Passages with these titles, best first."""
    text = "The upload fails with an error; this is how you fix it."
    return [{"article_id": t, "title": t, "text": text, "score": 1.0} for t in titles]


def opened_with(*titles: str) -> Desk:
    """A desk whose search finds them, and whose model cannot answer from them."""
    opened = desk("cus_eva")
    opened.world.knowledge.passages = coded(*titles)
    scripted(opened, Classification=[opinion(intents=["technical"])], Reply=[SILENT])
    return opened


async def test_error_without_a_code_is_asked_back() -> None:
    """The best articles are about different codes, so the code decides."""
    opened = opened_with("Sync error E17", "Upload error E42", "Storage limits")
    done = await opened.start(FAILS)
    assert done["outcome"] == "asked"
    assert done["asked_back"] == [{"question": "q1", "text": WHICH}]
    assert done["reply"]["text"].endswith(f"\n\n{WHICH}")
    assert done["handoff"] is None


@pytest.mark.parametrize(
    ("body", "titles"),
    [
        (f"{FAILS} It says E42.", ("Upload error E42", "Sync error E17")),
        (FAILS, ("Upload error E42", "Storage limits")),
        (FAILS, ("Upload error E42",)),
        (FAILS, ("Upload error E42", "More about E42")),
    ],
)
async def test_code_that_is_known_or_does_not_decide_is_not_asked_for(
    body: str, titles: tuple[str, ...]
) -> None:
    """One article, one code, or a code in the ticket: there is nothing to ask."""
    done = await opened_with(*titles).start(body)
    assert (done["asked_back"], done["outcome"]) == ([], "escalated")


async def test_customer_is_asked_once_in_a_thread() -> None:
    """The second time the articles answer, or a person does."""
    opened = opened_with("Sync error E17", "Upload error E42")
    assert (await opened.start(FAILS))["outcome"] == "asked"
    again = await opened.start(FAILS, run=2)
    assert again["asked_back"] == []
    assert again["outcome"] != "asked"
    assert again["asked_once"] == ["technical"]


async def test_question_is_asked_in_the_tickets_language() -> None:
    """By the fixed phrase, whatever a model writes."""
    opened = opened_with("Sync error E17", "Upload error E42")
    said = opinion(intents=["technical"], language="de")
    scripted(opened, Classification=[said], Reply=[SILENT])
    done = await opened.start("Der Upload funktioniert nicht und zeigt einen Fehler an.")
    assert done["reply"]["text"] == (
        "Guten Tag,\n\nWelchen Fehlercode sehen Sie, zum Beispiel E17, E42?"
    )


async def test_model_sees_that_code_asks() -> None:
    """So that it does not ask again in its own words."""
    opened = opened_with("Sync error E17", "Upload error E42")
    model = scripted(opened, Classification=[opinion(intents=["technical"])], Reply=[SILENT])
    await opened.start(FAILS)
    [heard] = [text for name, text in model.heard if name == "Reply"]
    assert WHICH in heard


QUESTIONS: list[Question] = [
    {"id": "q1", "intent": "billing", "text": "Refund it.", "queries": []},
    {"id": "q2", "intent": "billing", "text": "Where is my invoice?", "queries": []},
    {"id": "q3", "intent": "technical", "text": "It fails.", "queries": []},
]
STEP: Any = {"id": "refund-pay_1"}
PART: Any = {"step_id": "h", "tool": "create_handoff", "args": {"part": "technical"}, "result": {}}
BACK: AskedBack = {"question": "q2", "text": "Which of these payments do you mean?"}


@pytest.mark.parametrize(
    ("steps", "effects", "back", "left"),
    [
        ([], [], [], ["q1", "q2", "q3"]),
        ([STEP], [], [], ["q2", "q3"]),
        ([STEP, STEP], [], [], ["q3"]),
        ([STEP], [PART], [], ["q2"]),
        ([STEP], [PART], [BACK], []),
    ],
)
def test_question_is_settled_by_what_code_says_of_it(
    steps: list[Step], effects: list[Any], back: list[AskedBack], left: list[str]
) -> None:
    """A step, done or dropped, settles one; a hand-off its part; a question back its own."""
    state: Any = {**fresh_run("r", ticket("Hi")), "questions": QUESTIONS, "effects": effects}
    state |= {"asked_back": back, "findings": {"billing": {"steps": steps}}}
    assert [q["id"] for q in unsettled(state, ["q1", "q2", "q3"])] == left
    assert unsettled(state, []) == []


REFUND_ASKED = "Please refund my payment."
PAID = [payment("pay_1", 4900, "Pro plan"), payment("pay_2", 900, "Extra storage")]


def unclear(*candidates: str) -> Proposal:
    """A model that cannot tell which payment is meant."""
    return Proposal(refunds=[], cancellations=[], candidates=list(candidates), unsure=False)


def paying(*proposals: Proposal) -> Desk:
    """A desk of a customer with two payments, and what its model proposes."""
    opened = desk("cus_ann")
    opened.world.billing.by_customer["cus_ann"] = list(PAID)
    said = opinion(intents=["billing"])
    scripted(opened, Classification=[said], Proposal=list(proposals), Reply=[SILENT])
    return opened


async def test_customer_is_asked_which_payment() -> None:
    """By code, with the customer's own payments; nothing moves."""
    opened = paying(unclear("pay_1", "pay_2", "pay_9"))
    done = await opened.start(REFUND_ASKED)
    assert (done["outcome"], opened.world.billing.calls) == ("asked", 0)
    [back] = done["asked_back"]
    assert "Pro plan, 49.00 USD" in back["text"]
    assert "(pay_2)" in back["text"]
    assert "pay_9" not in back["text"]
    assert done["reply"]["text"].endswith(back["text"])


@pytest.mark.parametrize("candidates", [["pay_1"], ["pay_1", "pay_9"], ["pay_8", "pay_9"]])
async def test_choice_of_one_is_no_choice(candidates: list[str]) -> None:
    """A person reads it: the model is not sure, and code does not guess."""
    done = await paying(unclear(*candidates)).start(REFUND_ASKED)
    assert (done["outcome"], done["asked_back"]) == ("escalated", [])


async def test_which_payment_is_asked_once_in_a_thread() -> None:
    """The second time a person goes on."""
    opened = paying(unclear("pay_1", "pay_2"))
    assert (await opened.start(REFUND_ASKED))["outcome"] == "asked"
    again = await opened.start(REFUND_ASKED, run=2)
    assert (again["outcome"], again["asked_back"]) == ("escalated", [])
