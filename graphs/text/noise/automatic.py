"""Automatic replies, bounces and bulk mail that came without their headers, by known wordings.

A wording alone ignores nothing: no sentence may ask anything or speak of the product.
"""

import re

from graphs.text.noise import Reading
from graphs.text.noise.wordings import UNSPACED, Text, Wordings, holds

# What mail programs put before a subject: reply and forward.
PREFIXES = re.compile(
    r"\A\s*(?:(?:re|aw|wg|fwd?|tr|rv|sv|vs|antw|rif|enc|ref|res|r|i)\s?[:：]\s?){1,9}",
    re.IGNORECASE,
)
# Where the name of a notice ends and its own words begin: "Automatic reply: Your ticket".
HEAD = re.compile(r"\s[-–—|]\s|[:：(\[|,]")
# What may follow the name without a mark: "Out of office until Monday".
FOLLOWING = frozenset(
    "until till from to since bis vom ab von seit jusqu du des au le hasta del desde fino dal dall"
    " al ate de desde tot van vanaf on returned re aw".split()
)
SHORT_WORDS, SIGNATURE_WORDS = 4, 8
# Two wordings of a newsletter's footer: one alone may stand in a customer's question about it.
BULK_SIGNS = 2
# So many words above a footer may be a person's message.
ABOVE_WORDS = 60
QUESTION_MARKS = frozenset("?？¿؟")


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


def is_named(subject: str, language: str, names: tuple[str, ...]) -> bool:
    """Whether the subject is the name of a notice, with nothing of its own but after a mark."""
    plain = PREFIXES.sub("", subject, count=1)
    if language in UNSPACED:
        return Text(plain).in_words(language).startswith(names)
    head = Text(HEAD.split(plain, maxsplit=1)[0]).in_words(language)
    for name in names:
        if head.startswith(name):
            rest = head.removeprefix(name).split()
            if not rest or rest[0] in FOLLOWING or rest[0].isdigit():
                return True
    return False


def _auto_reply(subject: str, body: Text, language: str, known: Wordings) -> Reading | None:
    named = is_named(subject, language, known["auto_subjects"])
    noticed = holds(body.in_words(language), known["auto_notices"])
    if named:
        return "doubtful" if _asks(body, language, known, excused=True) else "auto_reply"
    if not noticed or _asks(body, language, known, excused=False):
        return None
    return "auto_reply"


def _asks(body: Text, language: str, known: Wordings, *, excused: bool) -> bool:
    """Whether any sentence is more than a notice of absence; of a signature only a long one.

    `excused`: a sentence that says whom to write to instead may ask and name a matter, but no deed.
    """
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
            return True
        if not signed and not _is_notice(sentence.written, words, language, known):
            return True
        signed = signed or (_is_short(words, language) and holds(words, known["sign_offs"]))
    return False


def _is_notice(sentence: str, words: str, language: str, known: Wordings) -> bool:
    said = holds(words, known["away"]) or holds(words, known["auto_notices"])
    return said or "@" in sentence or _is_short(words, language)


def _is_short(words: str, language: str) -> bool:
    return len(words) <= 8 if language in UNSPACED else words.count(" ") <= SHORT_WORDS + 1


def _bounce(subject: str, body: Text, language: str, known: Wordings) -> Reading | None:
    if not is_named(subject, language, known["bounce_subjects"]):
        return None
    for sentence in body.sentences:
        words = sentence.in_words(language)
        if holds(words, known["bounce_notices"]):
            # The report goes on with the mail that did not arrive, which may be a question of ours.
            return "bounce"
        if QUESTION_MARKS & set(sentence.written) or holds(words, known["matters"]):
            return "doubtful"
    return "doubtful" if body.written.strip() else "bounce"


def _bulk(body: Text, language: str, known: Wordings) -> Reading | None:
    words = body.in_words(language)
    if sum(cue in words for cue in known["bulk"]) < BULK_SIGNS:
        return None
    spoken = [sentence.in_words(language) for sentence in body.sentences]
    signs = [words for words in spoken if holds(words, known["bulk"])]
    # The links of a footer stand apart; one sentence with both wordings is a person's.
    plain = len(signs) >= BULK_SIGNS and not _speaks_first(body, language, known)
    return "bulk" if plain and not QUESTION_MARKS & set(body.written) else "doubtful"
