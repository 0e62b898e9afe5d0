"""Good replies in several languages leave; hostile ones stay, by the rule that is meant for them."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.checks import objections
from graphs.facts import Facts
from graphs.instructions import REPLY, reply_instructions
from graphs.state import Draft, Objection
from tests.unit.desk import article, ticket
from tests.unit.replies import GOOD, HOSTILE, Good
from tests.unit.test_checks import facts

AT_HAND = ("upload-error-e42", "opening-hours")


def known(good: Good) -> Facts:
    """The facts that a good reply was written from."""
    told = facts(
        effects=good.effects, payments=good.payments, passages=[article(a) for a in good.articles]
    )
    return {**told, "handed_over": list(good.handed)}


def judged(text: str, told: Facts, language: str | None, asked: str = "Help") -> list[Objection]:
    """The objections to a draft that cites every article found."""
    cited = [passage["article_id"] for passage in told["passages"]]
    draft: Draft = {"text": text, "citations": cited}
    return objections(draft, told, ticket(asked), language, reply_instructions("run-1"))


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.text[:40])
def test_good_reply_leaves(good: Good) -> None:
    """A false alarm would cost a person's time."""
    assert judged(good.text, known(good), good.language) == []


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in HOSTILE.items() for text in texts]
)
def test_hostile_reply_stays(rule: str, text: str) -> None:
    """The rule that is meant for it sees it, although true articles are at hand and cited."""
    told = facts(passages=[article(a) for a in AT_HAND if rule != "dates"])
    assert rule in {o["rule"] for o in judged(text, told, None)}
