"""Harmless calls that say what of a Zendesk is set up, and what is missing.

They walk through the list of docs/connect/zendesk.md for the first day: what only a real account
can show is looked at there, and said in a sentence.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from app.connectors.answers import Wire, read_as
from app.connectors.connector import Check, Opened, as_far_as_it_comes
from app.connectors.zendesk.api import NOT_FOUND, ZendeskApi, time_of, words_of
from app.connectors.zendesk.history import History
from app.connectors.zendesk.hook import NEEDED, TYPE
from app.connectors.zendesk.shapes import (
    Audit,
    Id,
    MaybeList,
    Ticket,
    User,
)
from app.log.inert_text import inert_line

# A hook's timestamp may be five minutes off; two leave room for its way.
CLOCK_SECONDS = 120
NAME_CHARS = 60
# No account has a ticket of this number: who may update tickets is answered 404.
NO_TICKET = 999_999_999_999_999


class _Me(Wire):
    user: User


class _Tickets(Wire):
    tickets: tuple[Ticket, ...]


class _Found(Wire):
    results: Annotated[tuple["_Ref", ...], MaybeList] = ()


class _Ref(Wire):
    id: Id


class _Hook(Wire):
    endpoint: str = ""
    status: str = ""
    subscriptions: Annotated[tuple[str, ...], MaybeList] = ()


class _Hooks(Wire):
    webhooks: tuple[_Hook, ...]


async def check(opened: Opened) -> list[Check]:
    """The findings, as far as the calls come."""
    found = await as_far_as_it_comes(_checks(ZendeskApi(opened)), "Zendesk")
    return [*found, _secret(opened)]


async def _checks(api: ZendeskApi) -> AsyncIterator[Check]:
    answer = await api.call("GET", "/users/me.json")
    if not answer.ok:
        says = f"Zendesk does not show the bot's user: {words_of(answer)}."
        yield Check("connection", ok=False, says=says)
        return
    yield Check("connection", ok=True, says="Zendesk answers and gives access tokens.")
    yield _clock(time_of(answer))
    yield _bot(api, read_as(_Me, answer.json()).user)
    yield await _may_read(api)
    yield await _may_write(api)
    if names := sorted({*api.settings.groups.values()} | _outcome_groups(api)):
        yield await _groups(api, names)
    yield await _keys(api)
    yield await _webhook(api)


def _clock(theirs: datetime | None) -> Check:
    """How far its clock is from ours."""
    if theirs is None:
        return Check("clock", ok=True, says="Zendesk does not say what time it is.")
    off = round((theirs - datetime.now(UTC)).total_seconds())
    way = "ahead of" if off > 0 else "behind"
    ok = abs(off) <= CLOCK_SECONDS
    more = "" if ok else " Hooks are refused when they are five minutes apart: set our clock."
    return Check("clock", ok=ok, says=f"Zendesk's clock is {abs(off)} s {way} ours.{more}")


def _bot(api: ZendeskApi, user: User) -> Check:
    """Whether the token acts as the user of the settings, and whether that is an agent."""
    name = inert_line(user.name or "?", NAME_CHARS)
    if user.id != api.settings.bot_id:
        says = f"The token acts as {name}, whose id is {user.id}: set bot_id to that."
        return Check("bot", ok=False, says=says)
    if not user.is_staff or user.suspended:
        says = f"{name} is no agent, or is suspended: give the user the role of an agent."
        return Check("bot", ok=False, says=says)
    more = " No person may work with it: their replies would count as the bot's."
    return Check("bot", ok=True, says=f"The token acts as {name} ({user.role}).{more}")


async def _may_read(api: ZendeskApi) -> Check:
    """Whether the newest ticket, its comments and its updates can be read, and in which order."""
    query = {"sort": "-updated_at", "page[size]": "1"}
    answer = await api.call("GET", "/tickets.json", query=query)
    if not answer.ok:
        says = f"The bot sees no tickets ({words_of(answer)}): give the scope tickets:read."
        return Check("reading", ok=False, says=says)
    tickets = read_as(_Tickets, answer.json()).tickets
    if not tickets:
        return Check("reading", ok=False, says="The bot sees no ticket: make a first one.")
    await api.comments(tickets[0].id)
    audits, _ = await api.pages(f"/tickets/{tickets[0].id}/audits.json", "audits", Audit)
    ids = [int(audit.id) for audit in audits]
    if ids != sorted(ids, reverse=True):
        says = f"The bot reads ticket {tickets[0].id}; Zendesk lists its updates oldest first."
        return Check("reading", ok=True, says=f"{says} One of more than 2,000 gets no reply.")
    says = f"The bot reads ticket {tickets[0].id}, its comments and its updates."
    return Check("reading", ok=True, says=says)


async def _may_write(api: ZendeskApi) -> Check:
    """Whether an update would be taken, by one of a ticket that cannot be there."""
    body = {"ticket": {"additional_tags": ["deskgraph"]}}
    answer = await api.call("PUT", f"/tickets/{NO_TICKET}.json", body=body)
    if answer.status == NOT_FOUND:
        return Check("writing", ok=True, says="The bot may update tickets.")
    says = f"The bot may not update tickets ({words_of(answer)}): give the scope tickets:write."
    return Check("writing", ok=False, says=says)


def _outcome_groups(api: ZendeskApi) -> set[str]:
    return {change.group for change in api.settings.outcomes.values() if change.group}


async def _groups(api: ZendeskApi, names: list[str]) -> Check:
    """Whether the groups that the settings name are there."""
    groups = await api.groups()
    known = {group.name for group in groups} | {group.id for group in groups}
    missing = [inert_line(name, NAME_CHARS) for name in names if name not in known]
    if missing:
        return Check("groups", ok=False, says=f"Zendesk has no group {', '.join(missing)}.")
    return Check("groups", ok=True, says="The groups of the settings are there.")


async def _keys(api: ZendeskApi) -> Check:
    """Whether our key stands on the bot's newest comment: without it, a reply could come twice."""
    query = {
        "query": f"type:ticket commenter:{api.settings.bot_id}",
        "sort_by": "updated_at",
        "sort_order": "desc",
    }
    answer = await api.call("GET", "/search.json", query=query)
    refs = read_as(_Found, answer.json()).results if answer.ok else ()
    if not refs:
        says = "The bot has not written yet: let it answer a ticket, then test again."
        return Check("keys", ok=True, says=says)
    history = History(await api.audits(refs[0].id), api.settings.bot_id)
    ours = [one for one in history.audits if one.author_id == api.settings.bot_id]
    if any(one.comment_id and one.comment_id not in history.keys for one in ours[:1]):
        says = f"The bot's last comment on ticket {refs[0].id} has no key of ours."
        return Check("keys", ok=False, says=f"{says} Does a person work with its account?")
    return Check("keys", ok=True, says=f"Our keys stand on the bot's comments ({refs[0].id}).")


