"""A quote stands word for word in its source, as whole statements, however it is typeset."""

import pytest

from graphs.reply.quotes import MAX_QUOTE_CHARS, only_quotes, quote_problem
from graphs.state import Quote
from tests.unit.desk import article
from tests.unit.test_checks import source

JAPANESE = (
    "ファイルは2GBまで送れます。「保存できません。」と表示されることがあります。\n"
    "もう一度お試し\nください。送れましたか？はい。\n\n次の場合は返金できません：\n\n"
    "- ギフトカード\n- 割引商品\n"
)
PAGE = """# Refunds

We refund *most* plans. A refund needs an [invoice](https://example.com/help), e.g. a PDF of the
month. Ask z. B. Ann on 3. Juni. Is it free? No. It costs 5. Nothing else does.

## These are not refunded:

The following is not covered:

- Gift cards
- Taxes, see "Tax"
  and its `vat_id`
  - Local ones

You can change these at any time.

- The colour is yours.
- Its name
1) Sign out. Wait a minute.
2) Sign in

| Plan | Price |
|------|------:|
| Pro | 49 EUR |
| Team | 99 EUR |
"""
SOURCES = [
    source("article", "page", PAGE, "Money back"),
    source("article", "ja", JAPANESE),
    source("payment", "pay_1", "Pro plan: 49.00 USD captured on 2026-11-18"),
    *(source("article", id_, article(id_)["text"]) for id_ in ("upload-error-e42", "invoices-ja")),
]


def problem(quote: str, id_: str = "page") -> str | None:
    """Why the quote of an article proves nothing."""
    return quote_problem({"kind": "article", "id": id_, "quote": quote}, SOURCES)


@pytest.mark.parametrize(
    ("quote", "id_"),
    [
        ("We refund most plans.", "page"),
        ("We refund *most* plans", "page"),
        ("  We   refund\n**most** plans. ", "page"),
        ("# Refunds\n\nWe refund most plans.", "page"),
        ("A refund needs an invoice, e.g. a PDF of the month.", "page"),
        ("A refund needs an [invoice](https://example.com/help), e.g. a PDF of the month.", "page"),
        ("Ask z. B. Ann on 3. Juni.", "page"),
        ("Is it free? No.", "page"),
        ("It costs 5. Nothing else does.", "page"),
        ("The following is not covered:\n- Gift cards", "page"),
        ("The following is not covered:\n\n- Taxes, see “Tax” and its vat_id", "page"),
        ("The following is not covered: - Gift cards - Taxes, see Tax and its vat_id", "page"),
        ("The colour is yours.", "page"),
        ("You can change these at any time.\n- Its name", "page"),
        ("1. Sign out. Wait a minute.\n2. Sign in", "page"),
        ("Sign out.", "page"),
        ("2) Sign in", "page"),
        ("| Pro | 49 EUR |", "page"),
        ("Team | 99 EUR", "page"),
        ("| Plan | Price |\n|---|---|\n| Team | 99 EUR |", "page"),
        ("ファイルは2GBまで送れます。", "ja"),
        ("「保存できません。」と表示されることがあります。", "ja"),
        ("もう一度お試しください。", "ja"),
        ("送れましたか？", "ja"),
        ("送れましたか？はい。", "ja"),
        ("次の場合は返金できません：\n- 割引商品", "ja"),
        ("1. 「設定 > 請求」を開き、「請求書」タブを選びます。", "invoices-ja"),
        ("Sign out of Fernboard and sign in again.", "upload-error-e42"),
    ],
)
def test_whole_statement_stands(quote: str, id_: str) -> None:
    """Sentences, items with their lead, rows; a heading before them, and items left out."""
    assert problem(quote, id_) is None


@pytest.mark.parametrize(
    ("quote", "id_"),
    [
        ("We refund", "page"),
        ("refund most plans.", "page"),
        ("a PDF of the month.", "page"),
        ("Ann on 3. Juni.", "page"),
        ("Juni.", "page"),
        ("Is it free", "page"),
        ("Refunds", "page"),
        ("Money back", "page"),
        ("These are not refunded:", "page"),
        ("The following is not covered:", "page"),
        ("Gift cards", "page"),
        ("- Taxes, see Tax and its vat_id", "page"),
        ("Local ones", "page"),
        ("Its name", "page"),
        ("Plan | Price", "page"),
        ("保存できません。", "ja"),
        ("2GBまで送れます。", "ja"),
        ("次の場合は返金できません：", "ja"),
        ("割引商品", "ja"),
    ],
)
def test_fragment_shows_nothing(quote: str, id_: str) -> None:
    """It may say the opposite of the whole."""
    assert "fragment" in (problem(quote, id_) or "")


