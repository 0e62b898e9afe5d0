"""Labelled tickets made of a few phrases, for tests that train a model."""

import random

from app.quality.training.examples import Example
from graphs.state import Intent

ABOUT: dict[Intent, tuple[str, ...]] = {
    "billing": ("the invoice", "a charge on my card", "the payment", "a refund", "the price"),
    "technical": ("the upload", "an error message", "the login", "a crash", "the sync"),
    "general": ("the opening hours", "the export", "a colleague", "the settings", "my profile"),
}
VERBS: dict[Intent, tuple[str, ...]] = {
    "billing": ("charged twice", "paid", "billed", "invoiced"),
    "technical": ("broken", "failing", "stuck", "slow"),
    "general": ("changed", "explained", "shared", "found"),
}
BEFORE = ("Why was", "Please look at", "I see", "Can you check", "Tell me about", "When was")
AFTER = ("today", "since Monday", "on my phone", "in the app", "for our team", "last week", "again")


def examples(count: int) -> list[Example]:
    """So many different tickets, the same ones each time."""
    draw = random.Random(3)  # noqa: S311  # no secret
    found: dict[str, Example] = {}
    while len(found) < count:
        intent = draw.choice(tuple(ABOUT))
        words = (BEFORE, ABOUT[intent], VERBS[intent], AFTER, AFTER)
        text = " ".join(draw.choice(one) for one in words)
        found[text] = Example(text, intent)
    return list(found.values())
