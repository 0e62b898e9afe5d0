"""The second opinion on a ticket: words by which it goes to a person, whatever a model says.

A ticket may dictate to the model that it is calm. These words are read by code; they may add a
person and never take one away. The words stand in `alarm_words`, a file for each language, and are
looked for in all languages at once: which one the ticket is in would be another opinion.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from graphs.state import Escalation, Ticket
from graphs.text.bounds import normalized
from graphs.text.tokens import UNSPACED, visible

Kind = Literal["self_harm", "safety", "threat", "law", "data_protection", "anger"]
# In the order in which a person should read of them.
KINDS: tuple[Kind, ...] = get_args(Kind)
DETAILS: dict[Kind, str] = {
    "self_harm": "The customer may harm themselves.",
    "safety": "Someone's safety may be at risk.",
    "threat": "The ticket holds a threat.",
    "law": "The ticket speaks of lawyers, courts or the law.",
    "data_protection": "The ticket speaks of data protection rights.",
    "anger": "The customer is angry.",
}
FOLDER = Path(__file__).parent / "alarm_words"
ACCENT = re.compile("[\u0300-\u036f]")
# Between two words of a phrase, and what `...` stands for: up to four words.
GAP = r"[\s,'-]{1,3}"
WORDS = rf"(?:{GAP}\w{{1,30}}){{0,4}}?{GAP}"
SHOUT = re.compile(r"[!！]{2,}")
LETTERS = re.compile(r"[^\W\d_]{3,}")
# A text of fewer words in capitals may be a name or a code.
SHOUTED_WORDS, SHOUTED_SHARE = 4, 0.5
# Two mild signs together are as good as an open one.
SIGNS = 2


def folded(text: str) -> str:
    """The text in small letters without accents and invisible characters: how customers type."""
    plain = normalized("NFKC", visible(text)).replace("\u2019", "'").casefold()
    return unicodedata.normalize("NFC", ACCENT.sub("", normalized("NFD", plain)))


def phrase_pattern(phrase: str) -> str:
    """The regular expression of one phrase of a data file."""
    words = [re.escape(w).replace(r"\*", r"\w{0,20}") for w in folded(phrase).split()]
    return GAP.join(words).replace(rf"{GAP}\.\.\.{GAP}", WORDS)


def any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all phrases: whole words, or, in a script without spaces, what stands there.

    A phrase that begins like another is behind the longer one, so that the longest counts. Those
    that begin alike stand together: at each word only these are tried.
    """
    return re.compile("|".join(_in_scripts(phrases, letters=1)))


def finders(phrases: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Patterns of which one is found where any phrase stands, whichever that is.

    A script without spaces has its own: tried at every letter of a text, it takes most of the time.
    """
    return tuple(map(re.compile, _in_scripts(phrases, letters=2)))


def _in_scripts(phrases: Iterable[str], letters: int) -> Iterator[str]:
    """The expressions of phrases with and without spaces; `letters` as in `_alternatives`."""
    ordered = sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))
    spaced = [phrase_pattern(p) for p in ordered if not UNSPACED.search(p)]
    unspaced = [phrase_pattern(p) for p in ordered if UNSPACED.search(p)]
    if spaced:
        yield rf"(?<!\w)(?:{_alternatives(spaced, letters)})(?!\w)"
    if unspaced:
        yield _alternatives(unspaced, letters)


def _alternatives(patterns: Sequence[str], letters: int) -> str:
    """The patterns, those that share so many first letters together."""
    if not letters:
        return "|".join(patterns)
    by_letter: dict[str, list[str]] = {}
    for pattern in patterns:
        by_letter.setdefault(pattern[:1], []).append(pattern[1:])
    return "|".join(
        f"{letter}(?:{_alternatives(rest, letters - 1)})"
        if letter.isalpha()
        else "|".join(letter + one for one in rest)
        for letter, rest in by_letter.items()
    )


def words_of(kind: str) -> list[str]:
    """The phrases of a kind in every language."""
    files = [tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))]
    return [phrase for words in files for phrase in words[kind]]


FINDERS = {kind: finders(words_of(kind)) for kind in KINDS}
CROSS = any_of(words_of("cross"))
# Most tickets hold none of all these: they are looked through once.
ANY = finders(phrase for kind in (*KINDS, "cross") for phrase in words_of(kind))


def alarmed(ticket: Ticket) -> Escalation | None:
    """Why a person must read this ticket, by its words alone; None when nothing says so."""
    text = f"{ticket['subject']}\n{ticket['body']}"
    kind = alarm(text)
    return {"reason": "alarm", "detail": DETAILS[kind]} if kind else None


def alarm(text: str) -> Kind | None:
    """The gravest kind of alarm that the text raises."""
    plain = folded(text)
    if not _finds(ANY, plain):
        plain = ""
    raised = (kind for kind in KINDS if _finds(FINDERS[kind], plain))
    return next(raised, None) or ("anger" if mild_signs(text, plain) >= SIGNS else None)


def _finds(patterns: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def mild_signs(text: str, plain: str) -> int:
    """How many different signs of displeasure there are: words, "!!", and shouting in capitals."""
    words = {match[0] for match in CROSS.finditer(plain)}
    return len(words) + bool(SHOUT.search(text)) + shouts(text)


def shouts(text: str) -> bool:
    """Whether most words are in capitals."""
    words = LETTERS.findall(text)
    shouted = sum(word.isupper() for word in words)
    return len(words) >= SHOUTED_WORDS and shouted > len(words) * SHOUTED_SHARE
