"""Where the sentences of a paragraph end, in the product's languages."""

import re

from graphs.text.value_words import ABBREVIATIONS, MONTHS

# A full stop needs a space behind it, "3.5" is no end; Japanese and Chinese write none. What
# stands in corner brackets ends with its sentence, unless it is one by itself. A run of marks is
# tried from its first one only: its length would count twice.
END = re.compile(
    r"(?<![.!?…])[.!?…]+[)\]]*(?=\s|$)|(?<![!?])[!?]+(?=[\u3040-\u9fff])"
    r"|(?<!。)。+(?![」』)。])|(?<![。!?])[。!?]+[」』)]+(?=\s|$|「)"
)
NEXT_WORD = re.compile(r"\s*[(\[]*([^\W\d_]*)")
# Two letters with a full stop between them, as in "z. B." and "U.S.".
INITIALS = re.compile(r"(?<!\w)[^\W\d_]\.\s?[^\W\d_]\Z")
# No abbreviation and no number of a day is longer.
WORD_CHARS = 16


def sentence_ends(paragraph: str) -> list[int]:
    """Where each sentence ends, its mark included; the end of the paragraph is the last.

    A full stop behind an abbreviation, an initial or the number of a day ends none, nor does any
    mark before a small letter.
    """
    ends = [found.end() for found in END.finditer(paragraph) if _ends(paragraph, found)]
    return ends if ends and ends[-1] == len(paragraph) else [*ends, len(paragraph)]


def _ends(paragraph: str, mark: re.Match[str]) -> bool:
    following = NEXT_WORD.match(paragraph, mark.end(), mark.end() + WORD_CHARS)
    word = following[1] if following else ""
    if word[:1].islower():
        return False
    if mark[0] != ".":
        return True
    before = paragraph[max(0, mark.start() - WORD_CHARS) : mark.start()]
    last = before.split()[-1].lstrip("([") if before.split() else ""
    if last.isdecimal():
        return word.casefold() not in MONTHS
    initial = bool(INITIALS.search(before)) or (len(last) == 1 and last.islower())
    return not initial and last.casefold() not in ABBREVIATIONS
