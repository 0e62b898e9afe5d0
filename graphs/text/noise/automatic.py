"""Automatic replies, bounces and bulk mail that came without their headers, by known wordings.

A wording alone ignores nothing: no sentence may ask anything, speak of the product, or be one that
a notice does not hold.
"""

import re
from functools import lru_cache
from typing import Literal

from graphs.text.noise import Reading
from graphs.text.noise.wordings import (
    UNSPACED,
    WORD,
    Text,
    Wordings,
    holds,
    subject_prefixes,
)

# "Re: Fwd: ": what mail programs put before a subject, in any language.
PREFIXES = re.compile(
    rf"\A\s*(?:(?:{'|'.join(subject_prefixes())})\s?[:：]\s?){{1,9}}", re.IGNORECASE
)
# Where the name of a notice ends and its own words begin: "Automatic reply: Your ticket".
HEAD = re.compile(r"\s[-–—|]\s|[:：(\[|,]")
SHORT_WORDS, SIGNATURE_WORDS = 4, 8
SENTENCE_MARKS = frozenset(".!。！")
# Two wordings of a newsletter's footer: one alone may stand in a customer's question about it.
BULK_SIGNS = 2
# So many words above a footer may be a person's message.
ABOVE_WORDS = 60
QUESTION_MARKS = frozenset("?？¿؟")
# Of a delivery report, beside its subject: two wordings, or one and what only a mail server writes.
BOUNCE_SIGNS = 2
SERVER = re.compile(r"\b[245]\.\d\.\d{1,3}\b|\b5[0-5]\d[ -]|<[^<>@\s]{1,64}@[^<>@\s]{1,255}>:?\s*$",
                    re.MULTILINE)  # fmt: skip
Doubt = Literal["asks", "unknown"]


def automatic(subject: str, body: Text, language: str, known: Wordings) -> Reading | None:
    """What kind of automatic mail this is by the wordings of one language, or None."""
    if found := _bounce(subject, body, language, known):
        return found
    if found := _auto_reply(subject, body, language, known):
        return found
    return _bulk(body, language, known)


def _speaks_first(body: Text, language: str, known: Wordings) -> bool:
    """Whether a short text stands above the footer: a person's, who answered a newsletter."""
    above: list[str] = []
    for sentence in body.sentences:
        words = sentence.in_words(language)
        if holds(words, known["bulk"]):
            break
        above.append(words)
    said = " ".join(above)
    size = len(said) // 2 if language in UNSPACED else len(said.split())
    return 0 < size <= ABOVE_WORDS and (
        holds(said, known["matters"]) or holds(said, known["deeds"])
    )


def is_named(
    subject: str, language: str, names: tuple[str, ...], following: tuple[str, ...]
) -> bool:
    """Whether the subject is the name of a notice, with nothing of its own but after a mark."""
    own, name_of_it = _heads(subject)
    if language in UNSPACED:
        return own.in_words(language).startswith(names)
    head = name_of_it.in_words(language)
    for name in names:
        if head.startswith(name):
            rest = head.removeprefix(name).split()
            if not rest or f" {rest[0]} " in following or rest[0].isdigit():
                return True
    return False


@lru_cache(maxsize=16)
def _heads(subject: str) -> tuple[Text, Text]:
    """The subject without "Re:", and what of it comes before a mark; every language asks."""
    own = PREFIXES.sub("", subject, count=1)
    return Text(own), Text(HEAD.split(own, maxsplit=1)[0])


def _auto_reply(subject: str, body: Text, language: str, known: Wordings) -> Reading | None:
    named = is_named(subject, language, known["auto_subjects"], known["following"])
    if not named and not body.count(language, known["auto_notices"]):
        return None
    doubt = _doubt(body, language, known, excused=named)
    if doubt is None:
        return "auto_reply"
    return "doubtful" if named or doubt == "unknown" else None


def _doubt(body: Text, language: str, known: Wordings, *, excused: bool) -> Doubt | None:
    """Why a sentence may be more than a notice of absence; of a signature only a long one.

    `excused`: a sentence that says whom to write to instead may ask and name a matter, but no deed.
    One of a few words that no notice holds, such as "Restore the notes.", may be an order.
    """
    unknown = False
    signed = False
    for sentence in body.sentences:
        words = sentence.in_words(language)
        asks = bool(QUESTION_MARKS & set(sentence.written))
        if signed and not asks and words.count(" ") <= SIGNATURE_WORDS + 1:
            continue
        asks = asks or holds(words, known["matters"])
        if holds(words, known["deeds"]) or (
            asks and not (excused and holds(words, known["urgent"]))
        ):
            return "asks"
        if not signed and not _is_notice(sentence.written, words, known):
            if not _is_short(words, language):
                return "asks"
            unknown = unknown or not _is_courteous(sentence.written, words, language, known)
        signed = signed or (_is_short(words, language) and holds(words, known["sign_offs"]))
    return "unknown" if unknown else None


def _is_notice(sentence: str, words: str, known: Wordings) -> bool:
    said = holds(words, known["away"]) or holds(words, known["auto_notices"])
    return said or "@" in sentence


def _is_courteous(sentence: str, words: str, language: str, known: Wordings) -> bool:
    """Whether a few words are a greeting, or a name: all with a capital, and no full stop."""
    if language in UNSPACED or not words.strip():
        return True
    courteous = {*known["courtesy"], *known["thanks"], *known["sign_offs"]}
    if all(f" {word} " in courteous for word in words.split()):
        return True
    named = all(not word[0].islower() for word in WORD.findall(sentence))
    return named and sentence.rstrip()[-1:] not in SENTENCE_MARKS


def _is_short(words: str, language: str) -> bool:
    return len(words) <= 8 if language in UNSPACED else words.count(" ") <= SHORT_WORDS + 1


def _bounce(subject: str, body: Text, language: str, known: Wordings) -> Reading | None:
    if not is_named(subject, language, known["bounce_subjects"], known["following"]):
        return None
    for sentence in body.sentences:
        words = sentence.in_words(language)
        if holds(words, known["bounce_notices"]):
            # The report goes on with the mail that did not arrive, which may be a question of ours.
            return "bounce" if _is_report(body, language, known) else "doubtful"
        if QUESTION_MARKS & set(sentence.written) or holds(words, known["matters"]):
            return "doubtful"
    return "doubtful" if body.written.strip() else "bounce"


def _is_report(body: Text, language: str, known: Wordings) -> bool:
    """Whether a mail server wrote it: a person may tell of a mail that did not arrive."""
    words, notices = body.in_words(language), known["bounce_notices"]
    signs = sum(cue in words for cue in notices) + bool(SERVER.search(body.written))
    spoken = (sentence.in_words(language) for sentence in body.sentences)
    alone = all(holds(said, notices) for said in spoken if said.strip())
    return signs >= BOUNCE_SIGNS or alone


def _bulk(body: Text, language: str, known: Wordings) -> Reading | None:
    if body.count(language, known["bulk"]) < BULK_SIGNS:
        return None
    spoken = [sentence.in_words(language) for sentence in body.sentences]
    signs = [words for words in spoken if holds(words, known["bulk"])]
    # The links of a footer stand apart; one sentence with both wordings is a person's.
    plain = len(signs) >= BULK_SIGNS and not _speaks_first(body, language, known)
    return "bulk" if plain and not QUESTION_MARKS & set(body.written) else "doubtful"
