"""Changes of a ticket's fields: all but tags in one locked call, tags one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors.answers import read_as
from app.connectors.helpdesk import AlreadyPosted, Answer, Change, Gone, Posted, Refused
from app.connectors.zammad.rest import Rest, Ticket, refusal, words_of
from app.connectors.zammad.settings import ZammadSettings


async def change_ticket(rest: Rest, ticket_id: str, change: Change) -> Answer:
    """Make the ticket as the change says. AlreadyPosted when it is so already."""
    ticket = await rest.ticket(ticket_id)
    if isinstance(ticket, Gone | Refused):
        return ticket
    wanted = _wanted(rest.settings, ticket, change)
    done = await _change_fields(rest, ticket_id, wanted, change) if wanted else None
    if isinstance(done, Gone | Refused):
        return done
    tagged = await _change_tags(rest, ticket_id, change)
    if isinstance(tagged, Refused):
        return tagged
    return Posted(ticket_id) if wanted or tagged else AlreadyPosted(ticket_id)


def _wanted(settings: ZammadSettings, ticket: Ticket, change: Change) -> dict[str, str]:
    """The fields that are not yet as the change says, by Zammad's names."""
    new = {
        "state": settings.state_of(change.status) if change.status else None,
        "priority": settings.priority_of(change.priority) if change.priority else None,
        "group": change.group or None,
        "owner": change.assignee,
    }
    now = {
        "state": ticket.state,
        "priority": ticket.priority,
        "group": ticket.group,
        "owner": ticket.owner,
    }
    return {
        name: value
        for name, value in new.items()
        if value is not None and value.casefold() != now[name].casefold()
    }


async def _change_fields(
    rest: Rest, ticket_id: str, wanted: dict[str, str], change: Change
) -> Answer:
    """Zammad may take a call and leave a field, such as an owner who may not see the group."""
    body: dict[str, Any] = dict(wanted)
    if change.status == "pending":
        until = datetime.now(UTC) + timedelta(days=rest.settings.pending_days)
        body["pending_time"] = until.isoformat(timespec="seconds")
    answer = await rest.call("PUT", f"/tickets/{ticket_id}", query={"expand": "true"}, body=body)
    if not answer.ok:
        return refusal(answer)
    ticket = read_as(Ticket, answer.json())
    left = [name for name, value in wanted.items()
            if str(getattr(ticket, name)).casefold() != value.casefold()]  # fmt: skip
    return Refused(f"Zammad left unchanged: {', '.join(left)}.") if left else Posted(ticket_id)


async def _change_tags(rest: Rest, ticket_id: str, change: Change) -> bool | Refused:
    """Whether a tag was added or removed; those of others are never named."""
    if not (change.tags_add or change.tags_remove):
        return False
    known = set(await rest.tags(ticket_id))
    add = [("POST", "/tags/add", tag) for tag in dict.fromkeys(change.tags_add) if tag not in known]
    remove = [("DELETE", "/tags/remove", tag) for tag in change.tags_remove if tag in known]
    for method, path, tag in (*add, *remove):
        about = {"object": "Ticket", "o_id": int(ticket_id), "item": tag}
        answer = await rest.call(method, path, body=about)
        if not answer.ok:
            return Refused(f"Zammad does not change a tag: {words_of(answer)}")
    return bool(add or remove)
