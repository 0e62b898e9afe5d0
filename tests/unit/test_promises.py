"""A reply promises nothing that was not done, and hides nothing that was."""

from typing import Any

import pytest

from app.commands.articles import SourceArticle, read_source
from app.db.knowledge.articles import chunks
from app.models.offline.reply import compose
from graphs.nodes.respond import Reply
from graphs.reply.checks import objections
from tests.unit.desk import ARTICLES, E42, desk, scripted, ticket
from tests.unit.test_checks import ARTICLE, PAYMENT, REFUNDED, facts, refunded, rules

CITED = ("upload-error-e42",)
PROMISES = [
    "We will refund you.",
    "You get your money back.",
    "We'll credit your account.",
    "You get a discount.",
    "Here is a voucher.",
    "This one is free of charge.",
    "We waive the fee.",
    "We have cancelled your plan.",
    "I guarantee it works.",
    "I promise.",
    "Wir erstatten den Betrag.",
    "Der Betrag wird gutgeschrieben.",
    "Wir stornieren das.",
    "Nous allons vous rembourser.",
    "Le reembolsamos todo.",
    "全額返金します。",
]
DISGUISES = [
    "We will REFUND you.",
    "We will ｒｅｆｕｎｄ you.",  # fullwidth
    "We will re\u200bfund you.",  # zero width space
    "We will re\u200d\u2060fund you.",  # joiners
    "We will re\u00adfund you.",  # soft hyphen
    "We will \u202erefund\u202c you.",  # right-to-left override
    "We will 𝐫𝐞𝐟𝐮𝐧𝐝 you.",  # mathematical bold
    # Invisible too, but letters or marks by their category.
    "We will re\u034ffund you.",  # combining grapheme joiner
    "We will re\ufe0ffund you.",  # variation selector
    "We will re\u3164fund you.",  # Hangul filler
    # Another script's letters that look the same.
    "We will r\u0435fund you.",
    "We will ref\nund you.",
]


@pytest.mark.parametrize("text", [*PROMISES, *DISGUISES])
def test_promise_without_an_effect_stays_here(text: str) -> None:
    """In whatever language or spelling."""
    assert "commitments" in rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "If you were charged twice, the duplicate will be refunded.",
        "IF YOU WERE CHARGED TWICE, the duplicate will be refunded!",
    ],
)
def test_rule_may_be_quoted_from_its_article(text: str) -> None:
    """A sentence of an article is the company's word already."""
    assert rules(text, facts(passages=[ARTICLE]), citations=CITED) == set()


@pytest.mark.parametrize(
    "text",
    [
        "We will return the 49.00 USD to your card.",
        "We will send 49.00 USD back to you.",
        "You'll get 49.00 USD.",
    ],
)
def test_known_amount_is_no_licence_to_give_it(text: str) -> None:
    """A payment's amount may be told, not promised."""
    assert "commitments" in rules(text, facts(payments=[PAYMENT]))


def test_credit_card_is_no_credit() -> None:
    """In any of the languages, the card is no promise; a credit is."""
    for card in ("Pay by credit card.", "Une carte de crédit suffit.", "Su tarjeta de crédito."):
        assert "commitments" not in rules(card)
    assert "commitments" in rules("You have a credit of ours.")


def test_part_of_a_sentence_is_no_quote() -> None:
    """Cut off the "not" or the "if", and a rule becomes a promise."""
    rule = "We do not offer refunds after 30 days. We refund it if you ask within 14 days."
    known = facts(passages=[{**ARTICLE, "text": rule}])
    for cut in ("Offer refunds after 30 days.", "We refund it."):
        assert "commitments" in rules(cut, known, citations=CITED)
    assert rules(rule, known, citations=CITED) == set()


def test_quote_that_is_bent_is_a_promise() -> None:
    """The article's words in another order, or with an addition, are not the article's."""
    for bent in (
        "The duplicate will be refunded twice.",
        "You were charged twice, the duplicate will be refunded to you.",
    ):
        assert rules(bent, facts(passages=[ARTICLE]), citations=CITED) == {"commitments"}


def test_effect_is_told_with_its_amount() -> None:
    """What was moved is stated, in exactly these words."""
    known = facts(done=[REFUNDED], payments=[PAYMENT])
    assert rules("We have refunded 49.00 USD for Pro plan.", known) == set()
    assert rules("All is well.", known) == {"effects_stated"}
    assert rules("We have refunded your Pro plan.", known) == {"effects_stated", "commitments"}


