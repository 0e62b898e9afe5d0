"""Mail that comes in: waits for it, reads it once each in the order of arrival, says what it is.

The caller keeps the cursor in a row of its own, in one transaction with what it does with the
mails. Nothing in the mailbox is changed, so people can read the same folder.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from app.connectors.connector import Fields, Opened
from app.connectors.email.criteria import any_of, has
from app.connectors.email.desk import MailDesk, author_of, gives_back
from app.connectors.email.identity import requester_of
from app.connectors.email.imap import ImapRefusedError
from app.connectors.email.reading import Attachment, Mail
from app.connectors.email.store import (
    LONG_AGO,
    Kept,
    Store,
    as_kept,
    key_line,
    ticket_line,
)
from app.connectors.email.threads import own_ids
from app.connectors.email.wire import WireError
from app.connectors.helpdesk import Requester
from app.connectors.hooks import Event
from graphs.text.noise.headers import telling
from tools.errors import UnavailableError

# RFC 2177: servers may end an IDLE after 30 minutes. A line that died unseen costs this at most.
IDLE_SECONDS = 9 * 60.0
POLL_SECONDS = 60.0
MAX_POLLED = 50
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Cursor(Fields):
    """How far the folder was read; `day` is for a folder whose UIDs the server gave out again."""

    uidvalidity: int = Field(ge=0)
    uid: int = Field(ge=0)
    day: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One mail: what it means (`event`), and what a run of the ticket is started with.

    `headers` are those that show an automatic mail, for `ticket.headers`. `attachments` are names
    for people: hostile text, never for a model. `cut`: the mail is longer than what was read.
    """

    uid: int
    event: Event
    requester: Requester | None = None
    subject: str = ""
    text: str = ""
    html: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The folder of one connection."""

    opened: Opened

    async def poll(self, cursor: Cursor | None) -> tuple[list[Incoming], Cursor]:
        """What came since, at most `MAX_POLLED`, and the cursor to keep with it.

        Without a cursor the folder's old mail is left alone: what comes from now on is read. After
        the server gave out all UIDs again, the last days are read again; `event.message_id` then
        shows what was there before.

        Raises:
            SettingsError, CredentialsError, UnavailableError: nothing was read; keep the cursor.
        """
        async with MailDesk(self.opened).store() as store:
            folder = await store.open_inbox()
            today = datetime.now(UTC).date().isoformat()
            if cursor is None:
                return [], Cursor(
                    uidvalidity=folder.uidvalidity, uid=max(folder.uidnext - 1, 0), day=today
                )
            last = cursor.uid
            if folder.uidvalidity == cursor.uidvalidity:
                uids = [uid for uid in await store.imap.search(f"UID {last + 1}:*") if uid > last]
            else:
                last = 0
                uids = await store.imap.search(f"SINCE {_day_before(cursor.day)}")
            came: list[Incoming] = []
            for uid in uids[:MAX_POLLED]:
                try:
                    came += await incoming(store, uid)
                except UnavailableError:
                    if not came:
                        raise
                    break
                last = uid
            else:
                # All is read that was there when the folder was opened.
                last = max(last, folder.uidnext - 1) if len(uids) <= MAX_POLLED else last
            # While old UIDs are read again, the day stays: the rest is still to come.
            day = today if len(uids) <= MAX_POLLED else cursor.day
            return came, Cursor(uidvalidity=folder.uidvalidity, uid=last, day=day)

    async def wait_for_mail(self, cursor: Cursor, seconds: float = IDLE_SECONDS) -> bool:
        """Wait until there may be mail behind the cursor; poll after it, whatever it says.

        False: the time is over and nothing was heard. A server without IDLE is waited for.

        Raises:
            SettingsError, CredentialsError, UnavailableError.
        """
        async with MailDesk(self.opened).store() as store:
            folder = await store.open_inbox()
            if folder.uidvalidity != cursor.uidvalidity or folder.uidnext > cursor.uid + 1:
                return True
            if "IDLE" in store.imap.capabilities:
                return await store.imap.idle(min(seconds, IDLE_SECONDS))
        await asyncio.sleep(min(seconds, POLL_SECONDS))
        return False


async def incoming(store: Store, uid: int) -> list[Incoming]:
    """One mail of the folder as data; none if it is gone. A mail that cannot be read is said so."""
    try:
        await store.open_inbox()
        named = await store.fetch_one(uid)
    except (ImapRefusedError, WireError) as error:
        why = f"the mail server cannot give mail {uid}: {error}"[:300]
        return [Incoming(uid, Event("nothing", why=why))]
    if named is None:
        return []
    kept = as_kept(uid, named)
    mail = kept.mail
    return [
        Incoming(
            uid,
            replace(await event_of(kept, store), **_moment(kept)),
            requester=requester_of(mail, store.settings),
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            headers=telling(mail.topmost),
            attachments=mail.attachments,
            cut=mail.cut,
        )
    ]


def _moment(kept: Kept) -> dict[str, Any]:
    """When the mail server got it: its clock is all the order that two folders share."""
    if kept.at == LONG_AGO:
        return {}
    seconds = kept.at.timestamp()
    return {"order": int(seconds), "written_at": seconds}


async def event_of(kept: Kept, store: Store) -> Event:
    """What the mail means for the ticket that it belongs to."""
    mail = kept.mail
    if mail.sender == store.settings.address and own_ids([mail.message_id or ""], store.settings):
        return _nothing(mail, "our own mail came back")
    if failed := await _failed(mail, store):
        return failed
    ticket, known = await store.ticket_of(mail)
    if author_of(kept, store) != "person":
        return Event("message", ticket, message_id=mail.digest, who=mail.sender)
    if not known:
        return _nothing(mail, "one of your own people began this thread")
    return await _of_person(mail, ticket, store)


async def _of_person(mail: Mail, ticket: str, store: Store) -> Event:
    """A person took the ticket, gave it back, or wrote what the customer did not get."""
    root = await store.root(ticket)
    if root is not None and root.customer in mail.recipients:
        return Event("person", ticket, message_id=mail.digest, who=mail.sender)
    if gives_back(mail, store.settings, proved=await store.was_sent_here(mail)):
        return Event("handback", ticket, message_id=mail.digest, who=mail.sender)
    return _nothing(mail, "a person's mail that the customer did not get", ticket)


async def _failed(mail: Mail, store: Store) -> Event | None:
    """A report that a mail of ours could not be delivered, with the ticket and key of that mail."""
    ours = own_ids(mail.reported, store.settings)
    if not ours:
        return None
    await store.open_sent()
    for headers in await store.heads(any_of(has("Message-ID", each) for each in ours[:5])):
        if (ticket := ticket_line(headers)) and (key := key_line(headers)):
            return Event("failed", ticket, message_id=mail.digest, key=key)
    return None


def _nothing(mail: Mail, why: str, ticket: str = "") -> Event:
    return Event("nothing", ticket, message_id=mail.digest, who=mail.sender, why=why)


def _day_before(day: str) -> str:
    """In the words of IMAP; one day earlier, since servers and we may count days differently."""
    date = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=1)
    return f"{date.day}-{MONTHS[date.month - 1]}-{date.year}"
