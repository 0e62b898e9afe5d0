"""Changes of a ticket's fields.

RT answers 200 with a list of sentences, refusals among them and in the language of the user, so
what was done is seen only by reading the ticket again.
"""

from collections.abc import Sequence
from typing import Any

from app.connectors.helpdesk import (
    AlreadyPosted,
    Answer,
    Change,
    Gone,
    Posted,
    Refused,
)
from app.connectors.request_tracker.rest2 import (
    PRECONDITION_FAILED,
    Rest2,
    Ticket,
    refusal,
    words_of,
)
from app.connectors.request_tracker.settings import RequestTrackerSettings
from tools.errors import UnavailableError

ATTEMPTS = 3


async def change_ticket(rest: Rest2, ticket_id: str, change: Change) -> Answer:
    """Make the ticket as the change says. AlreadyPosted when it is so already.

    Raises:
        UnavailableError: others changed the ticket each time between our reading and writing.
    """
    if (change.tags_add or change.tags_remove) and rest.settings.tags_field is None:
        return Refused("the connection names no custom field for tags (tags_field)")
    for _ in range(ATTEMPTS):
        ticket = await rest.ticket(ticket_id)
        if isinstance(ticket, Gone | Refused):
            return ticket
        wanted = _wanted(rest.settings, ticket, change)
        if not wanted:
            return AlreadyPosted(ticket.stamp)
        path = f"/ticket/{ticket_id}"
        answer = await rest.call("PUT", path, body=wanted, if_match=ticket.stamp)
        if answer.status == PRECONDITION_FAILED:
            continue
        if not answer.ok:
            return refusal(answer)
        return await _outcome(rest, ticket_id, change, words_of(answer))
    raise UnavailableError("others change the ticket at this moment")


async def _outcome(rest: Rest2, ticket_id: str, change: Change, said: str) -> Answer:
    """Posted when the ticket is now as the change says, else Refused with RT's sentences."""
    ticket = await rest.ticket(ticket_id)
    if isinstance(ticket, Gone | Refused):
        return ticket
    if _wanted(rest.settings, ticket, change):
        return Refused(said)
    return Posted(ticket.stamp)


def _wanted(settings: RequestTrackerSettings, ticket: Ticket, change: Change) -> dict[str, Any]:
    """The fields that are not yet as the change says."""
    now = {
        "Status": ticket.Status,
        "Priority": ticket.Priority,
        "Queue": ticket.Queue.Name,
        "Owner": ticket.Owner.id,
    }
    new = {
        "Status": settings.status_of(change.status) if change.status else None,
        "Priority": str(settings.priority_of(change.priority)) if change.priority else None,
        "Queue": change.group or None,
        "Owner": change.assignee,
    }
    wanted: dict[str, Any] = {
        name: value
        for name, value in new.items()
        if value is not None and value.casefold() != now[name].casefold()
    }
    if settings.tags_field and (change.tags_add or change.tags_remove):
        known = ticket.values(settings.tags_field) or []
        tags = _tags(known, change.tags_add, change.tags_remove)
        if sorted(tags) != sorted(known):
            wanted["CustomFields"] = {settings.tags_field: tags}
    return wanted


def _tags(known: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> list[str]:
    """RT replaces all values of a field, so those of others are kept by naming them."""
    return [tag for tag in dict.fromkeys([*known, *add]) if tag not in remove]
