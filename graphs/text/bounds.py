"""How much of a text is read, so that no text costs more than time linear in its length."""

import re
import unicodedata
from typing import Literal

# What search, triage, the offline model and the rules on replies read of a text, in characters;
# a mail's newest text stands first.
READ_CHARS = 8_000
# A run of characters among which combining marks can be: none of them is a letter or a space.
MARKS = re.compile(r"[^\w\s]{31,}")
# Source: UAX 15, 13.1, Stream-Safe Text Format: no writing needs more marks in a row.
MARKS_IN_A_ROW = 30
# Two letters that Unicode spells out as 18 and 8, next to at most 6 for any other: a text of them
# would be read at eighteen times its length. They stay as they are.
WHOLE_PHRASES = re.compile("([\ufdfa\ufdfb]+)")


def normalized(form: Literal["NFC", "NFD", "NFKC"], text: str) -> str:
    """The text in a normal form of Unicode (UAX 15), of marks in a row the first 30.

    To sort the marks on one letter takes time quadratic in their number. The result is at most six
    times as long as the text.
    """
    if text.isascii():
        return text
    plain = MARKS.sub(_without_excess, text)
    if form != "NFKC" or not WHOLE_PHRASES.search(plain):
        return unicodedata.normalize(form, plain)
    others_and_phrases = WHOLE_PHRASES.split(plain)
    others_and_phrases[::2] = (
        unicodedata.normalize(form, part) for part in others_and_phrases[::2]
    )
    return "".join(others_and_phrases)


def _without_excess(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)
