"""Request Tracker as a helpdesk.

Our key stands in a custom field of the transaction, and is looked for before anything is posted.
A reply compares the ticket with the one that was read, takes it for the bot with `If-Match`, which
RT refuses (412) when anything was done meanwhile, and posts: RT guards changes of a ticket, not
messages, so what a person does between those last two calls is not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.connectors.connector import Opened
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import (
    GONE_VIEW,
    AlreadyPosted,
    Answer,
    Author,
    Change,
    Closed,
    DeskMessage,
    Gone,
    Helpdesk,
    Overtaken,
    Posted,
    Refused,
    TicketView,
)
from app.connectors.keys import stored_key
from app.connectors.request_tracker.changes import change_ticket
from app.connectors.request_tracker.requesters import requester_of
from app.connectors.request_tracker.rest2 import (
    NOT_FOUND,
    NUMBER,
    PRECONDITION_FAILED,
    Rest2,
    Ticket,
    Transaction,
    refusal,
    transaction_at,
)
from app.connectors.request_tracker.settings import RequestTrackerSettings
from app.connectors.request_tracker.texts import Body, bodies, newest_headers
from tools.errors import UnavailableError

SYSTEM, UNOWNED = "RT_System", "Nobody"
MESSAGES = "(Type='Create' OR Type='Correspond' OR Type='Comment')"
NOTE = "Comment"


@dataclass(frozen=True, slots=True)
class RequestTracker(Helpdesk):
    """One RT, as the bot sees it."""

    rest: Rest2

    async def read(self, ticket_id: str) -> TicketView:
        """The ticket as it is now. The stamp is older than the messages, never newer.

        Raises:
            SettingsError: RT does not let the bot see it.
        """
        ticket = await self.rest.ticket(ticket_id)
        if isinstance(ticket, Gone):
            return GONE_VIEW
        if isinstance(ticket, Refused):
            raise SettingsError(f"RT does not show the ticket: {ticket.why}")
        done = await self.rest.transactions(ticket_id, MESSAGES)
        texts = await bodies(self.rest, ticket_id, {one.id for one in done})
        headers = await newest_headers(self.rest, ticket_id)
        messages = tuple(
            self._message(ticket, one, texts.get(one.id, Body()), headers.get(one.id, {}))
            for one in done
        )
        return TicketView(
            stamp=ticket.stamp,
            subject=ticket.Subject or "",
            requester=await requester_of(self.rest, ticket),
            messages=messages,
            status=self.settings.our_status(ticket.Status),
            assignee=None if self._is_ours(ticket) else ticket.Owner.id,
            closed=ticket.Status in self.settings.closed_statuses,
        )

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """The transaction with the key."""
        return await self._find(ticket_id, key, None)

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Correspond: RT mails it to the requestors. A ticket that a person owns stays theirs."""
        if found := await self._find(ticket_id, key, text):
            return AlreadyPosted(found)
        ticket = await self.rest.ticket(ticket_id)
        if isinstance(ticket, Gone | Refused):
            return ticket
        if ticket.Status in self.settings.closed_statuses:
            return Closed()
        if ticket.stamp != expect and not await self._only_claimed(ticket_id, expect):
            return Overtaken()
        if self._is_ours(ticket) and (lost := await self._claim(ticket)):
            return lost
        return await self._post(ticket_id, "correspond", text, key)

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """Comment: RT shows it to those with the right ShowTicketComments."""
        if found := await self._find(ticket_id, key, text):
            return AlreadyPosted(found)
        ticket = await self.rest.ticket(ticket_id)
        if isinstance(ticket, Gone | Refused):
            return ticket
        return await self._post(ticket_id, "comment", text, key)

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Change fields; RT is asked only for what is not so already."""
        return await change_ticket(self.rest, ticket_id, change)

    @property
    def settings(self) -> RequestTrackerSettings:
        """The connection's settings."""
        return self.rest.settings

    def _is_bot(self, name: str) -> bool:
        return name.casefold() == self.settings.bot.casefold()

    def _is_ours(self, ticket: Ticket) -> bool:
        """Whether no person owns it."""
        return ticket.Owner.id == UNOWNED or self._is_bot(ticket.Owner.id)

    def _author(self, ticket: Ticket, creator: str) -> Author:
        """Who a creator is. A stranger's mail is no customer's: people look at it."""
        if self._is_bot(creator):
            return "bot"
        if creator == SYSTEM:
            return "system"
        asked = {ref.id for ref in ticket.Requestor} | self.settings.intake
        return "customer" if creator in asked else "person"

    def _message(
        self, ticket: Ticket, done: Transaction, body: Body, headers: Mapping[str, str]
    ) -> DeskMessage:
        return DeskMessage(
            id=done.id,
            author=self._author(ticket, done.Creator.id),
            public=done.Type != NOTE,
            text=body.text,
            html=body.html,
            key=done.key(self.settings.key_field),
            headers=headers,
        )

    async def _find(self, ticket_id: str, key: str, text: str | None) -> str | None:
        """Our message with the key, or with the text and no key at all.

        RT records the message first and the field after it: one that broke off in between, or may
        not write the field, leaves a message without a key, which is not posted a second time.
        """
        if not NUMBER.fullmatch(ticket_id):
            return None
        field = self.settings.key_field
        done = await self.rest.transactions(ticket_id, MESSAGES)
        for one in done:
            if one.key(field) == stored_key(key):
                return one.id
        ours = [one for one in done if self._is_bot(one.Creator.id)]
        bare = {one.id for one in ours if one.key(field) is None}
        if text is None or not bare:
            return None
        said = await bodies(self.rest, ticket_id, bare)
        return next((id_ for id_ in sorted(said) if _same(said[id_].text, text)), None)

    async def _only_claimed(self, ticket_id: str, expect: str) -> bool:
        """Whether all that was done since then is that the bot became the owner.

        An earlier attempt at the same reply may have come so far.
        """
        if not NUMBER.fullmatch(expect):
            return False
        done = await self.rest.transactions(ticket_id, f"id > {expect}")
        return all(one.Field == "Owner" and self._is_bot(one.Creator.id) for one in done)

    async def _claim(self, ticket: Ticket) -> Answer | None:
        """Make the bot the owner of exactly this ticket; None when that went well.

        A bot that may not own tickets is refused by a sentence within a 200; the guard counts.
        """
        answer = await self.rest.call(
            "PUT", f"/ticket/{ticket.id}", body={"Owner": self.settings.bot}, if_match=ticket.stamp
        )
        if answer.status == PRECONDITION_FAILED:
            return Overtaken()
        return None if answer.ok else refusal(answer)

    async def _post(self, ticket_id: str, kind: str, text: str, key: str) -> Answer:
        body = {
            "Content": text,
            "ContentType": "text/plain",
            "TxnCustomFields": {self.settings.key_field: stored_key(key)},
        }
        answer = await self.rest.call("POST", f"/ticket/{ticket_id}/{kind}", body=body)
        if answer.status == NOT_FOUND or not answer.ok:
            return refusal(answer)
        if posted := transaction_at(answer.headers.get("location", "")):
            return Posted(posted)
        raise UnavailableError("RT took the message and did not say what it calls it")


def _same(one: str, other: str) -> bool:
    """Whether two texts are one but for blanks and line ends, which RT and mail change."""
    return one.split() == other.split()


def desk(opened: Opened) -> RequestTracker:
    """The desk of a connection."""
    return RequestTracker(Rest2(opened))
