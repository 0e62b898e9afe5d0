"""Thanks without a question: all words are courtesy, or a model agrees that nothing is asked."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from graphs.text.noise.automatic import QUESTION_MARKS
from graphs.text.noise.wordings import ANYTHING, UNSPACED, Text, Wordings, holds, wordings
from graphs.text.value_words import any_of

# A longer text says more than thanks.
THANKS_CHARS = 400
AGREED_CHARS = 250
# What people send for thanks without a word, with the selector that makes some of them pictures.
SIGNS = frozenset("👍🙏❤💯👌🎉😊🙂😀😃😄👏♥💪\ufe0f\u200d🏻🏼🏽🏾🏿")


def is_sign(body: str) -> bool:
    """Whether the text is nothing but signs of approval."""
    signs = all(character in SIGNS or character.isspace() for character in body)
    return signs and bool(body.strip())


def is_thanks(body: Text, language: str, known: Wordings, names: Iterable[str]) -> bool:
    """Whether the text thanks, and has no word but those of courtesy in that language and `names`.

    `names` are the customer's: they may sign.
    """
    if len(body.written) > THANKS_CHARS or _may_ask(body.written):
        return False
    words = body.in_words(language)
    if not holds(words, known["thanks"]) or _inverted(body, language, known):
        return False
    if turns(words, known["turns"]):
        return False
    courteous = (*known["thanks"], *known["courtesy"])
    if language in UNSPACED:
        return not _without(words, courteous)
    thanked = [Text(name).in_words(language) for name in _thanked(language).findall(body.written)]
    signed = [Text(name).in_words(language) for name in names]
    allowed = {
        *courteous,
        *signed,
        *(name for name in thanked if not _names_matter(name)),
    }
    return all(f" {word} " in allowed for word in words.split())


@cache
def _thanked(language: str) -> re.Pattern[str]:
    """A colleague by name, "Thank you Mia", in a language that writes spaces."""
    said = any_of(words.strip() for words in wordings()[language]["thanked"])
    return re.compile(rf"(?i:{said}) ([A-Z][^\W\d_]+)")


def _names_matter(word: str) -> bool:
    """Whether the word is of a matter in any language: "thanks Refund" thanks nobody."""
    return any(holds(word, known["matters"]) for known in wordings().values())


def agrees_to_thanks(body: str, languages: Mapping[str, Wordings]) -> bool:
    """Whether code finds nothing against a model's word that a short text only thanks.

    Thanks in one language are enough, and a contradiction or a matter in any is too much.
    """
    if len(body) > AGREED_CHARS or _may_ask(body):
        return False
    text, thanked = Text(body), False
    for language, known in languages.items():
        words = text.in_words(language)
        if holds(words, (*known["but"], *known["matters"])) or turns(words, known["turns"]):
            return False
        if _inverted(text, language, known):
            return False
        thanked = thanked or holds(words, known["thanks"])
    return thanked


def may_ask(subject: str, languages: Mapping[str, Wordings]) -> bool:
    """Whether a subject is a question or names a matter, in any language."""
    text = Text(subject)
    return bool(QUESTION_MARKS & set(subject)) or any(
        holds(text.in_words(language), known["matters"]) or _inverted(text, language, known)
        for language, known in languages.items()
    )


def turns(words: str, cues: Iterable[str]) -> bool:
    """Whether words of courtesy tell of a change for the worse: "it worked ... now it is closed".

    `...` in a wording stands for any words.
    """
    for cue in cues:
        at = 0
        for part in cue.split(ANYTHING):
            at = words.find(part, at)
            if at < 0:
                break
            # The space behind a word is that before the next one.
            at += len(part.rstrip())
        else:
            return True
    return False


def _may_ask(body: str) -> bool:
    """A question mark, a number or a code, an address: too much for thanks."""
    return any(c in QUESTION_MARKS or c.isdigit() or c in "@/<>{}" for c in body)


def _inverted(body: Text, language: str, known: Wordings) -> bool:
    """Whether a sentence begins as a question does, though its mark is missing."""
    return any(
        sentence.in_words(language).startswith(known["openers"])
        for sentence in body.sentences
        if sentence.in_words(language).strip()
    )


def _without(text: str, known: Iterable[str]) -> str:
    """What is left of a text of bare characters without the known wordings, the longest first."""
    for said in sorted(known, key=len, reverse=True):
        text = text.replace(said, "")
    return text
