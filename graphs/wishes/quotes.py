"""Quotes of wishes: does the quoted sentence stand in what the customer or a reviewer wrote?"""

from collections.abc import Sequence
from dataclasses import dataclass

from graphs.state import SupportState
from graphs.text.bounds import normalized

# Letters and digits that a quoted wish has at least: less stands in every ticket.
WISH_CHARS = 4
QUOTATION = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


@dataclass(frozen=True, slots=True)
class Said:
    """The customer's own texts, and what a reviewer wishes."""

    own: Sequence[str]
    guidance: Sequence[str] = ()

    @property
    def text(self) -> str:
        """All that the customer wrote; what stands apart is apart."""
        return "\n\n".join(self.own)

    def quoted(self, wish: str) -> bool:
        """Whether the quoted wish is the customer's."""
        return is_said(wish, self.own)

    def by_reviewer(self, wish: str) -> bool:
        """Whether the quoted wish is a reviewer's, who is a person of the tenant."""
        return is_said(wish, self.guidance)


def own_words(state: SupportState) -> list[str]:
    """What the customer writes now: on a thread that has begun, its subject is an old text."""
    ticket, memory = state["ticket"], state.get("memory")
    said = memory is not None and bool(memory["window"] or memory["summary"])
    begun = said or bool(state.get("asked_about"))
    return [ticket["body"]] if begun else [ticket["subject"], ticket["body"]]


def is_said(wish: str, texts: Sequence[str]) -> bool:
    """Whether the quoted wish stands in one of the texts word for word."""
    quote = plainly(wish)
    letters = sum(character.isalnum() for character in quote)
    return letters >= WISH_CHARS and any(quote in plainly(text) for text in texts)


def plainly(text: str) -> str:
    """The text in small letters with single spaces and plain quotation marks."""
    return " ".join(normalized("NFKC", text).casefold().translate(QUOTATION).split())
