"""The harness of a mailbox: the connector before pymap and an SMTP server, and a line between."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage

from app.connectors.email.headers import read_headers
from app.connectors.email.settings import EmailCredentials
from app.connectors.email.threads import first_ticket
from app.connectors.helpdesk import Helpdesk
from app.connectors.http import TIMEOUT_SECONDS
from tests.conformance.harness import DeskFields, Feature
from tests.doubles.cutting_line import Line, cutting_line
from tests.doubles.imap_server import imap_server
from tests.mailboxes import ADDRESS, MAX, SERVER, MailPlace, mail, mail_place

NO_FIELDS = "a mailbox has no fields"
FEATURES: tuple[Feature, ...] = ("tags", "group", "priority", "status", "assignee")
# A reply takes some thirty commands of IMAP; the laws try fewer calls than that, so each is three.
COMMANDS = 3
# How long the connector waits for an answer where a law makes the server slow.
SLOW_SECONDS = 1.5

numbers = itertools.count(1)


@dataclass(slots=True)
class MailboxHarness:
    """`place` is the mailbox behind the line, `customers` whose ticket is which."""

    place: MailPlace
    line: Line
    person: str = MAX
    groups: tuple[str, str] = ("none", "none")
    lacks: Mapping[Feature, str] = field(
        default_factory=lambda: {
            **dict.fromkeys(FEATURES, NO_FIELDS),
            "closed": "a thread of mails has no end",
            "retry_after": "SMTP names no seconds",
        }
    )
    customers: dict[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> Helpdesk:
        """The connector."""
        return self.place.desk

    async def open_ticket(self, subject: str, text: str) -> str:
        """A mail of a new customer."""
        customer = f"c{next(numbers)}@shop.example"
        first = mail(customer, text, subject=subject, Message_ID=f"<first.{customer}>")
        ticket_id = first_ticket(read_headers(bytes(first)))
        self.customers[ticket_id] = customer
        await self.place.box.put(bytes(first))
        return ticket_id

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """A second mail."""
        await self._answers(self.customers[ticket_id], ticket_id, text, To=ADDRESS)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """From a mail program of their own, with the mailbox in Cc."""
        to = self.customers[ticket_id]
        await self._answers(MAX, ticket_id, text, To=to, Cc=ADDRESS)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """A mail to the mailbox alone."""
        await self._answers(MAX, ticket_id, text, To=ADDRESS)

    async def assign_person(self, ticket_id: str) -> None:
        """Who answers the customer has the ticket."""
        await self.person_replies(ticket_id, "I take this one.")

    async def hand_back(self, ticket_id: str) -> None:
        """A proved mail that begins with the word for it."""
        await self._answers(MAX, ticket_id, "/bot", To=ADDRESS)

    async def close_ticket(self, ticket_id: str) -> None:
        """There is no such thing."""
        raise NotImplementedError

    async def delete_ticket(self, ticket_id: str) -> None:
        """The person tidies up."""
        await self.place.box.remove_all()

    async def _answers(self, sender: str, ticket_id: str, text: str, **to: str) -> None:
        answered = f"<first.{self.customers[ticket_id]}>"
        number = next(numbers)
        written = mail(
            sender, text, In_Reply_To=answered, Message_ID=f"<a{number}@x.example>", **to
        )
        proof = f"Authentication-Results: {SERVER}; dmarc=pass header.from=desk.example\r\n"
        await self.place.box.put((proof.encode() if sender == MAX else b"") + bytes(written))

    def lose_answer(self, after: int) -> None:
        """Cut the line after a command."""
        self.line.left, self.line.cuts = after * COMMANDS, 0

    def garble_answer(self, after: int) -> None:
        """Something that is not IMAP, in place of an answer."""
        self.lose_answer(after)
        self.line.instead = b"<html>* ( \xff {3}\r\nx"

    @property
    def fault_waits(self) -> bool:
        """Whether no command had it."""
        return self.line.left is not None and not self.line.cuts

    def forget_faults(self) -> None:
        """None from here on."""
        self.line.left, self.line.instead, self.line.seconds = None, b"", 0.05
        self.place.opened.http.timeout_seconds = TIMEOUT_SECONDS

    def limit_rate(self, seconds: float) -> None:
        """Later, says the mail server, once."""
        said = iter(["451 4.7.1 too many mails"])
        self.place.postbox.rcpt = lambda _: next(said, None)

    def answer_slowly(self) -> None:
        """The answer comes when the connector no longer waits."""
        self.lose_answer(0)
        self.place.opened.http.timeout_seconds = SLOW_SECONDS
        self.line.seconds = SLOW_SECONDS + 0.5

    def break_token(self) -> None:
        """A password that was changed."""
        given = {"user": self.place.box.user, "password": "changed"}
        credentials = EmailCredentials.model_validate(given)
        self.place.opened = replace(self.place.opened, credentials=credentials)

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """What was mailed to them, by us and by people."""
        customer = self.customers[ticket_id]
        ours = [text_of(sent) for to, sent in self.place.postbox.taken if to == customer]
        return ours + [text_of(each) for each in await self._mails() if customer in str(each["To"])
                       and each["From"] == MAX]  # fmt: skip

    async def people_saw(self, ticket_id: str) -> list[str]:
        """The mails of the ticket in both folders."""
        customer = self.customers[ticket_id]
        return [text_of(each) for each in await self._mails() if customer in each.as_string()]

    async def fields(self, ticket_id: str) -> DeskFields:
        """None of them ever changes."""
        return DeskFields(status="open", priority=None, group=None, assignee=None)

    async def _mails(self) -> list[EmailMessage]:
        found = [*await self.place.box.all(), *await self.place.box.all("Sent")]
        return [message_from_bytes(raw, policy=policy.default) for raw in found]


def text_of(message: EmailMessage) -> str:
    """What the mail says."""
    return str(message.get_content())


@asynccontextmanager
async def doubled_mailbox() -> AsyncIterator[MailboxHarness]:
    """A harness for a new mailbox."""
    async with imap_server() as box, cutting_line(box.port) as line, mail_place(box) as direct:
        direct.allow(f"127.0.0.1:{line.port}")
        yield MailboxHarness(direct.with_settings(imap_port=line.port), line)
