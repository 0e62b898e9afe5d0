"""Changes of a ticket's fields: one guarded update, tags among them.

Tags are added and removed by name within that update: a call for tags alone would be let through
where the update itself is refused.
"""

from typing import Any

from app.connectors.answers import read_as
from app.connectors.connector import FieldChange
from app.connectors.helpdesk import (
    AlreadyPosted,
    Answer,
    Change,
    Closed,
    Gone,
    Posted,
    Refused,
)
from app.connectors.zendesk.api import CONFLICT, NUMBER, ZendeskApi, refusal
from app.connectors.zendesk.shapes import Done, Ticket
from tools.errors import UnavailableError

ATTEMPTS = 3


async def change_ticket(api: ZendeskApi, ticket_id: str, change: Change) -> Answer:
    """Make the ticket as the change says. AlreadyPosted when it is so already.

    Raises:
        UnavailableError: others changed the ticket each time between our reading and writing.
    """
    group = await _group(api, change.group) if change.group else None
    if isinstance(group, Refused):
        # A ticket that is gone has no group to be refused.
        found = await api.ticket(ticket_id)
        return found if isinstance(found, Gone) else group
    for _ in range(ATTEMPTS):
        if (answer := await _attempt(api, ticket_id, change, group)) is not None:
            return answer
    raise UnavailableError("others change the ticket at this moment")


async def _attempt(
    api: ZendeskApi, ticket_id: str, change: Change, group: int | None
) -> Answer | None:
    """What became of one look and update; None when another was quicker."""
    ticket = await api.ticket(ticket_id)
    if isinstance(ticket, Gone | Refused):
        return ticket
    if change.assignee and not NUMBER.fullmatch(change.assignee):
        return Refused("an assignee is named by the id of the agent")
    wanted = _wanted(ticket, change, group)
    if not wanted or ticket.is_closed:
        return Closed() if wanted else AlreadyPosted(ticket.updated_at)
    body = {"ticket": {**wanted, **guard_of(ticket)}}
    answer = await api.call("PUT", f"/tickets/{ticket_id}.json", body=body)
    if answer.ok:
        return _outcome(read_as(Done, answer.json()).ticket, change, group)
    return None if answer.status == CONFLICT else refusal(answer)


def guard_of(ticket: Ticket) -> dict[str, Any]:
    """What makes Zendesk refuse an update of a ticket that was changed since."""
    return {"safe_update": True, "updated_stamp": ticket.updated_at}


def _outcome(done: Ticket, change: Change, group: int | None) -> Answer:
    """Zendesk answers 200 also where a rule of the tenant had it otherwise."""
    if left := _wanted(done, change, group):
        return Refused(f"Zendesk left as it was: {', '.join(left)}")
    return Posted(done.updated_at)


def simple_fields(change: FieldChange) -> dict[str, Any]:
    """The fields of an update that need no look at the ticket."""
    tags = {
        "additional_tags": [_tag(tag) for tag in change.tags_add],
        "remove_tags": [_tag(tag) for tag in change.tags_remove],
    }
    found: dict[str, Any] = {name: value for name, value in tags.items() if value}
    found |= {"status": change.status} if change.status else {}
    return found | ({"priority": change.priority} if change.priority else {})


def _wanted(ticket: Ticket, change: Change, group: int | None) -> dict[str, Any]:
    """The fields that are not yet as the change says."""
    now = {
        "status": ticket.status,
        "priority": ticket.priority,
        "group_id": ticket.group_id,
        "assignee_id": ticket.assignee_id,
    }
    new = {
        "status": change.status,
        "priority": change.priority,
        "group_id": group,
        "assignee_id": int(change.assignee) if change.assignee else None,
    }
    wanted: dict[str, Any] = {
        name: value for name, value in new.items() if value is not None and str(value) != now[name]
    }
    added = sorted({_tag(tag) for tag in change.tags_add} - set(ticket.tags))
    removed = sorted({_tag(tag) for tag in change.tags_remove} & set(ticket.tags))
    wanted |= {"additional_tags": added} if added else {}
    return wanted | ({"remove_tags": removed} if removed else {})


def _tag(tag: str) -> str:
    """A tag as Zendesk keeps it: in small letters, and a blank would end it."""
    return "_".join(tag.lower().split())


async def _group(api: ZendeskApi, name: str) -> int | Refused:
    """The id of the group of that name or id."""
    if NUMBER.fullmatch(name):
        return int(name)
    ids = [group.id for group in await api.groups() if group.name == name]
    return int(ids[0]) if ids else Refused(f"Zendesk has no group {name[:80]!r}")
