"""Quotes of wishes: does the quoted sentence stand in what the customer or a reviewer wrote?"""

from graphs.state import SupportState, Ticket
from graphs.text.bounds import normalized

# Letters and digits that a quoted wish has at least: less stands in every ticket.
WISH_CHARS = 4
QUOTATION = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


def own_words(state: SupportState, ticket: Ticket) -> list[str]:
    """What the customer writes now: on a thread that has begun, its subject is an old text."""
    memory = state.get("memory")
    begun = memory is not None and bool(memory["window"] or memory["summary"])
    return [ticket["body"]] if begun else [ticket["subject"], ticket["body"]]


def is_said(wish: str, texts: list[str]) -> bool:
    """Whether the quoted wish stands in one of the texts as `plainly` gives them."""
    quote = plainly(wish)
    letters = sum(character.isalnum() for character in quote)
    return letters >= WISH_CHARS and any(quote in text for text in texts)


def plainly(text: str) -> str:
    """The text in small letters with single spaces and plain quotation marks."""
    return " ".join(normalized("NFKC", text).casefold().translate(QUOTATION).split())
