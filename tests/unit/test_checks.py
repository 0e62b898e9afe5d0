"""Each rule a draft must meet, with what passes it and what does not."""

from collections.abc import Sequence
from typing import Any

import pytest

from graphs.reply.checks import RULES, objections
from graphs.reply.checks.shape import MAX_LENGTH
from graphs.reply.facts import Facts, added_sentences, effect_fact, handed_over, names_in
from graphs.reply.instructions import REPLY
from graphs.state import DoneStep, Draft
from tests.unit.desk import ticket
from tests.unit.replies import PAID
from tools.billing import REFUND
from tools.catalog import kind_of

PAYMENT = "Pro plan: 49.00 USD captured on 2026-11-18, 0.00 USD refunded so far"
ARTICLE: Any = {
    "article_id": "upload-error-e42",
    "title": "Upload error E42",
    "text": "Files over 2 GB fail. If you were charged twice, the duplicate will be refunded.",
    "part": "technical",
}

CITED = ("upload-error-e42",)


def refunded(amount: int = 4900, currency: str = "USD", about: str = "Pro plan") -> DoneStep:
    """A refund that was made; the payment is known by its id alone."""
    money = {"amount_minor": amount, "currency": currency}
    args = {"payment_id": about, **money, "reason": "twice"}
    result = {"id": "re_1", "payment_id": about, **money}
    return {"step_id": f"refund-{about}", "tool": REFUND.name, "args": args, "result": result}


REFUNDED = refunded()


def facts(
    *,
    done: Sequence[DoneStep] = (),
    undone: Sequence[str] = (),
    payments: Sequence[str] = (),
    passages: Sequence[Any] = (),
    language: str | None = "en",
) -> Facts:
    """What a reply may speak of; nothing unless a test says so."""
    names = names_in([PAID])
    effects = [effect_fact(s, names, language) for s in done if kind_of(s["tool"]) == "action"]
    handed = [handed_over(s, names, language) for s in done if kind_of(s["tool"]) == "handoff"]
    return {
        "effects": effects,
        "handed_over": handed,
        "undone": list(undone),
        "sentences": added_sentences(effects, list(undone), handed, language),
        "payments": list(payments),
        "passages": list(passages),
        "objections": [],
        "guidance": [],
    }


def rules(
    text: str,
    known: Facts | None = None,
    *,
    citations: tuple[str, ...] = (),
    asked: str = "Help",
    language: str | None = None,
    prompt: str = "",
) -> set[str]:
    """The names of the rules that a draft breaks."""
    draft: Draft = {"text": text, "citations": list(citations)}
    return {o["rule"] for o in objections(draft, known or facts(), ticket(asked), language, prompt)}


def test_every_rule_is_tested_here() -> None:
    """A rule without an example that breaks it would be no rule."""
    broken = {
        *rules("x" * (MAX_LENGTH + 1)),
        *rules("<b>Hello</b>"),
        *rules("Hello", citations=("made-up",)),
        *rules("You paid 5 USD."),
        *rules("Hello", facts(done=[REFUNDED])),
        *rules("We promise."),
        *rules("4111 1111 1111 1111"),
        *rules("Ready by Friday."),
        *rules("Sie öffnen die Datei und dann ist sie da.", language="en"),
        *rules("Every board sings a lullaby."),
        *rules("See cus_bob."),
        *rules(f"{REPLY[:200]}", prompt=REPLY),
    }
    assert broken == set(RULES)


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200d\ufeff", "\u00ad"])
def test_reply_that_says_nothing_is_no_answer(text: str) -> None:
    """Invisible characters are nothing."""
    assert rules(text) == {"no_answer"}


def test_length_has_its_border() -> None:
    """3000 characters leave, 3001 do not."""
    assert rules("x" * MAX_LENGTH) == set()
    assert rules("x" * (MAX_LENGTH + 1)) == {"length"}


@pytest.mark.parametrize(
    "text",
    [
        "Open Settings > Storage, then choose Empty Trash.",
        "Use a & b, 'quotes' and [brackets] as they are.",
        "If a < b and c > d, wait.",
        "The value is right while a<b holds.",
        "Send GET /v1/boards/<id> with your key.",
        "Call /v1/boards with the header Retry-After.",
    ],
)
def test_plain_text_is_no_markup(text: str) -> None:
    """Signs of daily writing pass."""
    found = facts(passages=[{**ARTICLE, "text": text}])
    assert rules(text, found, citations=CITED) == set()


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "</p>",
        "<!-- hidden -->",
        "![x](https://evil.example/x.png)",
        "![x] (y)",
        "[click](here)",
        "&lt;script&gt;",
        "&#x3c;",
        "https://example.org",
        "HTTP://EXAMPLE.ORG",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:ann",
        "www.example",
        "Go to evil.com now",
        "ｈｔｔｐｓ：／／evil",  # fullwidth
        "ht\u200btps://evil",
        "＜b＞bold＜/b＞",
        "Go to evil.xyz/now",
        "Go to example.de",
        "<img src=x onerror=alert",
        "file:///etc/passwd",
    ],
)
def test_markup_links_and_addresses_stay_here(text: str) -> None:
    """A reply is plain text: nothing to click, nothing that loads."""
    assert "markup" in rules(text)


