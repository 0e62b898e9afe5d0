"""The port `Helpdesk` over a mailbox: a ticket is a thread of mails, and a reply is a mail.

A mailbox has no lock and no compare-and-set. A reply looks for itself and for people's mails first;
what comes in between that look and the mail server's answer is not seen (docs/connect/email.md).

A mail of ours goes into the sent folder as a draft before it is handed over, and loses that mark
when the mail server has taken it. So a crash or a lost answer leaves a draft that says "tried": the
next call tries once more under the same Message-ID, with a second mark, and no third time.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from aiosmtplib import SMTPException

from app.connectors.connector import Opened
from app.connectors.email.identity import is_verified, requester_of
from app.connectors.email.imap import ImapRefusedError
from app.connectors.email.reading import Mail
from app.connectors.email.settings import EmailSettings
from app.connectors.email.sign_in import signed_in
from app.connectors.email.store import Kept, Root, Store
from app.connectors.email.submission import NotTakenError, connected, submit
from app.connectors.email.threads import TICKET, own_id, own_ids, signed_address
from app.connectors.email.writing import Letter, as_sent, written
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import (
    GONE_VIEW,
    AlreadyPosted,
    Answer,
    Author,
    Change,
    DeskMessage,
    Gone,
    Overtaken,
    Posted,
    Refused,
    TicketView,
)
from graphs.text.noise.headers import kind_by_headers, telling
from tools.errors import UnavailableError

HANDBACK = "/bot"
NO_FIELDS = "a mailbox has no tags, status, priority, group or assignee: nothing was changed"
NO_NOTES = (
    "nothing is private in a mailbox: set notes_to to an address of your own people, and notes go"
    " there by mail"
)
TWICE = (
    "the mail server twice gave no answer to this mail, so it may have arrived once or twice;"
    " it is not tried again"
)


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket as it was read, with the mails behind it."""

    view: TicketView
    root: Root
    mails: Sequence[Kept]


