"""Harmless calls that say what of a Zammad is set up, and what is missing.

They walk through the list of docs/connect/zammad.md for the first live day, as far as a call shows.
"""

from collections.abc import AsyncIterator

from app.connectors.answers import Wire, read_as
from app.connectors.connector import Check, Opened, as_far_as_it_comes
from app.connectors.first_day import by_hand, takeover, written_twice
from app.connectors.helpdesk import Author
from app.connectors.zammad.rest import Article, Rest, User, words_of
from app.log.inert_text import inert_line

NAME_CHARS = 60
PLAIN = "text/plain"
# The groups of the newest tickets are looked at, each by one call.
TICKETS, GROUPS = 50, 10
# So many of them are read for what the bot and people wrote.
WRITTEN = 5
BY_HAND = by_hand(
    "docs/connect/zammad.md",
    "the reply arrives as a mail, once",
    "the customer's portal shows no note of the bot",
    "every delivery of the webhooks has status 202, with a number, a login and tags",
    "a pending ticket has the date that you mean",
    "a ticket that was merged gets nothing",
)


class _Named(Wire):
    name: str


class _Listed(Wire):
    id: int
    group: str
    state: str = ""


async def check(opened: Opened) -> list[Check]:
    """The findings, as far as the calls come."""
    return await as_far_as_it_comes(_checks(Rest(opened)), "Zammad")


async def _checks(rest: Rest) -> AsyncIterator[Check]:
    answer = await rest.call("GET", "/users/me", query={"expand": "true"})
    if not answer.ok:
        says = f"No REST interface there, or the token may not use it: {words_of(answer)}."
        yield Check("connection", ok=False, says=says)
        return
    yield Check("connection", ok=True, says="Zammad answers and takes the token.")
    user = read_as(User, answer.json())
    yield _bot(rest, user)
    agent = await rest.is_agent()
    says = "The token is an agent's, so its notes stay internal." if agent else (
        "The token is a customer's, and its notes would be public: give the user the role Agent"
        " and the token the permission ticket.agent."
    )  # fmt: skip
    yield Check("agent", ok=agent, says=says)
    if agent:
        for path, kind, wanted in _names(rest):
            yield await _known(rest, path, kind, wanted)
        listed = await _newest(rest)
        async for one in _groups(rest, listed):
            yield one
        yield _field(rest, user)
        for one in await _written(rest, listed):
            yield one
    yield BY_HAND


def _bot(rest: Rest, user: User) -> Check:
    if rest.settings.is_bot(user.login):
        return Check("bot", ok=True, says=f"The token belongs to {rest.settings.bot}.")
    login = inert_line(user.login, NAME_CHARS)
    says = f"The token belongs to {login}, and the setting bot says {rest.settings.bot}."
    return Check("bot", ok=False, says=says)


def _names(rest: Rest) -> tuple[tuple[str, str, set[str]], ...]:
    settings = rest.settings
    states = {settings.state_of(one) for one in ("open", "pending", "solved")}
    priorities = {settings.priority_of(one) for one in ("low", "normal", "high", "urgent")}
    return (
        ("/ticket_states", "states", states),
        ("/ticket_priorities", "priorities", priorities),
    )


async def _known(rest: Rest, path: str, kind: str, wanted: set[str]) -> Check:
    """Whether Zammad has the names that the settings lead to."""
    answer = await rest.call("GET", path, query={"expand": "true"})
    if not answer.ok:
        return Check(kind, ok=False, says=f"Zammad does not show its {kind}: {words_of(answer)}.")
    missing = sorted(wanted - {one.name for one in read_as(list[_Named], answer.json())})
    if missing:
        says = f"Zammad has no {', '.join(missing)}: name yours in the setting {kind}."
        return Check(kind, ok=False, says=says)
    return Check(kind, ok=True, says=f"The {kind} of the settings are there.")


