"""Changes of a conversation's fields, each by a call of its own; the status comes last."""

from collections.abc import Sequence
from typing import Any

from app.connectors.answers import read_as
from app.connectors.chatwoot.rest import (
    Conversation,
    Rest,
    Sender,
    Team,
    refusal,
    require_list,
)
from app.connectors.chatwoot.settings import PRIORITIES, STATUSES
from app.connectors.errors import CredentialsError
from app.connectors.helpdesk import Answer, Change, Gone, Overtaken, Posted, Refused, Status


async def change_conversation(rest: Rest, ticket_id: str, change: Change) -> Answer:
    """Make the conversation as the change says; what is already so may be said again."""
    now = await rest.conversation(ticket_id)
    if isinstance(now, Gone | Refused):
        return now
    path = f"/conversations/{ticket_id}"
    if change.priority:
        wanted = {"priority": PRIORITIES[change.priority]}
        if no := await _asked(rest, f"{path}/toggle_priority", wanted):
            return no
    if no := await _label(rest, path, now, change):
        return no
    if no := await _assign(rest, path, change):
        return no
    if change.status and (no := await _set_status(rest, ticket_id, change.status)):
        return no
    return Posted(ticket_id)


async def _asked(rest: Rest, path: str, body: Any) -> Answer | None:
    """What the bot's call was refused with; None when it went well."""
    answer = await rest.call("bot", "POST", path, body=body)
    return None if answer.ok else refusal(answer)


async def _label(rest: Rest, path: str, now: Conversation, change: Change) -> Answer | None:
    """Chatwoot replaces all labels, so those of others are kept by naming them.

    One that the account does not know is dropped without a word.
    """
    add, remove = labels(change.tags_add), labels(change.tags_remove)
    wanted = [one for one in dict.fromkeys([*now.labels, *add]) if one not in remove]
    if sorted(wanted) == sorted(now.labels):
        return None
    try:
        answer = await rest.call("bot", "POST", f"{path}/labels", body={"labels": wanted})
    except CredentialsError:
        # Of an older version, which says so as it refuses a token; replies go on.
        return Refused("This Chatwoot lets its bots change no labels: leave tags out of outcomes.")
    if not answer.ok:
        return refusal(answer)
    missing = sorted(set(add) - set(read_as(list[str], require_list(answer, "labels"))))
    if not missing:
        return None
    return Refused(f"Chatwoot has no label {', '.join(missing)}: make it under Settings > Labels.")


def labels(tags: Sequence[str]) -> list[str]:
    """Tags as titles of labels, which have small letters and no blanks."""
    return ["-".join(tag.lower().split()) for tag in tags]


async def _assign(rest: Rest, path: str, change: Change) -> Answer | None:
    """A group is a team; an assignee is a person's address or name."""
    if change.group:
        answer = await rest.call("agent", "GET", "/teams")
        teams = read_as(list[Team], require_list(answer, "teams"))
        found = [one.id for one in teams if one.name.casefold() == change.group.casefold()]
        if not found:
            return Refused("Chatwoot has no team of that name.")
        if no := await _asked(rest, f"{path}/assignments", {"team_id": found[0]}):
            return no
    if change.assignee:
        answer = await rest.call("agent", "GET", "/agents")
        agents = read_as(list[Sender], require_list(answer, "agents"))
        names = {name.casefold(): one.id for one in agents for name in (one.name, one.email)}
        if (agent := names.get(change.assignee.casefold())) is None:
            return Refused("Chatwoot has no agent of that address or name.")
        return await _asked(rest, f"{path}/assignments", {"assignee_id": agent})
    return None


async def _set_status(rest: Rest, ticket_id: str, status: Status) -> Answer | None:
    """Overtaken for a conversation that is assigned to a person, or that the bot would take back.

    It is read again, since a change of the assignee opens it.
    """
    now = await rest.conversation(ticket_id)
    if isinstance(now, Gone | Refused):
        return now
    wanted = STATUSES[status]
    takes_back = wanted == STATUSES["pending"] and now.person is not None
    if (now.assigned and now.status != wanted) or takes_back:
        return Overtaken()
    path = f"/conversations/{ticket_id}/toggle_status"
    return await _asked(rest, path, {"status": wanted})
