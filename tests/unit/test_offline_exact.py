"""Which tickets the offline model answers: those in the words of one article, and no other."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.articles import read_source
from app.models.offline.exact import exact_passage
from tests.unit.desk import ARTICLES, article, desk, ticket
from tools.models import Passage


def passage(title: str, *questions: str, **changes: Any) -> Passage:
    """An article of that title, found from its beginning."""
    found: Any = {"article_id": title, "title": title, "text": "x", "score": 1.0, "opens": True}
    found |= {"questions": list(questions)} | changes
    return cast("Passage", found)


BASE = [
    passage("Reset your password", "I forgot my password"),
    passage("Cancel your subscription"),
    passage("Upload error E42"),
    passage("Opening hours", "When are you open?"),
    passage("Passwort zurücksetzen", "Wie setze ich mein Passwort zurück?"),
    passage("請求書のダウンロード", "請求書はどこでダウンロードできますか"),
]


def title_of(body: str, subject: str = "", name: str | None = None) -> str | None:
    """The title of the article that answers exactly."""
    found = exact_passage(ticket(body, subject, name), BASE)
    return found["title"] if found else None


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("How do I reset my password?", "Reset your password"),
        ("Hi, how can we reset the password please? Thanks!", "Reset your password"),
        ("Hi Bob,\n\nCould you tell me how to reset my password?\n\nThanks,\nAnna Lee",
         "Reset your password"),
        ("reset password?", "Reset your password"),
        ("I forgot my password.", "Reset your password"),
        ("How do I cancel my subscription?", "Cancel your subscription"),
        ("What are your opening hours?", "Opening hours"),
        ("When are you open?", "Opening hours"),
        ("My upload fails with error E42. How do I fix it?", "Upload error E42"),
        ("The upload does not work, it says E42", "Upload error E42"),
        ("E42?", "Upload error E42"),
        ("Der Upload bricht mit Fehler E42 ab.", "Upload error E42"),
        ("Wie kann ich mein Passwort zurücksetzen?", "Passwort zurücksetzen"),
        ("Guten Tag,\nwie setze ich mein Passwort zurück?\nMit freundlichen Grüßen\nMax",
         "Passwort zurücksetzen"),
        ("請求書はどこでダウンロードできますか？よろしくお願いします。", "請求書のダウンロード"),
        ("E42エラーが出ます。どうすればいいですか？", "Upload error E42"),
    ],
)  # fmt: skip
def test_one_question_in_the_words_of_an_article_is_exact(body: str, title: str) -> None:
    """Whatever is polite around it, and however the title's question is asked."""
    assert title_of(body) == title


@pytest.mark.parametrize(
    "body",
    [
        "How do I not reset my password?",
        "How do I reset my password and my address?",
        "How do I reset my password? It did not work yesterday.",
        "How do I reset my password? How do I cancel?",
        "How do I reset my colleague's password?",
        "How do I reset my password for the third time",
        "Cancel my subscription",
        "Please cancel my subscription?",
        "You cancelled my subscription.",
        "Did you cancel my subscription?",
        "Why was my subscription cancelled?",
        "When are you open on Christmas?",
        "When are you not open?",
        "I still get E42",
        "E42 is fixed",
        "E42 and E17",
        "Error E42 when I sync",
        "I get E42 on Safari",
        "My account is 77. What are your opening hours?",
        "passwort",
        "",
        "?",
    ],
)
def test_anything_more_is_not(body: str) -> None:
    """Another word, another question, a "not", a "still", an order, something that happened."""
    assert title_of(body) is None


@pytest.mark.parametrize(
    ("subject", "exact"),
    [
        ("Password", True),
        ("Help", True),
        ("Re: reset password", True),
        ("Where is my refund", False),
        ("Password not accepted", False),
    ],
)
def test_subject_says_nothing_more(subject: str, exact: bool) -> None:
    """It is a part of what the customer asks."""
    assert (title_of("How do I reset my password?", subject) is not None) == exact


def test_name_of_the_customer_says_nothing() -> None:
    """Below the text, as mail programs leave it."""
    body = "How do I reset my password?\nAnn Lee"
    assert title_of(body, name="Ann Lee") == "Reset your password"
    assert title_of(body) is None


@pytest.mark.parametrize(
    "body",
    [
        "How do I reset my password?\nThanks\nDelete my account",
        "How do I reset my password?\nThanks\nRefund Me",
        "How do I reset my password?\nThanks\nStill broken",
        "Hello refund me, how do I reset my password?",
    ],
)
def test_wish_in_the_place_of_a_name_is_read(body: str) -> None:
    """Below a farewell and behind a greeting stands a name, or more to do."""
    assert title_of(body) is None
    assert title_of("Hi Ann, how do I reset my password?\nThanks\nBob Lee") is not None


def test_two_articles_that_fit_are_none() -> None:
    """Code cannot tell which is meant; a person can."""
    twice = [passage("Reset your password"), passage("x", "How do I reset my password?")]
    asked = ticket("How do I reset my password?", "")
    assert exact_passage(asked, twice) is None
    assert exact_passage(asked, twice[:1]) == twice[0]
    later = [passage("Reset your password", opens=False)]
    assert exact_passage(asked, later) is None


@given(st.sampled_from(["How do I reset my password?", "E42?", "When are you open?"]),
       st.sampled_from(["never", "nicht", "refund", "angry", "E17", "77", "bank", "two"]),
       st.booleans())  # fmt: skip
def test_one_more_word_is_enough_for_a_person(question: str, word: str, before: bool) -> None:
    """In front of the question or behind it."""
    assert title_of(f"{word} {question}" if before else f"{question} {word}") is None


def test_every_question_of_the_demo_is_answered_by_its_article() -> None:
    """And by no other one of them."""
    sources = read_source(ARTICLES)
    articles = [article(source.id) for source in sources]
    for source in sources:
        for question in source.questions:
            found = exact_passage(ticket(question, ""), articles)
            assert found, f"{source.id}: {question}"
            assert found["article_id"] == source.id


async def test_exact_answer_leaves_whole_and_everything_else_goes_to_a_person() -> None:
    """Through the graph: the sections are quoted, or suggested to the person."""
    opened = desk("cus_eva", "reset-password", "sign-in-problems")
    done = await opened.start("How do I reset my password?", subject="Password")
    assert (done["outcome"], done["reply"]["citations"]) == ("answered", ["reset-password"])
    assert "5. Sign in with the new password." in done["reply"]["text"]
    opened = desk("cus_eva", "reset-password", "sign-in-problems")
    done = await opened.start("How do I reset my password? The link never arrives.")
    assert done["outcome"] == "escalated"
    assert [a["article_id"] for a in done["handoff"]["articles"]] == [
        "reset-password",
        "sign-in-problems",
    ]
    assert "To reset your password" in done["handoff"]["suggestion"]["text"]


async def test_list_of_payments_is_never_a_reply() -> None:
    """Ann asks about her payments; a person answers."""
    opened = desk("cus_ann")
    done = await opened.start("Where is my refund?")
    assert done["outcome"] == "escalated"
    assert "49.00" not in done["reply"]["text"]
