"""The sentences that code says itself: complete in every language, and safe with any value."""

import string
from typing import Any, get_args

import pytest

from graphs.reply.checks import objections
from graphs.reply.checks.draft_case import Case
from graphs.reply.facts import Facts, handed_over
from graphs.state import Draft
from graphs.text.language import language_of
from graphs.text.phrases import LANGUAGES, Key, part_name, phrase, spoken
from tests.unit.desk import ticket
from tests.unit.test_checks import facts

VALUES: dict[str, str | int] = {
    "who": "Maria", "position": 3, "time": "09:00", "amount": "49.00 USD", "about": "Pro plan",
    "part": "billing",
}  # fmt: skip


def places(text: str) -> set[str]:
    """The names of the values that a sentence wants."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", get_args(Key))
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentence_says_every_value(key: Key, language: str) -> None:
    """What the English sentence tells, each language tells."""
    marked = {name: f"<{name}>" for name in VALUES}
    said = phrase(key, language, **marked)
    assert {n for n in VALUES if f"<{n}>" in said} == {
        n for n in VALUES if f"<{n}>" in phrase(key, "en", **marked)
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("de", "de"),
        ("pt-BR", "pt"),
        ("JA", "ja"),
        ("xx", "en"),
        ("", "en"),
        (None, "en"),
        ("por", "pt"),
        ("fil", "en"),
        ("fi", "en"),
        ("de-CH-1996", "de"),
        ("nld-BE", "nl"),
    ],
)
def test_language_that_we_do_not_speak_is_english(code: str | None, expected: str) -> None:
    """A tag may carry a region; "fil" is not cut to "fi", and an unknown tag is no error."""
    assert spoken(code) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_in_their_language(language: str) -> None:
    """The reply that they make together is recognised as the customer's language."""
    keys: tuple[Key, ...] = ("thanks", "taken", "declined")
    assert language_of(" ".join(phrase(key, language) for key in keys))[0] == language


def test_value_is_inserted_as_it_is() -> None:
    """Braces in a name are no place to fill; a missing value is an error, not a gap."""
    assert "{who}" in phrase("taken_by", "en", who="{who}")
    with pytest.raises(KeyError):
        phrase("taken_by", "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", ["billing", "technical", "general"])
@pytest.mark.parametrize("name", ["Maria", "Dr. Kim O'Neil-3rd", "Ｍia\u200b", None])
def test_handed_part_may_be_told(language: str, part: str, name: str | None) -> None:
    """Who has the part, or its place and the opening, exactly when it was handed over so."""
    place, opening = (None, None) if name else (3, "2026-11-23T08:00:00+00:00")
    handoff: Any = {"agent": name and {"name": name}, "queue_position": place, "opens_at": opening}
    step: Any = {"args": {"part": part}, "result": handoff}
    handed = handed_over(step, language)
    assert (name or "2026-11-23 08:00 UTC") in handed["told"]
    draft: Draft = {"text": handed["told"], "citations": []}
    known: Facts = {**facts(), "handed_over": [handed]}
    assert objections(draft, known, ticket("Help"), language) == []
    other: Draft = {**draft, "text": handed["told"].replace(name or "3", "4", 1)}
    assert objections(other, known, ticket("Help"), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("about", ["Team seat October, Annual plan", "Free month 2.0", "pay_4002"])
def test_what_was_not_done_may_be_told(language: str, about: str) -> None:
    """Exactly when a reviewer dropped it, whatever it is called."""
    draft = {"text": phrase("undone", language, about=about), "citations": []}
    dropped = {**facts(), "undone": about.split(", ")}
    assert objections(draft, dropped, ticket("Help"), language) == []  # type: ignore[arg-type]
    assert not Case.of(draft, facts(), ticket("Help"), language, "").own  # type: ignore[arg-type]


def test_unknown_part_keeps_its_name() -> None:
    """A specialist of tomorrow is still told."""
    assert part_name("legal", "de") == "legal"
