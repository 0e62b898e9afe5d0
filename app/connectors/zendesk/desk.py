"""Zendesk as a helpdesk.

Our key stands in the metadata of the update that brings a comment, and is looked for among the
ticket's audits before anything is posted. A reply is one update with `safe_update`, which Zendesk
refuses (409) when the ticket was changed since `updated_stamp`. That stamp has whole seconds, so a
ticket that was changed within the last ones is read again when they are over: no change can then
hide behind an equal stamp.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.connectors.answers import read_as
from app.connectors.connector import Opened
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import (
    GONE_VIEW,
    AlreadyPosted,
    Answer,
    Change,
    Closed,
    Gone,
    Helpdesk,
    Overtaken,
    Posted,
    Refused,
    TicketView,
)
from app.connectors.http import HttpAnswer
from app.connectors.keys import stored_key
from app.connectors.zendesk import followups
from app.connectors.zendesk.api import (
    CONFLICT,
    UNPROCESSABLE,
    ZendeskApi,
    error_of,
    refusal,
    words_of,
)
from app.connectors.zendesk.changes import change_ticket, guard_of, simple_fields
from app.connectors.zendesk.history import History
from app.connectors.zendesk.reading import stamp_of, view_of
from app.connectors.zendesk.settings import ZendeskSettings
from app.connectors.zendesk.shapes import Done, Ticket
from app.connectors.zendesk.texts import html_of
from tools.errors import UnavailableError

LOOKS = 3
# Zendesk's clocks are many, so that one second more must be over than the stamp says.
SETTLED = timedelta(seconds=2)
OVERTAKEN = "UpdateConflict"


@dataclass(frozen=True, slots=True)
class Zendesk(Helpdesk):
    """One Zendesk, as the bot sees it."""

    api: ZendeskApi

    async def read(self, ticket_id: str) -> TicketView:
        """The ticket as it is now. The stamp is older than the messages, never newer.

        Raises:
            SettingsError: Zendesk does not let the bot see it.
        """
        shown = await self.api.shown(ticket_id)
        if isinstance(shown, Gone):
            return GONE_VIEW
        if isinstance(shown, Refused):
            raise SettingsError(f"Zendesk does not show the ticket: {shown.why}")
        history = await self._history(ticket_id)
        comments, users = await self.api.comments(ticket_id)
        users = {**users, **{user.id: user for user in shown.users}}
        return view_of(self.settings, shown.ticket, users, history, comments)

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """The comment with the key, or the follow-up ticket that was opened for it."""
        if isinstance(await self.api.ticket(ticket_id), Gone):
            return None
        if found := (await self._history(ticket_id)).find(stored_key(key)):
            return found
        return await followups.find(self.api, ticket_id, key) if self.settings.follow_up else None

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """A public comment. On a closed ticket a follow-up ticket, where the tenant wants those."""
        for _ in range(LOOKS):
            ticket = await self._settled(ticket_id)
            if isinstance(ticket, Gone | Refused):
                return ticket
            history = await self._history(ticket_id)
            if found := history.find(stored_key(key)):
                return AlreadyPosted(found)
            if ticket.is_closed:
                if not self.settings.follow_up:
                    return Closed()
                return await followups.follow_up(self.api, ticket, text, key)
            if stamp_of(ticket, history) != expect:
                return Overtaken()
            self._require_room(ticket, history)
            fields = {**guard_of(ticket), **simple_fields(self.settings.on_reply)}
            answer = await self._post(ticket_id, text, key, public=True, fields=fields)
            if answer is not None:
                return answer
        raise UnavailableError("Zendesk's database refuses the update at this moment")

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """A private comment, which agents see."""
        for _ in range(LOOKS):
            ticket = await self.api.ticket(ticket_id)
            if isinstance(ticket, Gone | Refused):
                return ticket
            history = await self._history(ticket_id)
            if found := history.find(stored_key(key)):
                return AlreadyPosted(found)
            if ticket.is_closed:
                return Closed()
            self._require_room(ticket, history)
            answer = await self._post(ticket_id, text, key, public=False, fields={})
            if answer is not None:
                return answer
        raise UnavailableError("Zendesk's database refuses the update at this moment")

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Change fields; Zendesk is asked only for what is not so already."""
        return await change_ticket(self.api, ticket_id, change)

    @property
    def settings(self) -> ZendeskSettings:
        """The connection's settings."""
        return self.api.settings

    async def _history(self, ticket_id: str) -> History:
        return History(await self.api.audits(ticket_id), self.settings.bot_id)

    async def _settled(self, ticket_id: str) -> Ticket | Gone | Refused:
        """The ticket, once the second of its last change is over.

        Raises:
            UnavailableError: it changes all the time.
        """
        for _ in range(LOOKS):
            ticket = await self.api.ticket(ticket_id)
            if isinstance(ticket, Gone | Refused) or ticket.is_closed:
                return ticket
            over = ticket.changed_at + SETTLED
            if ticket.seen_at is not None and ticket.seen_at >= over:
                return ticket
            left = over - ticket.seen_at if ticket.seen_at else SETTLED
            await asyncio.sleep(min(left, SETTLED).total_seconds())
        raise UnavailableError("the ticket changes all the time")

    def _require_room(self, ticket: Ticket, history: History) -> None:
        """Wait with this ticket alone: Zendesk's own refusal would hold up the connection."""
        if history.is_busy(ticket.seen_at):
            raise UnavailableError("the ticket had its updates for these ten minutes")

    async def _post(
        self, ticket_id: str, text: str, key: str, *, public: bool, fields: dict[str, Any]
    ) -> Answer | None:
        """What became of one update; None when it is to be tried again after another look."""
        comment = {"html_body": html_of(text), "public": public}
        metadata = {"deskgraph_key": stored_key(key)}
        body = {"ticket": {"comment": comment, "metadata": metadata, **fields}}
        answer = await self.api.call("PUT", f"/tickets/{ticket_id}.json", body=body)
        if answer.ok:
            return _posted(answer)
        if answer.status == CONFLICT:
            return Overtaken() if error_of(answer) == OVERTAKEN else None
        if answer.status == UNPROCESSABLE:
            now = await self.api.ticket(ticket_id)
            if isinstance(now, Ticket) and now.is_closed:
                # For a reply the next look opens a follow-up.
                return None if public else Closed()
            return Refused(words_of(answer))
        return refusal(answer)


def _posted(answer: HttpAnswer) -> Posted:
    done = read_as(Done, answer.json())
    if done.audit is not None and (comment_id := done.audit.comment_id):
        return Posted(comment_id)
    raise UnavailableError("Zendesk took the comment and did not say what it calls it")


def desk(opened: Opened) -> Zendesk:
    """The desk of a connection."""
    return Zendesk(ZendeskApi(opened))
