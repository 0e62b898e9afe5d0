"""How a ticket reads before any model does: one of the kinds that ask nothing, or None."""

from collections.abc import Iterable, Iterator, Sequence

from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS
from graphs.text.noise import Reading
from graphs.text.noise.automatic import PREFIXES, automatic
from graphs.text.noise.echo import is_echo
from graphs.text.noise.headers import kind_by_headers
from graphs.text.noise.thanks import agrees_to_thanks, is_sign, is_thanks, may_ask
from graphs.text.noise.wordings import Text, wordings

SUBJECT_CHARS = 200
NAME_CHARS = 100


def reading_of(ticket: Ticket, replies: Sequence[str] = ()) -> Reading | None:
    """What kind of message asks nothing, the surest sign first; None for one that may ask.

    `replies` are those that this thread got. Headers tell first, then wordings; what only looks
    automatic and may hold a question is `doubtful`.
    """
    if why := kind_by_headers(ticket.get("headers", {})):
        return why
    body = ticket["body"][:READ_CHARS]
    if any(is_echo(text[:READ_CHARS], replies) for text in _returned(ticket)):
        return "echo"
    text = Text(body)
    if found := _by_wordings(ticket["subject"][:SUBJECT_CHARS], text):
        return found
    if is_sign(body) and not _asks_in_subject(ticket, replies):
        return "thanks"
    if not any(character.isalnum() or character in "?？" for character in body):
        return "empty"
    names = (ticket["customer_name"] or "")[:NAME_CHARS].split()
    thanked = any(is_thanks(text, code, known, names) for code, known in wordings().items())
    over = thanked and not (_asked_before(replies) or _asks_in_subject(ticket, replies))
    return "thanks" if over else None


def only_thanks(ticket: Ticket, replies: Sequence[str] = ()) -> bool:
    """Whether code agrees with a model that says that the ticket asks nothing."""
    asked = _asked_before(replies) or _asks_in_subject(ticket, replies)
    return agrees_to_thanks(ticket["body"], wordings()) and not asked


def _asks_in_subject(ticket: Ticket, replies: Sequence[str]) -> bool:
    """Whether the subject may ask what the text only thanks for in advance.

    On a thread that has a reply of ours, and behind "Re:", it is an old text.
    """
    subject = ticket["subject"][:SUBJECT_CHARS]
    return not replies and not PREFIXES.match(subject) and may_ask(subject, wordings())


def _returned(ticket: Ticket) -> Iterator[str]:
    """What may be a reply of ours: the text, with its sign-off, and a quote that stands alone."""
    body, parts = ticket["body"], ticket.get("set_apart", [])
    if not body.strip():
        yield "\n".join(part["text"] for part in parts)
        return
    yield body
    yield "\n".join([body, *(part["text"] for part in parts if part["kind"] == "signature")])


def _by_wordings(subject: str, body: Text) -> Reading | None:
    """The first language whose wordings say a kind for certain; else `doubtful` if one doubts."""
    found = [automatic(subject, body, code, known) for code, known in wordings().items()]
    said: Iterable[Reading] = [reading for reading in found if reading is not None]
    return next((reading for reading in said if reading != "doubtful"), next(iter(said), None))


def _asked_before(replies: Sequence[str]) -> bool:
    """Whether our newest reply asked something: "ok, thanks" may then be the answer."""
    return bool(replies) and "?" in replies[-1]
