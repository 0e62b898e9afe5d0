"""The sentences that code says itself: complete in every language, and safe with any value."""

from typing import Any

import pytest

from graphs.reply.checks import objections
from graphs.state import Draft
from graphs.text import phrases
from graphs.text.language import language_of
from graphs.text.phrases import DECLINED, THANKS, UNDONE
from tests.unit.desk import ticket
from tests.unit.test_checks import facts
from tools import billing, helpdesk, mail, subscriptions
from tools.helpdesk import TAKEN, TAKEN_BY, handoff_wording
from tools.wording import LANGUAGES, Phrase, places, spoken

PHRASES = {
    name: phrase
    for module in (phrases, billing, helpdesk, mail, subscriptions)
    for name, phrase in vars(module).items()
    if isinstance(phrase, Phrase)
}


@pytest.mark.parametrize("name", PHRASES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentence_says_every_value(name: str, language: str) -> None:
    """What the English sentence tells, each language tells."""
    phrase = PHRASES[name]
    marked = {place: f"<{place}>" for place in places(phrase.en)}
    said = phrase.fill(language, **marked)
    assert all(mark in said for mark in marked.values())


@pytest.mark.parametrize("other", ["", "Wir haben erstattet.", "{amount}{amount}{who}"])
def test_language_that_says_another_value_is_no_phrase(other: str) -> None:
    """A value that one language leaves out, or has alone, is found when the phrase is made."""
    texts = dict.fromkeys(LANGUAGES, "We have refunded {amount}.")
    assert Phrase(**texts).fill("de", amount="49.00 USD") == "We have refunded 49.00 USD."
    with pytest.raises(ValueError, match="other places"):
        Phrase(**{**texts, "de": other})


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
    said = " ".join(phrase.fill(language) for phrase in (THANKS, TAKEN, DECLINED))
    assert language_of(said)[0] == language


def test_value_is_inserted_as_it_is() -> None:
    """Braces in a name are no place to fill; a missing value is an error, not a gap."""
    assert "{who}" in TAKEN_BY.fill("en", who="{who}")
    with pytest.raises(KeyError):
        TAKEN_BY.fill("en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", ["billing", "technical", "general"])
@pytest.mark.parametrize("name", ["Maria", "Dr. Kim O'Neil-3rd", "Ｍia\u200b", None])
def test_handed_part_may_be_said(language: str, part: str, name: str | None) -> None:
    """Who has the part, or its place and the opening."""
    place, opening = (None, None) if name else (3, "2026-11-23T08:00:00+00:00")
    handoff: Any = {"agent": name and {"name": name}, "queue_position": place, "opens_at": opening}
    step: Any = {"tool": helpdesk.HANDOFF.name, "args": {"part": part}, "result": handoff}
    known = facts(done=[step], language=language)
    [sentence] = known["sentences"]
    assert (name or "2026-11-23 08:00 UTC") in sentence
    draft: Draft = {"text": sentence, "citations": []}
    assert objections(draft, known, ticket("Help"), language) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("about", ["Team seat October, Annual plan", "Free month 2.0", "pay_4002"])
def test_what_was_not_done_may_be_said(language: str, about: str) -> None:
    """Code says it as the reviewer dropped it, whatever it is called."""
    draft: Draft = {"text": UNDONE.fill(language, about=about), "citations": []}
    dropped = facts(undone=about.split(", "), language=language)
    assert objections(draft, dropped, ticket("Help"), language) == []


def test_unknown_part_keeps_its_name() -> None:
    """A specialist of tomorrow is still named."""
    waits = {"agent": None, "queue_position": None, "opens_at": None}
    [sentence] = handoff_wording({"part": "legal"}, waits, lambda id_, _description=None: id_)
    assert "legal" in sentence.text("de")
