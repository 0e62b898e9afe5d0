"""What happens within our stand-in for Request Tracker 5: tickets, transactions, texts, mails."""

import itertools
from dataclasses import dataclass, field
from typing import Any

SYSTEM, UNOWNED = "RT_System", "Nobody"
STATUSES = ("new", "open", "stalled", "resolved", "rejected", "deleted")


@dataclass(slots=True)
class Done:
    """A transaction."""

    id: int
    ticket_id: int
    type: str
    creator: str
    field: str = ""
    new: str = ""
    key: str | None = None


@dataclass(slots=True)
class DoneText:
    """A part of a message."""

    id: int
    transaction_id: int
    content_type: str
    content: str
    filename: str = ""
    # Of a whole mail, which only its first part has here.
    headers: str | None = None


@dataclass(slots=True)
class RtTicket:
    """A ticket."""

    id: int
    subject: str
    requestors: list[str]
    queue: str = "General"
    status: str = "new"
    owner: str = UNOWNED
    priority: int = 0
    tags: list[str] = field(default_factory=list)
    merged_into: int | None = None


@dataclass(slots=True)
class Mail:
    """What RT sent to a customer."""

    to: str
    subject: str
    text: str


class RequestTrackerState:
    """One RT: root and emma have "password", deskgraph and clerk, who has no rights, a token."""

    def __init__(self) -> None:
        self.token = "1-27-7f18bcdd1d2d193e2c5ebfd238ce70d2"
        self.clerk_token = "1-28-00000000000000000000000000000000"
        self.tickets: dict[int, RtTicket] = {}
        self.done: list[Done] = []
        self.parts: list[DoneText] = []
        self.mails: list[Mail] = []
        self.users = {"root": 1, "emma": 1, "deskgraph": 1, "clerk": 1, SYSTEM: 0, UNOWNED: 0}
        self.queues = {"1": "General", "2": "Finance"}
        self.customer_ids: dict[str, str] = {}
        self.key_field: str | None = "DeskgraphKey"
        # A bot without the right ModifyCustomField leaves its messages without a key.
        self.keeps_keys = True
        self.may_own = True
        # What the ticket's links leave out.
        self.links = ["correspond", "comment", "lifecycle"]
        self._ids = itertools.count(20)

    def create(
        self, subject: str, requestor: str, text: str, content_type: str = "text/plain"
    ) -> Done:
        """A new ticket by mail; RT answers by itself."""
        ticket = RtTicket(len(self.tickets) + 1, subject, [requestor])
        self.tickets[ticket.id] = ticket
        done = self._add(ticket.id, "Create", requestor)
        self._text(done, text, content_type)
        self._send(ticket, "We have your message.")
        return done

    def correspond(
        self, ticket_id: int, creator: str, text: str, content_type: str = "text/plain"
    ) -> Done:
        """A public message; RT opens the ticket by itself and mails the requestors."""
        ticket = self.tickets[ticket_id]
        done = self._add(ticket_id, "Correspond", creator)
        self._text(done, text, content_type)
        if creator not in ticket.requestors:
            self._send(ticket, text)
        if ticket.status not in ("open", "deleted"):
            self.set(ticket, SYSTEM, "Status", "open")
        return done

    def comment(
        self, ticket_id: int, creator: str, text: str, content_type: str = "text/plain"
    ) -> Done:
        """A private note."""
        done = self._add(ticket_id, "Comment", creator)
        self._text(done, text, content_type)
        return done

    def attach(self, done: Done, content_type: str, content: str, filename: str = "") -> None:
        """Another part of a message."""
        self._text(done, content, content_type, filename)

    def stamp(self, ticket_id: int) -> int:
        """The ticket's last transaction."""
        return max(one.id for one in self.done if one.ticket_id == ticket_id)

    def set(
        self, ticket: RtTicket, user: str, name: str, value: str | int, type_: str = "Status"
    ) -> None:
        """A field becomes the value, which is a transaction."""
        setattr(ticket, name.lower(), value)
        self._add(ticket.id, type_, user, field=name, new=str(value))

    def _add(
        self, ticket_id: int, type_: str, creator: str, field: str = "", new: str = ""
    ) -> Done:
        done = Done(next(self._ids), ticket_id, type_, creator, field, new)
        self.done.append(done)
        return done

    def _text(
        self, done: Done, text: str, content_type: str = "text/plain", filename: str = ""
    ) -> None:
        part = DoneText(next(self._ids), done.id, content_type, text, filename)
        self.parts.append(part)

    def _send(self, ticket: RtTicket, text: str) -> None:
        subject = f"[desk.test #{ticket.id}] {ticket.subject}"
        self.mails += [Mail(name, subject, text) for name in ticket.requestors]

    def update(self, ticket: RtTicket, user: str, body: dict[str, Any]) -> list[str]:
        """The sentences of a PUT; what is so already is no sentence."""
        said = [
            self._own(ticket, user, body.get("Owner")),
            self._prioritize(ticket, user, body.get("Priority")),
            self._move(ticket, user, body.get("Queue")),
            self._go_on(ticket, user, body.get("Status")),
            self._tag(ticket, user, body.get("CustomFields", {}).get("Tags")),
            self._merge(ticket, user, body.get("MergeInto")),
        ]
        return [f"Ticket {ticket.id}: {sentence}" for sentence in said if sentence]

    def _own(self, ticket: RtTicket, user: str, owner: str | None) -> str | None:
        if owner is None or owner.lower() == ticket.owner.lower():
            return None
        if owner not in self.users:
            return "That user does not exist"
        if owner == "deskgraph" and not self.may_own:
            return "That user may not own tickets in that queue"
        self.set(ticket, user, "Owner", owner, type_="Set")
        self._add(ticket.id, "SetWatcher", user, field="Owner", new=owner)
        return "Owner changed"

    def _prioritize(self, ticket: RtTicket, user: str, priority: str | None) -> str | None:
        if priority is None or int(priority) == ticket.priority:
            return None
        self.set(ticket, user, "Priority", int(priority), type_="Set")
        return "Priority changed"

    def _move(self, ticket: RtTicket, user: str, queue: str | None) -> str | None:
        if queue is None or queue == ticket.queue:
            return None
        if queue not in self.queues.values():
            return f"Queue {queue} does not exist"
        self.set(ticket, user, "Queue", queue, type_="Set")
        return "Queue changed"

    def _go_on(self, ticket: RtTicket, user: str, status: str | None) -> str | None:
        if status is None or status == ticket.status:
            return None
        if status not in STATUSES:
            return f"Status '{status}' isn't a valid status for this ticket."
        self.set(ticket, user, "Status", status)
        return "Status changed"

    def _tag(self, ticket: RtTicket, user: str, tags: list[str] | None) -> str | None:
        if tags is None or sorted(tags) == sorted(ticket.tags):
            return None
        ticket.tags = list(tags)
        self._add(ticket.id, "CustomField", user, field="Tags")
        return "Tags changed"

    def _merge(self, ticket: RtTicket, user: str, into: str | None) -> str | None:
        if into is None:
            return None
        ticket.merged_into = int(into)
        self._add(int(into), "AddLink", user, field="MergedInto")
        return "Merge changed both"
