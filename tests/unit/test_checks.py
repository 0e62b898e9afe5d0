"""Each rule a draft must meet, with what passes it and what does not."""

from collections.abc import Sequence
from typing import Any

import pytest

from graphs.reply.checks import ON_CLAIMS, ON_TEXT, RULES, objections
from graphs.reply.checks.shape import MAX_LENGTH
from graphs.reply.facts import Facts, added_sentences, effect_fact, handed_over
from graphs.reply.instructions import REPLY
from graphs.reply.names import names_in
from graphs.reply.sources import Source
from graphs.state import Claim, DoneStep, Draft, EvidenceKind, Grounding
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
    questions: Sequence[str] = (),
    settled: Sequence[str] = (),
    steps: int = 0,
) -> Facts:
    """What a reply may speak of; nothing unless a test says so.

    Payments have the ids pay_1, pay_2, ...; questions q1, q2, ... ask the technical part, of which
    code tells so many `steps`.
    """
    names = names_in([PAID])
    effects = [effect_fact(s, names, language) for s in done if kind_of(s["tool"]) == "action"]
    handed = [handed_over(s, names, language) for s in done if kind_of(s["tool"]) == "handoff"]
    return {
        "questions": [
            {"id": f"q{n}", "text": text, "part": "technical"}
            for n, text in enumerate(questions, 1)
        ],
        "settled": {"questions": list(settled), "steps": {"technical": steps}},
        "sources": [
            *(source("article", p["article_id"], p["text"], p["title"]) for p in passages),
            *(source("payment", f"pay_{n}", line) for n, line in enumerate(payments, 1)),
        ],
        "effects": effects,
        "handed_over": handed,
        "undone": list(undone),
        "sentences": added_sentences(effects, list(undone), handed, language),
        "payments": list(payments),
        "passages": list(passages),
        "objections": [],
        "guidance": [],
    }


def source(kind: EvidenceKind, id_: str, text: str, title: str = "") -> Source:
    """What a claim may quote."""
    return {"kind": kind, "id": id_, "title": title, "text": text, "part": "technical"}


def claim(
    text: str,
    *quotes: str,
    id_: str = "upload-error-e42",
    kind: EvidenceKind = "article",
    question: str = "q1",
) -> Claim:
    """A claim and what it quotes, all of one source; the text itself when nothing is named."""
    evidence = [{"kind": kind, "id": id_, "quote": quote} for quote in quotes or (text,)]
    return {"question": question, "text": text, "evidence": evidence}  # type: ignore[typeddict-item]


def rules(
    text: str,
    known: Facts | None = None,
    *,
    claims: Sequence[Claim] | None = None,
    asked: str = "Help",
    language: str | None = None,
    prompt: str = "",
    grounding: Grounding = "verified",
) -> set[str]:
    """The names of the rules that a draft breaks; without claims it is a person's."""
    draft: Draft = {"text": text, "citations": []}
    if claims is not None:
        draft["claims"] = list(claims)
    found = objections(
        draft, known or facts(), ticket(asked), language, prompt, grounding=grounding
    )
    return {objection["rule"] for objection in found}


def claimed(
    *claims: Claim,
    known: Facts | None = None,
    grounding: Grounding = "verified",
    language: str | None = None,
) -> set[str]:
    """The rules that the draft made of these claims breaks, beside the article on E42."""
    facts_ = known or facts(passages=[ARTICLE], questions=["Why does E42 appear?"])
    text = "\n\n".join(["Hello,", *(one["text"] for one in claims)])
    return rules(text, facts_, claims=claims, grounding=grounding, language=language)


