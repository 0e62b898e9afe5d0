"""The one place where a customer's message becomes the ticket that a run reads."""

from collections.abc import Iterable

from graphs.state import Apart, Ticket
from graphs.text.new_text.characters import without_hidden
from graphs.text.new_text.reading import set_apart

BLANK_LINE = "\n\n"
# What a run shows of what was set apart; all of it stands in the thread's messages.
SHOWN_PARTS, SHOWN_CHARS = 20, 2_000


def ticket_of(
    subject: str, bodies: Iterable[str], language: str | None, customer_name: str | None
) -> Ticket:
    """The ticket with the new text of its messages, oldest first; each is read by itself."""
    ticket: Ticket = {
        "subject": without_hidden(subject),
        "body": "",
        "language": language,
        "customer_name": without_hidden(customer_name) if customer_name else customer_name,
    }
    return with_messages(ticket, bodies)


def with_messages(ticket: Ticket, bodies: Iterable[str]) -> Ticket:
    """The ticket with the new text of further messages behind its own."""
    read = [set_apart(body) for body in bodies]
    texts = [ticket["body"], *(message.text for message in read)]
    parts = [*ticket.get("set_apart", []), *(part for one in read for part in one.set_apart)]
    changed: Ticket = {**ticket, "body": BLANK_LINE.join(text for text in texts if text)}
    if parts:
        changed["set_apart"] = parts
    return changed


def with_body(ticket: Ticket, body: str) -> Ticket:
    """The ticket with another message in place of its own."""
    kept: Ticket = {**ticket, "body": ""}
    kept.pop("set_apart", None)
    return with_messages(kept, [body])


def shown_parts(ticket: Ticket) -> list[Apart]:
    """The beginning of what was set apart, for a run that is shown in a list."""
    return [
        {"kind": part["kind"], "text": part["text"][:SHOWN_CHARS]}
        for part in ticket.get("set_apart", [])[:SHOWN_PARTS]
    ]
