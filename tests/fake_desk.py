"""A helpdesk in memory that keeps every law of the port, with one customer and one person."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from app.connectors.errors import CredentialsError
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
    Requester,
    TicketView,
)
from tests.conformance.harness import DeskFields, Feature
from tools.errors import UnavailableError

T = TypeVar("T")
PERSON, GROUPS = "emma", ("Support", "Finance")


@dataclass(slots=True)
class FakeTicket:
    """A ticket as the desk has it."""

    view: TicketView
    priority: str | None = "normal"
    group: str | None = GROUPS[0]
    tags: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Faults:
    """What happens to the next calls: the one after `after` others is lost, limited or slow."""

    after: int | None = None
    retry_after: float | None = None
    slow: bool = False
    token_broken: bool = False

    def apply(self, effect: Callable[[], T]) -> T:
        """One call of the desk. Raises UnavailableError, CredentialsError."""
        if self.token_broken:
            raise CredentialsError("the credentials were refused")
        if self.retry_after is not None:
            seconds, self.retry_after = self.retry_after, None
            raise UnavailableError("too many calls", retry_after=seconds)
        done = effect()
        if self.after == 0:
            self.after = None
            raise UnavailableError("no answer")
        if self.after is not None:
            self.after -= 1
        if self.slow:
            self.slow = False
            raise UnavailableError("no answer within 20 s")
        return done


@dataclass(slots=True)
class FakeDesk(Helpdesk):
    """The port; also its own harness for the conformance tests. Each port call looks, then acts."""

    tickets: dict[str, FakeTicket] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    person: str = PERSON
    groups: tuple[str, str] = GROUPS
    lacks: Mapping[Feature, str] = field(default_factory=dict)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # The port.

    async def read(self, ticket_id: str) -> TicketView:
        """The ticket as it is now."""
        await asyncio.sleep(0)
        return self.faults.apply(lambda: self._view(ticket_id))

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """The message or note with the key."""
        view = await self.read(ticket_id)
        return next((message.id for message in view.messages if message.key == key), None)

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Look, then post where nothing changed: this desk guards both in one call."""
        if found := await self.find_reply(ticket_id, key):
            return AlreadyPosted(found)

        def post() -> Answer:
            view = self._view(ticket_id)
            if view.gone:
                return Gone()
            if view.closed:
                return Closed()
            if view.stamp != expect:
                return Overtaken()
            return Posted(self.write(ticket_id, "bot", text, key=key))

        return self.faults.apply(post)

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """Look, then post for people alone."""
        if found := await self.find_reply(ticket_id, key):
            return AlreadyPosted(found)

        def post() -> Answer:
            if self._view(ticket_id).gone:
                return Gone()
            return Posted(self.write(ticket_id, "bot", text, public=False, key=key))

        return self.faults.apply(post)

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """All fields at once, or none."""
        await asyncio.sleep(0)
        return self.faults.apply(lambda: self._change(ticket_id, change))

    # The other users.

    @property
    def desk(self) -> Helpdesk:
        """The connector of this harness."""
        return self

    async def open_ticket(self, subject: str, text: str) -> str:
        """The customer writes a new ticket."""
        ticket_id = str(next(self._ids))
        view = TicketView(stamp=self._stamp(), subject=subject, requester=Requester("ann"))
        self.tickets[ticket_id] = FakeTicket(view)
        self.write(ticket_id, "customer", text)
        return ticket_id

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """The customer answers."""
        self.write(ticket_id, "customer", text)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """The person writes to the customer."""
        self.write(ticket_id, "person", text)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """The person writes a note."""
        self.write(ticket_id, "person", text, public=False)

    async def assign_person(self, ticket_id: str) -> None:
        """The person has the ticket."""
        self._set(ticket_id, assignee=self.person)

    async def hand_back(self, ticket_id: str) -> None:
        """The bot has it again."""
        self._set(ticket_id, assignee=None)

    async def close_ticket(self, ticket_id: str) -> None:
        """No more replies."""
        self._set(ticket_id, closed=True, status="solved")

    async def delete_ticket(self, ticket_id: str) -> None:
        """No more ticket."""
        self._set(ticket_id, gone=True)

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """What is public and not the customer's own."""
        messages = self.tickets[ticket_id].view.messages
        return [m.text for m in messages if m.public and m.author != "customer"]

    async def people_saw(self, ticket_id: str) -> list[str]:
        """All messages and notes."""
        return [message.text for message in self.tickets[ticket_id].view.messages]

    async def fields(self, ticket_id: str) -> DeskFields:
        """The ticket's fields."""
        found = self.tickets[ticket_id]
        return DeskFields(
            status=found.view.status,
            priority=found.priority,
            group=found.group,
            assignee=found.view.assignee,
            tags=frozenset(found.tags),
        )

    # Faults.

    def lose_answer(self, after: int) -> None:
        """The call after so many others is done, and raises."""
        self.faults.after = after

    def garble_answer(self, after: int) -> None:
        """A call in memory has no form to break: its outcome is unknown all the same."""
        self.faults.after = after

    @property
    def fault_waits(self) -> bool:
        """Whether no call came so far."""
        return self.faults.after is not None

    def forget_faults(self) -> None:
        """Let the next calls go well."""
        self.faults = Faults()

    def limit_rate(self, seconds: float) -> None:
        """Refuse the next call."""
        self.faults.retry_after = seconds

    def answer_slowly(self) -> None:
        """Do the next call, and raise as a client does that no longer waits."""
        self.faults.slow = True

    def break_token(self) -> None:
        """Take no call from here on."""
        self.faults.token_broken = True

    # Within.

    def write(
        self,
        ticket_id: str,
        author: Author,
        text: str,
        *,
        public: bool = True,
        key: str | None = None,
    ) -> str:
        """Add a message or note; its id."""
        view = self.tickets[ticket_id].view
        message = DeskMessage(str(next(self._ids)), author, public, text, key=key)
        self._set(ticket_id, messages=(*view.messages, message))
        return message.id

    def _view(self, ticket_id: str) -> TicketView:
        if found := self.tickets.get(ticket_id):
            return found.view
        return GONE_VIEW

    def _stamp(self) -> str:
        return str(next(self._ids))

    def _set(self, ticket_id: str, **fields: object) -> None:
        found = self.tickets[ticket_id]
        # The names and types are those of TicketView: this file alone calls it.
        found.view = replace(found.view, stamp=self._stamp(), **fields)  # type: ignore[arg-type]

    def _change(self, ticket_id: str, change: Change) -> Answer:
        if self._view(ticket_id).gone:
            return Gone()
        if change.group and change.group not in self.groups:
            return Refused(f"there is no group {change.group}")
        found = self.tickets[ticket_id]
        found.tags = (found.tags | {*change.tags_add}) - {*change.tags_remove}
        found.group = change.group or found.group
        found.priority = change.priority or found.priority
        self._set(
            ticket_id,
            status=change.status or found.view.status,
            assignee=change.assignee or found.view.assignee,
        )
        return Posted(found.view.stamp)
