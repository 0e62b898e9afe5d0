"""The customer's new text: what they wrote now, and what of a mail is set apart from it."""

from typing import NamedTuple

from graphs.state import Apart


class NewText(NamedTuple):
    """A message in its two halves; together they hold all of it, but for blanks and markup."""

    text: str
    set_apart: list[Apart]