@pytest.mark.parametrize(
    "quote",
    [
        "We refund all plans.",
        "we refund most plans.",
        "We refund most plans!",
        "We refund most plans. It costs 5.",
        "A refund needs an [invoice](https://evil.example/help), e.g. a PDF of the month.",
        "The following is not covered:\n- The colour is yours.",
        "Team | 49 EUR",
        "We do refund most plans.",
    ],
)
def test_other_words_show_nothing(quote: str) -> None:
    """One word, one mark, the target of a link, or two statements made one."""
    assert "does not stand" in (problem(quote) or "")


@pytest.mark.parametrize("number", ["3", "12"])
def test_number_of_a_step_is_the_articles(number: str) -> None:
    """The order of steps is a statement, too."""
    assert problem(f"{number}. Sign out. Wait a minute.") is not None


def test_quote_names_its_source() -> None:
    """By kind and id; a line of the books is quoted whole."""
    line = SOURCES[2]["text"]
    assert quote_problem({"kind": "payment", "id": "pay_1", "quote": line}, SOURCES) is None
    for kind, id_ in (("payment", "pay_2"), ("article", "pay_1"), ("effect", "pay_1")):
        found = quote_problem({"kind": kind, "id": id_, "quote": line}, SOURCES)  # type: ignore[typeddict-item]
        assert "no source" in (found or "")
    part = quote_problem({"kind": "payment", "id": "pay_1", "quote": line[:20]}, SOURCES)
    assert "fragment" in (part or "")


@pytest.mark.parametrize("quote", ["", " \n", "**", "\u200b", "x" * (MAX_QUOTE_CHARS + 1)])
def test_quote_has_a_length(quote: str) -> None:
    """Nothing shows nothing; so does what is too long to be read."""
    assert problem(quote) is not None


@pytest.mark.parametrize(
    "said",
    [
        "```Your ban is lifted.",
        "> ~~~ Your ban is lifted.",
        "<!-- Your ban is lifted. -->",
        "[We refund most\nplans.](Your_ban_is_lifted)",
    ],
)
def test_what_is_read_as_no_words_adds_nothing(said: str) -> None:
    """A fence, a comment or a target would reach the verifier in a quote, or the customer."""
    said = said if "refund" in said else f"We refund most plans.\n{said}"
    assert problem(said) is not None
    evidence: list[Quote] = [
        {"kind": "article", "id": "page", "quote": "We refund most plans."},
        {"kind": "article", "id": "page", "quote": said},
    ]
    assert not only_quotes({"question": "q1", "text": said, "evidence": evidence})


def test_code_of_an_article_may_be_quoted() -> None:
    """With its fence, or without."""
    text = "Type this:\n\n```bash\ndeskgraph dev\n```\n"
    found = [source("article", "code", text)]
    for said in ("Type this:\n```bash\ndeskgraph dev\n```", "Type this:\n```\ndeskgraph dev\n```"):
        assert quote_problem({"kind": "article", "id": "code", "quote": said}, found) is None


WARNING = """We never write "Your account is blocked! Send us your password."

Take care of „Sie haben gewonnen. Rufen Sie an.“ It is a scam. We write "Hello." first.
"""


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("Send us your password.", False),
        ("Rufen Sie an.", False),
        ('We never write "Your account is blocked! Send us your password."', True),
        ("It is a scam.", True),
        ('We write "Hello." first.', True),
    ],
)
def test_sentence_within_quotation_marks_is_a_fragment(quote: str, stands: bool) -> None:
    """The article warns of it."""
    found = [source("article", "scam", WARNING)]
    said = quote_problem({"kind": "article", "id": "scam", "quote": quote}, found)
    assert (said is None) == stands


SPEEDS = """## Steps

1. Open the app.
2. Choose the speed:
   - Slow: within a day
   - Fast: at once
     - not abroad
     - not on Sundays
   - Never

Mind:

- Cards do not count
"""


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("2. Choose the speed:\n   - Fast: at once", True),
        ("Choose the speed:\n- Never", True),
        ("Choose the speed:\n- Slow: within a day\n- Fast: at once", True),
        ("Choose the speed:\n- Fast: at once\n  - not abroad", True),
        ("Choose the speed:\n- Fast: at once\n  - not on Sundays", False),
        ("Choose the speed:\n- not abroad", False),
        ("1. Open the app.\n2. Choose the speed:\n- Never", True),
        ("1. Open the app.\n7. Choose the speed:\n- Never", False),
        ("3. Choose the speed:\n- Never", False),
        ("Open the app. Never", False),
        ("Fast: at once", False),
        ("Choose the speed:", False),
        ("Choose the speed:\n- Cards do not count", False),
    ],
)
def test_item_introduces_the_items_within_it(quote: str, stands: bool) -> None:
    """As a line above a list does; the number of its step is held to the article as well."""
    found = [source("article", "speeds", SPEEDS)]
    said = quote_problem({"kind": "article", "id": "speeds", "quote": quote}, found)
    assert (said is None) == stands
