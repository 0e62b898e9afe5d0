"""The customer's new text: what they wrote now, and what of a mail is set apart from it."""

from typing import Literal, NamedTuple

from typing_extensions import TypedDict

# Stored and shown, so one is added here and never taken away.
Kind = Literal[
    "quote", "forward", "signature", "disclaimer", "headers", "html_hidden", "hidden_characters"
]


class Apart(TypedDict):
    """A part of a message that is shown to people, and that nothing else reads."""

    kind: Kind
    text: str


class NewText(NamedTuple):
    """A message in its two halves; together they hold all of it, but for blanks and markup."""

    text: str
    set_apart: list[Apart]