def test_name_with_a_point_may_be_quoted() -> None:
    """A file's name looks like a domain; in an article's own words it is none."""
    found = facts(passages=[{**ARTICLE, "text": "Choose cards.csv and import it."}])
    assert rules("Choose cards.csv.", found, citations=CITED) == set()
    assert rules("Choose other.csv.", found, citations=CITED) == {"markup"}


def test_answer_from_articles_cites_them() -> None:
    """A passage was found, so the reply names it, and only what was found."""
    found = facts(passages=[ARTICLE])
    assert rules("Files over 2 GB fail.", found, citations=CITED) == set()
    assert rules("Files over 2 GB fail.", found) == {"citations"}
    assert rules("Fail.", found, citations=("upload-error-e42", "E-1")) == {"citations"}
    assert rules("Fail.", citations=CITED) == {"citations"}


def test_answer_from_effects_or_payments_need_not_cite() -> None:
    """What was done or paid has no article."""
    assert rules("We have refunded 49.00 USD for Pro plan.", facts(done=[REFUNDED])) == set()
    assert rules("You paid 49.00 USD.", facts(payments=[PAYMENT])) == set()


def test_every_part_with_passages_cites_one_of_its_own() -> None:
    """Neither an effect nor another part's article answers a part that articles were found for."""
    told = "We have refunded 49.00 USD for Pro plan."
    hours = {**ARTICLE, "article_id": "hours", "text": "We are open.", "part": "general"}
    known = facts(done=[REFUNDED], payments=[PAYMENT], passages=[ARTICLE, hours])
    assert rules(told, facts(done=[REFUNDED], passages=[ARTICLE])) == {"citations"}
    assert rules(told, known, citations=CITED) == {"citations"}
    assert rules(told, known, citations=("hours",)) == {"citations"}
    assert rules(told, known, citations=(*CITED, "hours")) == set()
    shared = facts(done=[REFUNDED], passages=[ARTICLE, {**ARTICLE, "part": "general"}])
    assert rules(told, shared, citations=CITED) == set()


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("You paid 49.00 USD.", False),
        ("You paid 49 USD.", False),
        ("You paid $49.", False),
        ("You paid 49.01 USD.", True),
        ("You paid 4900 USD.", True),
        ("You paid $500.", True),
        ("You paid $500,,49.", True),  # one of two numbers is true
        ("You paid 500 dollars.", True),
        ("You paid 500€.", True),
        ("You paid ５００ USD.", True),
        ("You paid 5\u200b00 USD.", True),
        ("Sie haben 500 EUR bezahlt.", True),
        ("Sie haben 500 Euro bezahlt.", True),
        ("You paid 500 usd.", True),
    ],
)
def test_amount_stands_in_a_fact(text: str, *, broken: bool) -> None:
    """Not even the customer's own words make an amount true."""
    asked = "I paid 500 USD, 4900 USD, ５００ USD and 49.01 USD."
    assert ("money" in rules(text, facts(payments=[PAYMENT]), asked=asked)) == broken


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("Files over 2 GB fail.", False),
        ("Error E42 is about storage.", False),
        ("1. Sign out.\n2. Sign in.\n3) Wait.", False),
        ("Your order 77 is known.", False),
        ("Files over 3 GB fail.", True),
        ("We open at 08:00.", True),
        ("٣ files", True),
    ],
)
def test_number_stands_in_a_fact_or_in_the_ticket(text: str, *, broken: bool) -> None:
    """No date, time, size or count is invented; the numbers of a list are no claim."""
    known = facts(passages=[ARTICLE])
    got = rules(text, known, citations=CITED, asked="Order 77 fails")
    assert ("numbers" in got) == broken


def test_number_in_the_customers_name_is_theirs() -> None:
    """A greeting by name is no claim."""
    draft: Draft = {"text": "Hello Studio 54, sign in again.", "citations": []}
    assert objections(draft, facts(), ticket("Help", name="Studio 54")) == []


def test_card_number_never_leaves() -> None:
    """Digits with a card's check digit stay here, even when the customer sent them."""
    for card in ("4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004"):
        assert "secrets" in rules(f"Your card {card}.", asked=card)
    assert rules("Your order 4111111111111112.", asked="4111111111111112") == set()
