"""Makes text from outside inert: what a terminal would obey, and what is unseen, is escaped."""

import re

# C0 and C1 controls except the line feed, the marks that reorder text (UAX 9), line and paragraph
# separators, and halves of surrogate pairs. And what a reader does not see, so that no two texts
# look alike: spaces of no width, fillers, operators that join, tags, and the selectors of variants
# that no emoji has. Not the two joiners, which many languages and emoji need.
ACTIVE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    "\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
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
