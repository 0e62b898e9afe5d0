"""A customer's question that code may repeat to them in its own sentence."""

import re
from collections.abc import Sequence

# The number or the mark of a list's item.
ITEM = re.compile(r"(?:\d{1,2}[.)]|[-*\u2022])\s{1,3}")
# One line of words that ends as a question does. No point, colon, slash or sign of an address, so
# it holds no link; no bracket or quotation mark, so it is no markup and stays within ours.
PLAIN = re.compile(r"[\w¿][\w ,;'\u2019%+&€$£-]{6,118}[?？]")
READ_CHARS = 130
# More figures may be a telephone or card number.
MAX_FIGURES = 4


def quotable(questions: Sequence[str]) -> str | None:
    """The one question, if it is short, plain and asked as a question; else None.

    The sender of a ticket may be forged, so what is repeated could reach another person: it must
    hold nothing to follow, call or pay to.
    """
    if len(questions) != 1:
        return None
    # What is cut off is no question mark, so a longer text is refused.
    asked = questions[0].strip()[:READ_CHARS]
    item = ITEM.match(asked)
    said = asked[item.end() :] if item else asked
    figures = sum(character.isdigit() for character in said)
    return said if PLAIN.fullmatch(said) and figures <= MAX_FIGURES else None
