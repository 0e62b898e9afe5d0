"""Harmless calls that say what of a Chatwoot is set up, and what is missing.

They walk through the list of docs/connect/chatwoot.md for the first live day, as far as a call
shows.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.connectors.answers import NullableText, Wire, read_as
from app.connectors.chatwoot.desk import author_of
from app.connectors.chatwoot.rest import Message, Meta, Rest, require_list, words_of
from app.connectors.connector import Check, Opened
from app.connectors.errors import ConnectorError, CredentialsError
from app.connectors.first_day import by_hand, takeover, written_twice
from app.connectors.http import HttpAnswer
from app.log.inert_text import inert_line
from tools.errors import UnavailableError

# A hook's timestamp may be five minutes off; two leave room for its way.
CLOCK_SECONDS = 120
INBOXES, NAME_CHARS = 20, 60
# So many conversations are read for what the bot and people wrote.
WRITTEN = 5
BY_HAND = by_hand(
    "docs/connect/chatwoot.md",
    "assigning the bot makes the conversation pending, and it answers what waits",
    "a reply from a paired phone silences the bot",
    "a mail with {{ in it arrives as it was written",
    "an outcome's label joins those that are there",
    "after a channel's window a person gets the draft",
)
NOT_FOUND = 404


class _Inbox(Wire):
    id: int
    name: NullableText = ""


class _Bot(Wire):
    name: NullableText = ""


class _BotOfInbox(Wire):
    agent_bot: _Bot | None = None


class _Ref(Wire):
    id: int
    meta: Meta = Meta()


class _Page(Wire):
    payload: tuple[_Ref, ...]


class _Listed(Wire):
    data: _Page


async def check(opened: Opened) -> list[Check]:
    """The findings, as far as the calls come."""
    found: list[Check] = []
    try:
        async for one in _checks(Rest(opened)):
            found.append(one)  # noqa: PERF401  # what was found stays when a later call fails
    except CredentialsError as error:
        says = f"Chatwoot does not take the agent's token for this: {error}."
        found.append(Check("agent", ok=False, says=says))
    except (ConnectorError, UnavailableError) as error:
        found.append(Check("connection", ok=False, says=f"Chatwoot cannot be used: {error}."))
    return found


async def _checks(rest: Rest) -> AsyncIterator[Check]:
    yield await _bot(rest)
    answer = await rest.call("agent", "GET", "/inboxes")
    inboxes = read_as(list[_Inbox], require_list(answer, "inboxes"))
    account = rest.settings.account_id
    says = f"The agent's token reads account {account} and sees inboxes: {len(inboxes)}."
    if not inboxes:
        says = f"The agent sees no inbox: add them to those of the bot in account {account}."
    yield Check("agent", ok=bool(inboxes), says=says)
    yield _clock(answer)
    answered = 0
    for inbox in inboxes[:INBOXES]:
        if bot := await _bot_of(rest, inbox):
            answered += 1
            name = inert_line(inbox.name, NAME_CHARS)
            says = f"Inbox {name} is answered by the bot {inert_line(bot, NAME_CHARS)}."
            yield Check("inbox", ok=True, says=says)
    if not answered:
        says = (
            "No inbox of the agent has a bot: choose it under"
            " Settings > Inboxes > the inbox > Bot Configuration."
        )
        yield Check("inbox", ok=False, says=says)
    for one in await _written(rest):
        yield one
    yield BY_HAND


async def _written(rest: Rest) -> list[Check]:
    """What became of what the bot and people wrote, in the newest conversations."""
    answer = await rest.call("agent", "GET", "/conversations", query={"status": "all", "page": 1})
    listed = read_as(_Listed, answer.json()).data.payload if answer.ok else ()
    read = [(one.id, await rest.messages(str(one.id))) for one in listed[:WRITTEN]]
    known = [(id_, found) for id_, found in read if isinstance(found, list)]
    says = "The bot has written nothing yet: write to an inbox as a customer, then test again."
    first = Check("first reply", ok=False, says=says)
    for id_, messages in known:
        if ours := [message for message in messages if author_of(message) == "bot"]:
            first = _fate_of(id_, ours)
            break
    said = [(f"conversation {id_}", [author_of(m) for m in messages if not m.private])
            for id_, messages in known]  # fmt: skip
    return [first, takeover(said), _customers(listed)]


def _customers(listed: Sequence[_Ref]) -> Check:
    """How many contacts the widget proved; without a proof a run reads no account."""
    proved = sum(bool(one.meta.hmac_verified) for one in listed)
    says = f"Of the {len(listed)} newest conversations, {proved} have a proved identity."
    return Check("customers", ok=True, says=says)


def _fate_of(conversation_id: int, ours: list[Message]) -> Check:
    where, message = f"What the bot wrote last, in conversation {conversation_id},", ours[-1]
    if written_twice(one.key for one in ours):
        says = f"{where} or before it, stands there twice."
        return Check("first reply", ok=False, says=says)
    if message.status == "failed":
        return Check("first reply", ok=False, says=f"{where} was not delivered by its channel.")
    if message.key is None:
        says = f"{where} lost its key: it is found by its text, and a failure is not noticed."
        return Check("first reply", ok=False, says=says)
    return Check("first reply", ok=True, says=f"{where} carries its key.")


async def _bot(rest: Rest) -> Check:
    """Whether the token is a bot's. No conversation has the number 0, so nothing is written."""
    body = {"content": "test", "message_type": "outgoing", "private": True}
    try:
        answer = await rest.call("bot", "POST", "/conversations/0/messages", body=body)
    except CredentialsError as error:
        says = f"Chatwoot does not take the bot's token in this account: {error}."
        return Check("bot", ok=False, says=says)
    if answer.status != NOT_FOUND:
        return Check("bot", ok=False, says=f"No Chatwoot answers there: {words_of(answer)}.")
    try:
        profile = await rest.call("bot", "GET", "/inboxes")
    except CredentialsError:
        return Check("bot", ok=True, says="Chatwoot answers and takes the bot's token.")
    says = "The bot's token is a person's, so its replies would count as a person's."
    return Check("bot", ok=not profile.ok, says=says if profile.ok else words_of(profile))


def _clock(answer: HttpAnswer) -> Check:
    """How far its clock is from ours, by the header Date."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return Check("clock", ok=True, says="Chatwoot does not say what time it is.")
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    off = round((theirs - datetime.now(UTC)).total_seconds())
    way = "ahead of" if off > 0 else "behind"
    ok = abs(off) <= CLOCK_SECONDS
    more = "" if ok else " Its hooks are refused when it is five minutes off: set its clock."
    return Check("clock", ok=ok, says=f"Chatwoot's clock is {abs(off)} s {way} ours.{more}")


async def _bot_of(rest: Rest, inbox: _Inbox) -> str | None:
    """The name of the bot that answers the inbox."""
    answer = await rest.call("agent", "GET", f"/inboxes/{inbox.id}/agent_bot")
    bot = read_as(_BotOfInbox, answer.json()).agent_bot if answer.ok else None
    return bot.name or "of that inbox" if bot else None