async def _newest(rest: Rest) -> list[_Listed]:
    """The newest tickets that the bot sees."""
    query: dict[str, str | int] = {
        "query": "*", "limit": TICKETS, "sort_by": "id", "order_by": "desc", "expand": "true",
    }  # fmt: skip
    answer = await rest.call("GET", "/tickets/search", query=query)
    return read_as(list[_Listed], answer.json()) if answer.ok else []


async def _groups(rest: Rest, listed: list[_Listed]) -> AsyncIterator[Check]:
    """Whether each group that the bot sees tickets of has an address to send from."""
    newest: dict[str, int] = {}
    for one in listed:
        newest.setdefault(one.group, one.id)
    if not newest:
        says = "The bot sees no ticket: give its user rights on the groups, or make a first ticket."
        yield Check("groups", ok=False, says=says)
    for group, ticket_id in list(newest.items())[:GROUPS]:
        name, may = inert_line(group, NAME_CHARS), await rest.may_mail(str(ticket_id))
        says = f"Group {name} has an address to send from." if may else (
            f"Group {name} has no e-mail address, so replies there cannot be sent: choose one under"
            f" Manage > Groups > {name} > Email."
        )  # fmt: skip
        yield Check("groups", ok=may, says=says)


def _field(rest: Rest, user: User) -> Check:
    """Whether users have the attribute that the settings name; every user shows all of them."""
    field, extra = rest.settings.external_id_field, user.model_extra or {}
    if field is None:
        says = "No external_id_field: no requester is verified, and no account is read."
        return Check("customers", ok=True, says=says)
    if field in extra:
        return Check("customers", ok=True, says=f"Users have the attribute {field}.")
    says = f"Users have no attribute {field}: make it under Manage > Objects > User."
    return Check("customers", ok=False, says=says)


async def _written(rest: Rest, listed: list[_Listed]) -> list[Check]:
    """What became of what the bot wrote last, and of a person's reply, in the newest tickets."""
    read = [(one, await rest.articles(str(one.id))) for one in listed[:WRITTEN]]
    known = [(one, found) for one, found in read if isinstance(found, list)]
    found: list[Check] = []
    for one, articles in known:
        if ours := [a for a in articles if _author(rest, a) == "bot"]:
            found = [_first_reply(one, ours), *_notes_of(one.id, ours)]
            break
    says = "The bot has written nothing yet: write to the desk as a customer, then test again."
    said = [
        (f"ticket {one.id}", [_author(rest, a) for a in articles if not a.internal])
        for one, articles in known
    ]
    return [*(found or [Check("first reply", ok=False, says=says)]), takeover(said)]


def _author(rest: Rest, article: Article) -> Author:
    if article.sender == "Customer":
        return "customer"
    if article.sender != "Agent":
        return "system"
    return "bot" if rest.settings.is_bot(article.created_by) else "person"


def _first_reply(ticket: _Listed, ours: list[Article]) -> Check:
    where = f"What the bot wrote last, in ticket {ticket.id},"
    wrong = None
    if ours[-1].key is None:
        wrong = "lost its key: it is found by its text"
    elif written_twice(one.key for one in ours):
        wrong = "or before it, stands there twice"
    elif ours[-1].content_type != PLAIN:
        wrong = "is not plain text: words of an answer could be read as markup"
    elif ours[-1].type == "email" and ticket.state == "new":
        wrong = "left the ticket new"
    return Check("first reply", ok=wrong is None, says=f"{where} {wrong or 'carries its key'}.")


def _notes_of(ticket_id: int, articles: list[Article]) -> list[Check]:
    notes = [one for one in articles if one.type == "note"]
    if not notes:
        return []
    if all(one.internal for one in notes):
        says = f"The bot's notes in ticket {ticket_id} are internal."
        return [Check("first note", ok=True, says=says)]
    says = f"A note of the bot in ticket {ticket_id} is public: its user is no agent there."
    return [Check("first note", ok=False, says=says)]
