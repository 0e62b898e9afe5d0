"""Harmless calls that say what of an RT is set up, and what is missing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.connectors.answers import Wire, read_as
from app.connectors.connector import Check, Opened, as_far_as_it_comes
from app.connectors.http import HttpAnswer
from app.connectors.request_tracker.rest2 import Items, Ref, Rest2, segment, words_of
from app.log.inert_text import inert_line

# A hook's timestamp may be five minutes off; two leave room for its way.
CLOCK_SECONDS = 120
QUEUES, NAME_CHARS = 50, 60
# What RT's links on a ticket say about the bot's rights there.
LINKS = {"correspond": "ReplyToTicket", "comment": "CommentOnTicket", "lifecycle": "ModifyTicket"}
UNSEEN = "OwnTicket, ShowTicketComments and ModifyCustomField"


class _Named(Wire):
    name: str = ""
    ref: str = ""


class _User(Wire):
    Name: str = ""
    Privileged: Any = 0


class _Queue(Wire):
    Name: str = ""
    TicketTransactionCustomFields: tuple[_Named, ...] = ()


async def check(opened: Opened) -> list[Check]:
    """The findings, as far as the calls come."""
    return await as_far_as_it_comes(_checks(Rest2(opened)), "RT")


async def _checks(rest: Rest2) -> AsyncIterator[Check]:
    answer = await rest.call("GET", "/rt")
    if not answer.ok:
        yield Check("connection", ok=False, says=f"No REST 2 interface there: {words_of(answer)}.")
        return
    version = inert_line(str(answer.json().get("Version", "?")), NAME_CHARS)
    yield Check("connection", ok=True, says=f"RT {version} answers and takes the token.")
    yield _clock(answer)
    yield await _bot(rest)
    async for one in _queues(rest):
        yield one
    yield await _rights(rest)


def _clock(answer: HttpAnswer) -> Check:
    """How far its clock is from ours, by the header Date."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return Check("clock", ok=True, says="RT does not say what time it is.")
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    off = round((theirs - datetime.now(UTC)).total_seconds())
    way = "ahead of" if off > 0 else "behind"
    ok = abs(off) <= CLOCK_SECONDS
    more = "" if ok else " Its hooks are refused when it is five minutes off: set its clock."
    return Check("clock", ok=ok, says=f"RT's clock is {abs(off)} s {way} ours.{more}")


async def _bot(rest: Rest2) -> Check:
    """Whether the user is there and is staff, and whether the token is theirs."""
    name = rest.settings.bot
    answer = await rest.call("GET", f"/user/{segment(name)}")
    user = read_as(_User, answer.json()) if answer.ok else _User()
    if user.Name.casefold() != name.casefold():
        return Check("bot", ok=False, says=f"RT has no user {name}.")
    if not int(user.Privileged or 0):
        says = f"{name} is not privileged: tick 'Let this user be granted rights'."
        return Check("bot", ok=False, says=says)
    # RT shows all fields of a user to that user, and to administrators.
    if "Memberships" not in answer.json():
        return Check("bot", ok=False, says=f"The token belongs to another user than {name}.")
    return Check("bot", ok=True, says=f"{name} is a privileged user and the token is theirs.")


async def _queues(rest: Rest2) -> AsyncIterator[Check]:
    """Whether each queue that the bot sees has the field for our keys."""
    answer = await rest.call("GET", "/queues/all", query={"per_page": QUEUES})
    refs = read_as(list[Ref], read_as(Items, answer.json()).items) if answer.ok else []
    if not refs:
        yield Check("queues", ok=False, says="The bot sees no queue: give it the right SeeQueue.")
    field = rest.settings.key_field
    for ref in refs:
        answer = await rest.call("GET", f"/queue/{segment(ref.id)}")
        queue = read_as(_Queue, answer.json())
        fields = {known.name for known in queue.TicketTransactionCustomFields}
        name = inert_line(queue.Name, NAME_CHARS)
        says = f"Queue {name} has the transaction field {field}."
        if field not in fields:
            says = (
                f"Queue {name} has no transaction field {field}, or the bot may not see it:"
                " apply the field to it and give the right SeeCustomField."
            )
        yield Check("key field", ok=field in fields, says=says)


async def _rights(rest: Rest2) -> Check:
    """What the bot may do with the newest ticket that it sees."""
    query: dict[str, str | int] = {
        "query": "id > 0", "orderby": "id", "order": "DESC", "per_page": 1,
    }  # fmt: skip
    answer = await rest.call("GET", "/tickets", query=query)
    refs = read_as(list[Ref], read_as(Items, answer.json()).items) if answer.ok else []
    if not refs:
        says = "The bot sees no ticket: give it the right ShowTicket, or make a first ticket."
        return Check("rights", ok=False, says=says)
    ticket = (await rest.call("GET", f"/ticket/{segment(refs[0].id)}")).json()
    links = read_as(list[_Named], ticket.get("_hyperlinks", []))
    missing = sorted(set(LINKS.values()) - {LINKS.get(link.ref) for link in links})
    if missing:
        says = f"On ticket {refs[0].id} the bot lacks {', '.join(missing)}."
        return Check("rights", ok=False, says=says)
    says = f"On ticket {refs[0].id} the bot may reply, comment and change it. RT does not show"
    return Check("rights", ok=True, says=f"{says} whether it has {UNSEEN}.")