@dataclass(frozen=True, slots=True)
class MailDesk:
    """The mailbox of one connection as a helpdesk."""

    opened: Opened

    @property
    def settings(self) -> EmailSettings:
        """Those of the connection."""
        settings: EmailSettings = self.opened.settings
        return settings

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """The mailbox over a connection of its own."""
        async with signed_in(self.opened) as imap:
            yield Store(imap, self.settings, self.opened.secrets)

    async def read(self, ticket_id: str) -> TicketView:
        """The thread as the folder and the sent folder hold it now."""
        async with self.store() as store:
            return (await self._thread(store, ticket_id)).view

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """Our Message-ID, if the mail under the key was taken by the mail server."""
        message_id = own_id(ticket_id, key, self.settings)
        async with self.store() as store:
            copies = await store.copies(message_id)
        return message_id if any(not copy.draft for copy in copies) else None

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """A mail to the customer, as an answer to their last one."""
        message_id = own_id(ticket_id, key, self.settings)
        async with self.store() as store:
            if any(not copy.draft for copy in await store.copies(message_id)):
                return AlreadyPosted(message_id)
            thread = await self._thread(store, ticket_id)
            if thread.view.gone:
                return Gone()
            if thread.view.stamp != expect:
                return Overtaken()
            if thread.root.customer is None:
                return Refused("the mail has no single plain sender to answer to")
            return await self._post(store, self._reply(thread, ticket_id, text, key))

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """A mail to `notes_to`: the tenant's own people, and never the customer."""
        if self.settings.notes_to is None:
            return Refused(NO_NOTES)
        message_id = own_id(ticket_id, key, self.settings)
        async with self.store() as store:
            if any(not copy.draft for copy in await store.copies(message_id)):
                return AlreadyPosted(message_id)
            thread = await self._thread(store, ticket_id)
            if thread.view.gone:
                return Gone()
            letter = replace(
                self._reply(thread, ticket_id, text, key),
                to=self.settings.notes_to,
                reply_to=None,
                answers=False,
            )
            return await self._post(store, letter)

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Refused with the reason: a mailbox has no fields. A change of nothing is done."""
        if not change:
            return AlreadyPosted(ticket_id)
        gone = (await self.read(ticket_id)).gone
        return Gone() if gone else Refused(NO_FIELDS)

    async def _thread(self, store: Store, ticket_id: str) -> Thread:
        root = await store.root(ticket_id) if TICKET.fullmatch(ticket_id) else None
        if root is None:
            return Thread(GONE_VIEW, Root(None, None), ())
        stamp, mails = await store.thread(ticket_id, root)
        return Thread(view_of(stamp, mails, root, store), root, mails)

    def _reply(self, thread: Thread, ticket_id: str, text: str, key: str) -> Letter:
        root, customer = thread.root, thread.root.customer or ""
        every = [kept for kept in thread.mails if kept.mail.message_id]
        theirs = [kept for kept in every if not kept.sent and kept.mail.sender == root.customer]
        # The last one is what it answers.
        ids = [each.mail.message_id or "" for each in (*every, *theirs[-1:])]
        answered = list(reversed(dict.fromkeys(reversed([root.message_id or "", *ids]))))
        return Letter(
            ticket=ticket_id,
            key=key,
            message_id=own_id(ticket_id, key, self.settings),
            to=customer,
            subject=thread.view.subject,
            text=text,
            references=answered,
            root=root.message_id,
            reply_to=signed_address(ticket_id, customer, self.settings, self.opened.secrets),
        )

    async def _post(self, store: Store, letter: Letter) -> Answer:
        """Keep the mail as tried, hand it over, and take the mark away."""
        try:
            mail = written(letter, self.settings)
            if (uid := await self._tried(store, letter.message_id, mail.as_bytes())) is None:
                return Refused(TWICE)
        # ValueError: an address or a key that no header can hold.
        except (SettingsError, ValueError) as error:
            return Refused(str(error)[:300])
        try:
            await self._hand_over(letter.to, as_sent(mail))
        except NotTakenError as error:
            await store.delete_draft(uid)
            if error.later:
                raise UnavailableError(str(error)) from None
            return Refused(str(error))
        # It was taken: a mark that stays is no reason to send it again.
        with suppress(UnavailableError, ImapRefusedError):
            await store.imap.store(uid, "-", r"\Draft \Flagged")
        return Posted(letter.message_id)

    async def _tried(self, store: Store, message_id: str, content: bytes) -> int | None:
        """The UID of the draft that says that it is being tried; None after the second time."""
        copies = [copy for copy in await store.copies(message_id) if copy.draft]
        if not copies:
            return await store.keep_draft(message_id, content)
        if any(copy.twice for copy in copies) or len(copies) > 1:
            return None
        await store.imap.store(copies[0].uid, "+", r"\Flagged")
        return copies[0].uid

    async def _hand_over(self, to: str, content: bytes) -> None:
        """Raises NotTakenError when nothing was sent, UnavailableError when that is unknown."""
        try:
            server = await connected(self.opened)
        except UnavailableError as error:
            raise NotTakenError(str(error), later=True) from None
        try:
            await submit(server, self.settings.address, to, content)
            with suppress(SMTPException, OSError):
                await server.quit()
        finally:
            server.close()


def view_of(stamp: str, mails: Sequence[Kept], root: Root, store: Store) -> TicketView:
    """The thread in the words of the port. Without a mail of the customer it is gone."""
    # A mail that came twice, by two ways, is one message.
    once = list({(kept.sent, kept.mail.digest): kept for kept in reversed(mails)}.values())
    messages = [message_of(kept, root, store) for kept in reversed(once)]
    customers = [kept for kept in mails if not kept.sent and kept.mail.sender == root.customer]
    if not customers:
        return GONE_VIEW
    wrote = [kept for kept in customers if not kind_by_headers(kept.mail.topmost)] or customers
    asked = [requester_of(kept.mail, store.settings) for kept in wrote]
    # One mail that is not proved could have been written by anyone, to be read with the others.
    proved = all(each.verified for each in asked)
    last = asked[-1]
    return TicketView(
        stamp=stamp,
        subject=customers[0].mail.subject,
        requester=replace(last, verified=proved, external_id=last.external_id if proved else None),
        messages=tuple(messages),
        assignee=holder(mails, root, store),
    )


def message_of(kept: Kept, root: Root, store: Store) -> DeskMessage:
    """One mail; who wrote it follows from where it lies and from its sender.

    Its id is ours for a mail of ours, else one of its content: senders repeat Message-IDs.
    """
    mail, author = kept.mail, author_of(kept, store)
    public = author == "customer" or (root.customer in mail.recipients)
    return DeskMessage(
        id=(mail.message_id if author == "bot" else None) or mail.digest,
        author=author,
        public=public,
        text=mail.text,
        html=mail.html,
        key=kept.key,
        headers={} if kept.sent else telling(mail.topmost),
    )


def holder(mails: Sequence[Kept], root: Root, store: Store) -> str | None:
    """The person who wrote to the customer, until a person gave the ticket back.

    A person who answers in the mailbox itself is seen in the sent folder only, so no mail that
    comes in says so: it has to follow from the thread.
    """
    has_it: str | None = None
    for kept in mails:
        if author_of(kept, store) != "person":
            continue
        if root.customer in kept.mail.recipients:
            has_it = kept.mail.sender or store.settings.address
        elif gives_back(kept.mail, store.settings, proved=kept.sent):
            has_it = None
    return has_it


def gives_back(mail: Mail, settings: EmailSettings, *, proved: bool) -> bool:
    """Whether a person's mail gives the ticket back, by its first line.

    That needs proof: one who forges a person's address may silence us, not set us going.
    """
    first = mail.text.strip().split("\n", 1)[0].strip().lower()
    return first == HANDBACK and (proved or is_verified(mail, settings))


def author_of(kept: Kept, store: Store) -> Author:
    """A mail of ours is one only in the sent folder, where no outsider can put it."""
    mail = kept.mail
    if kept.sent:
        ours = own_ids([mail.message_id or ""], store.settings)
        return "bot" if ours else "person"
    return "person" if store.is_person(mail.sender) else "customer"