def test_each_of_two_effects_is_told() -> None:
    """Telling one of two is hiding the other."""
    known = facts(done=[REFUNDED, refunded(5800, "JPY", "Team seat")])
    one, other = known["sentences"]
    assert rules(one, known) == rules(other, known) == {"effects_stated"}
    assert rules(f"{one} {other}", known) == rules(f"{other}\n{one}", known) == set()


def test_sentence_of_an_effect_that_no_rule_knows_leaves() -> None:
    """The rules read what the model wrote; a true sentence of code is none of their business."""
    trial = "We have extended your trial of Pro plan by 14 days, until 2026-12-24."
    fact: Any = {"tool": "extend_trial", "sentence": trial, "values": ["Pro plan", "14"]}
    known: Any = {**facts(), "effects": [fact], "sentences": [trial]}
    assert rules(f"Hello Ann,\n\n{trial}", known) == set()
    assert rules("Hello Ann,", known) == {"effects_stated"}
    assert "commitments" in rules(f"Hello Ann,\n\n{trial}", facts())


SEATS = [refunded(about="Team seat May"), refunded(about="Team seat June")]


def test_two_effects_of_one_amount_license_two_sentences() -> None:
    """Two months at the same price are two refunds, told one by one."""
    told = "\n".join(f"We have refunded 49.00 USD for Team seat {m}." for m in ("May", "June"))
    assert rules(told, facts(done=SEATS)) == set()


def test_one_sentence_does_not_tell_two_effects_of_one_amount() -> None:
    """Saying it once hides the other, also when both are called the same."""
    told = "We have refunded 49.00 USD for Team seat May."
    assert "effects_stated" in rules(told, facts(done=SEATS))
    assert "effects_stated" in rules(told, facts(done=[SEATS[0], SEATS[0]]))
    assert rules(f"{told} {told}", facts(done=[SEATS[0], SEATS[0]])) == set()


def test_larger_amount_does_not_tell_a_smaller_one() -> None:
    """9.00 USD was moved after an edit: "refunded 49.00 USD" is a lie that contains the truth."""
    known = facts(done=[refunded(900)], payments=[PAYMENT])
    assert "effects_stated" in rules("We have refunded 49.00 USD for Pro plan.", known)


@pytest.mark.parametrize(
    "text",
    [
        "We have refunded 49.00 USD. We will refund 49.00 USD next month, too.",
        "We have refunded 49.00 USD for Pro plan. We will refund 49.00 USD next month, too.",
        "We have refunded 49.00 USD for Pro plan. A further refund: 49.00 USD.",
        "We have refunded 49.00 USD for Pro plan and will cancel your plan.",
        "We have not done what is said here: We have refunded 49.00 USD for Pro plan.",
        "We have refunded 49.00 USD and will cancel your plan.",
        "We have refunded 49.00 USD and send you a voucher.",
    ],
)
def test_true_amount_carries_no_second_promise(text: str) -> None:
    """Naming what was done does not license what was not."""
    known = facts(done=[REFUNDED], payments=[PAYMENT])
    assert "commitments" in rules(text, known)


async def test_what_was_checked_is_what_is_sent() -> None:
    """Characters that the checks look through do not reach the customer."""
    opened = desk("cus_eva", "upload-error-e42")
    trick = Reply(text="Open the file \u202etxt.exe\u200b", citations=list(CITED))
    scripted(opened, Reply=[trick])
    done = await opened.start(E42)
    assert "\u202e" not in done["reply"]["text"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# Platinum\nOpen Settings and choose it.\n\nIt is free.", "Open Settings and choose it."),
        ("# Platinum", "Platinum"),
    ],
)
def test_offline_reply_needs_no_blank_line_below_a_heading(text: str, told: str) -> None:
    """A passage that begins with its heading is quoted without it, unless it is all there is."""
    found = {"article_id": "a", "title": "Platinum", "text": text, "part": "general"}
    reply = compose(ticket("How do I choose Platinum?"), {**facts(passages=[found])})
    assert reply.text.startswith(f"Hello,\n\n{told}")


@pytest.mark.parametrize("article", read_source(ARTICLES), ids=lambda article: article.id)
def test_offline_reply_about_every_article_passes_all_checks(article: SourceArticle) -> None:
    """Each part of each article, asked for by its own title, can be answered from."""
    for part in chunks(article.content):
        asked = ticket(article.title, subject=article.title, name="Ann")
        found: Any = {
            "article_id": article.id,
            "title": article.title,
            "text": part,
            "part": "general",
        }
        known = facts(passages=[found])
        reply = compose(asked, {**known})
        assert reply.citations == [article.id]
        assert len(reply.text) > len("Hello Ann,\n\n") + 20
        draft: Any = reply.model_dump()
        assert objections(draft, known, asked) == []