async def _webhook(api: ZendeskApi) -> Check:
    """Whether a webhook is there for this connection, with the events that are needed."""
    answer = await api.call("GET", "/webhooks", query={"page[size]": 100})
    if not answer.ok:
        says = "The bot may not see webhooks, so look yourself whether all events are subscribed."
        return Check("webhook", ok=True, says=says)
    address = f"/v1/hooks/{api.opened.id}"
    hooks = read_as(_Hooks, answer.json()).webhooks
    ours = [hook for hook in hooks if hook.endpoint.endswith(address)]
    if not ours:
        return Check("webhook", ok=False, says=f"Zendesk has no webhook to {address}.")
    missing = _wanted_events(api) - {event for hook in ours for event in hook.subscriptions}
    if missing:
        names = ", ".join(sorted(event.removeprefix(TYPE) for event in missing))
        return Check("webhook", ok=False, says=f"The webhook is not subscribed to: {names}.")
    if any(hook.status != "active" for hook in ours):
        return Check("webhook", ok=False, says="The webhook is not active: Zendesk stopped it.")
    return Check("webhook", ok=True, says="The webhook is active and subscribed to all events.")


def _wanted_events(api: ZendeskApi) -> set[str]:
    settings: Any = api.settings
    more = {
        "group_assignment_changed": settings.bot_group_id,
        "tags_changed": settings.handback_tag,
    }
    return {f"{TYPE}{name}" for name in (*NEEDED, *(name for name, on in more.items() if on))}


def _secret(opened: Opened) -> Check:
    if opened.credentials.hook_secrets:
        return Check("signature", ok=True, says="The webhook's signing secret is set.")
    says = "webhook_secret is not set, so every hook is refused: give the webhook's signing secret."
    return Check("signature", ok=False, says=says)
