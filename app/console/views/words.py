"""How the pages say times, money and texts from outside."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.log.inert_text import inert_text
from tools.money import format_money

MINUTE, HOUR, DAY = 60, 3600, 86_400
COUNTED = 1000
# A page with every document and message whole could have megabytes.
FOLDED_CHARS = 1_500


def inert(value: object) -> str:
    """A text from outside as it stands: what would reorder or hide text is shown escaped."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return inert_text(text.replace("\r\n", "\n").replace("\t", "    "))


def label(name: str) -> str:
    """A name of the code as words: `refund_payment` is "Refund payment"."""
    return name.replace("_", " ").capitalize()


def plural(number: int, one: str, many: str) -> str:
    """The number with its noun."""
    return f"{number} {one if number == 1 else many}"


def count(number: int) -> str:
    """A count that stops at the largest number that is counted."""
    return f"{COUNTED - 1}+" if number >= COUNTED else str(number)


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    left = int(abs(seconds))
    if left < MINUTE:
        return f"{left} s"
    if left < HOUR:
        return f"{left // MINUTE} min"
    if left < DAY:
        minutes = left % HOUR // MINUTE
        return f"{left // HOUR} h {minutes} min" if minutes else f"{left // HOUR} h"
    hours = left % DAY // HOUR
    return f"{left // DAY} d {hours} h" if hours else f"{left // DAY} d"


def ago(moment_: datetime) -> str:
    """How long ago something was."""
    return f"{duration((datetime.now(UTC) - moment_).total_seconds())} ago"


def until(moment_: datetime) -> str:
    """How long there is until a time, or since when it is over."""
    left = (moment_ - datetime.now(UTC)).total_seconds()
    return f"in {duration(left)}" if left > 0 else f"{duration(left)} ago"


def moment(moment_: datetime) -> str:
    """A time to the minute, in UTC."""
    return moment_.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")


def usd(cost: Decimal | float | None) -> str:
    """What models cost; unknown is not nothing."""
    return "price unknown" if cost is None else f"{cost:.4f} USD"


def rating(score: int, scale: str) -> str:
    """A rating in words: 4 of 5 stars, or a thumb."""
    if scale == "stars":
        return f"{score} of 5 stars"
    return "Thumbs up" if score > 0 else "Thumbs down"


def document(value: Any) -> str:
    """A stored document, indented; its end is left out when it is long."""
    return beginning(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def beginning(text: str) -> str:
    """The beginning of a text that stands behind a fold, inert, and how much is left out."""
    left = len(text) - FOLDED_CHARS
    return inert(text) if left <= 0 else f"{inert(text[:FOLDED_CHARS])}\n… {left} more characters"


def sums(amounts: dict[str, int]) -> str:
    """Sums by currency in one text."""
    return " and ".join(format_money(total, code) for code, total in sorted(amounts.items()))
