"""What is searched for in a mailbox, as IMAP writes it. Source: RFC 3501, section 6.4.4."""

from collections.abc import Iterable

from app.connectors.email.wire import quoted


def has(name: str, text: str) -> str:
    """Mails with the text in that header."""
    return f"HEADER {name} {quoted(text)}"


def any_of(criteria: Iterable[str]) -> str:
    """Mails that one of the criteria finds; a balanced tree, since servers bound the depth."""
    every = list(criteria)
    if len(every) == 1:
        return every[0]
    half = len(every) // 2
    return f"OR ({any_of(every[:half])}) ({any_of(every[half:])})"