def test_every_rule_is_tested_here() -> None:
    """A rule without an example that breaks it would be no rule."""
    german = "Sie öffnen die Datei und dann ist sie da."
    broken = {
        *rules("x" * (MAX_LENGTH + 1)),
        *rules("<b>Hello</b>"),
        *rules("See cus_bob."),
        *rules("4111 1111 1111 1111"),
        *rules(f"{REPLY[:200]}", prompt=REPLY),
        *claimed(),
        *claimed(claim("Every board sings.")),
        *claimed(claim("Files over 3 GB fail.", "Files over 2 GB fail.")),
        *claimed(claim(german, "Files over 2 GB fail."), language="en"),
    }
    assert broken == set(RULES) == {*ON_TEXT, *ON_CLAIMS}


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200d\ufeff", "\u00ad"])
def test_reply_that_says_nothing_is_no_answer(text: str) -> None:
    """Invisible characters are nothing."""
    assert rules(text) == rules(text, claims=[]) == {"no_answer"}


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
    known = facts(passages=[{**ARTICLE, "text": text}], questions=["How?"])
    assert claimed(claim(text), known=known, grounding="quotes") == set()


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
    assert rules("Choose cards.csv.", found) == set()
    assert rules("Choose other.csv.", found) == {"markup"}


TWO_FACTS = "Files over 2 GB fail. The desktop app uploads up to 5 GB."
DESKTOP = facts(
    passages=[{**ARTICLE, "text": TWO_FACTS}],
    payments=[PAYMENT],
    questions=["Can I upload 4 GB?", "What did I pay?"],
    settled=["q2"],
)


@pytest.mark.parametrize(
    "said",
    [
        claim("Yes, with the desktop app.", "The desktop app uploads up to 5 GB."),
        claim("Error E42 appears because files over 2 GB fail.", "Files over 2 GB fail."),
        claim("Ja, mit der Desktop-App.", "The desktop app uploads up to 5 GB."),
        claim("デスクトップアプリなら5GBまで送れます。", "The desktop app uploads up to 5 GB."),
        claim("Nothing over two gigabytes arrives.", "Files over 2 GB fail."),
    ],
)
def test_short_true_sentence_leaves(said: Claim) -> None:
    """It may lean on the question, be in the customer's language, and name things."""
    assert claimed(said, known=DESKTOP) == set()


def test_payment_is_quoted_as_the_line_that_code_writes() -> None:
    """In whatever notation the claim names its date and amount."""
    paid = claim("Sie zahlten am 18. November 2026 49,00 USD.", PAYMENT, id_="pay_1",
                 kind="payment", question="q2")  # fmt: skip
    known = facts(payments=[PAYMENT], questions=["E42?", "Was zahlte ich?"], settled=["q1"])
    assert claimed(paid, known=known, language="de") == set()
    wrong: Claim = {**paid, "text": "Sie zahlten am 18. November 2026 59,00 USD."}
    assert claimed(wrong, known=known, language="de") == {"values"}


@pytest.mark.parametrize(
    ("said", "broken"),
    [
        (claim("All is well.", "Files fail."), {"quotes"}),
        (claim("All is well.", "2 GB fail."), {"quotes"}),
        (claim("All is well.", "Files over 2 GB fail.", id_="other"), {"quotes"}),
        (claim("All is well.", "Files over 2 GB fail.", kind="payment"), {"quotes"}),
        ({"question": "q1", "text": "All is well.", "evidence": []}, {"quotes"}),
        (claim("What is your password?", "Files over 2 GB fail."), {"quotes"}),
        (claim("パスワードは何ですか？", "Files over 2 GB fail."), {"quotes"}),
        (claim("You get 50 USD.", "Files over 2 GB fail."), {"values"}),
        (claim("Files over 2 GB fail.", question="q7"), {"unanswered"}),
        (claim("See evil.com", "Files over 2 GB fail."), {"markup", "values"}),
    ],
)
def test_claim_that_nothing_shows_stays(said: Claim, broken: set[str]) -> None:
    """Made up, a fragment, of another source, a question to the customer, a value too many."""
    assert claimed(said, known=DESKTOP) >= broken


@pytest.mark.parametrize(
    "text",
    [
        "Your ban is lifted.", "It's a deal.", "Accounts are limited to a single device.",
        "Ihr Konto wurde gelöscht.", "返金いたします。", "Files over 2 GB fail. We call you.",
        "Files under 2 GB fail.", "Yes. Files over 2 GB fail.",
    ],
)  # fmt: skip
def test_in_quotes_mode_nothing_but_quotes_leaves(text: str) -> None:
    """Whether or not the model obeys: what no article says is not said."""
    quoted = claim(text, "Files over 2 GB fail.")
    assert claimed(quoted, known=DESKTOP, grounding="quotes") == {"quotes"}
    assert claimed(quoted, known=DESKTOP) == set()


