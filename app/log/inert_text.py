"""Makes text from outside inert: what a terminal would obey stands there escaped."""

import re

# C0 and C1 controls except the line feed, the marks that reorder text (UAX 9), line and paragraph
# separators, and halves of surrogate pairs.
ACTIVE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def inert_text(text: str) -> str:
    """The text as a terminal shows it and nothing more; line feeds stay."""
    return ACTIVE.sub(_escaped, text)


def inert_line(text: str, characters: int) -> str:
    """The same on one line, cut to so many characters before it is escaped."""
    cut = text if len(text) <= characters else f"{text[: characters - 1]}…"
    return inert_text(cut).replace("\n", r"\n")


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