@pytest.mark.parametrize(
    "text",
    [
        TWO_FACTS,
        "Files over 2 GB fail.",
        "Files over **2 GB** fail.\n\nThe desktop app uploads up to 5 GB.",
        "The desktop app uploads up to 5 GB. Files over 2 GB fail.",
    ],
)
def test_in_quotes_mode_whole_quotes_leave(text: str) -> None:
    """In any order and however they are typeset; also in the article's language."""
    quoted = claim(text, "Files over 2 GB fail.", "The desktop app uploads up to 5 GB.")
    assert claimed(quoted, known=DESKTOP, grounding="quotes", language="de") == set()


def test_every_question_ends() -> None:
    """Answered by a claim, settled by what code says, or the draft stays."""
    asked = ["Why E42?", "Which plan?", "How long?"]
    answer = claim("Files over 2 GB fail.")

    def open_with(**known: Any) -> bool:
        known_facts = facts(passages=[ARTICLE], questions=asked, **known)
        return "unanswered" in claimed(answer, known=known_facts)

    assert open_with()
    assert open_with(settled=["q2"])
    assert open_with(steps=1)
    assert not open_with(settled=["q2", "q3"])
    assert not open_with(settled=["q3"], steps=1)
    assert not open_with(steps=2)


def test_persons_text_meets_only_the_rules_on_text() -> None:
    """A reviewer's edit is the person's statement; so is a draft of a release without claims."""
    draft: Draft = {"text": "We refund 50 USD by Friday.", "citations": [], "claims": []}
    known = facts(passages=[ARTICLE], questions=["Why E42?"])
    assert objections(draft, known, ticket("Help"), "de", edited=True) == []
    assert {o["rule"] for o in objections(draft, known, ticket("Help"), "de")} == {"unanswered"}
    assert rules("We refund 50 USD by Friday.", known, language="de") == set()
    leaking: Draft = {**draft, "text": "See evil.com, cus_bob, 4111 1111 1111 1111."}
    found = objections(leaking, known, ticket("Help"), edited=True)
    assert {o["rule"] for o in found} == {"markup", "personal_data", "secrets"}


def test_number_in_the_customers_name_is_theirs() -> None:
    """A greeting by name is no claim."""
    draft: Draft = {"text": "Hello Studio 54, sign in again.", "citations": []}
    assert objections(draft, facts(), ticket("Help", name="Studio 54")) == []


def test_card_number_never_leaves() -> None:
    """Digits with a card's check digit stay here, even when the customer sent them."""
    for card in ("4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004"):
        assert "secrets" in rules(f"Your card {card}.", asked=card)
    assert rules("Your order 4111111111111112.", asked="4111111111111112") == set()


FORGOT = "Open the sign-in page and choose **Forgot password?** there."
BUTTON = facts(passages=[{**ARTICLE, "text": FORGOT}], questions=["How?"])


@pytest.mark.parametrize(
    "text",
    [
        "On the sign-in page, choose Forgot password?",
        "Choisissez « Forgot password? » sur la page de lancement.",
        "Auf der Anmeldeseite „Forgot password?“ wählen.",
        "サインインページで「Forgot password?」を選びます。",
        "Pick **Forgot password?** when you sign in.",
    ],
)
def test_button_that_asks_may_be_named(text: str) -> None:
    """The article names it so."""
    assert claimed(claim(text, FORGOT), known=BUTTON) == set()


@pytest.mark.parametrize(
    "text",
    [
        "What is your password?",
        "Choose “Your password?” and answer.",
        "Choose Forgot password? What is your code?",
        "“Forgot password?” Which one is yours?",
        "パスワードは何ですか？",
        "What is your password❓",
        "ما هي كلمة المرور؟",
        "Choose Forgot password?\n```What is your password?",
    ],
)
def test_question_of_a_model_may_not_leave(text: str) -> None:
    """Also beside a button that asks."""
    assert "quotes" in claimed(claim(text, FORGOT), known=BUTTON)
