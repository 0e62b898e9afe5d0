"""Finds the mails of a ticket in the mailbox itself, by search: there is no table of ours.

What we write is kept in the sent folder with three lines that the customer's copy has not: the
ticket, the key, and the ticket's first Message-ID. A ticket that we wrote on is found by them; one
that is new is found among the newest mails of the folder, by the hash that its id is.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from app.connectors.email.criteria import any_of, has
from app.connectors.email.headers import Headers, message_ids, only, read_headers
from app.connectors.email.imap import Folder, Imap, ImapRefusedError
from app.connectors.email.reading import (
    MAX_FETCH,
    Mail,
    own_message_id,
    read_mail,
    recipients_of,
    sender_of,
)
from app.connectors.email.settings import EmailSettings
from app.connectors.email.threads import TICKET, first_ticket, own_ids, ticket_of_address
from app.connectors.email.wire import Value
from app.connectors.errors import SettingsError
from tools.errors import UnavailableError

TICKET_LINE, KEY_LINE, ROOT_LINE = "X-Deskgraph-Ticket", "X-Deskgraph-Key", "X-Deskgraph-Root"
PRIVATE_LINES = (TICKET_LINE, KEY_LINE, ROOT_LINE)
MAX_MAILS = 40
MAX_IDS = 30
MAX_SCANNED = 20_000
BATCH = 500
MAX_LOOKED_UP = 6
MAX_HOPS = 3
FIELDS = (
    "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM TO CC DATE SUBJECT IN-REPLY-TO REFERENCES"
    f" {TICKET_LINE.upper()} {KEY_LINE.upper()} {ROOT_LINE.upper()})]<0.8000>"
)
WHOLE = f"FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{MAX_FETCH}>"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Root:
    """How a thread began: the first mail's Message-ID, if any, and the customer's address."""

    message_id: str | None
    customer: str | None
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail in the folder or, `sent`, in the sent folder. `key` is that of a mail of ours."""

    uid: int
    mail: Mail
    at: datetime
    flags: frozenset[str] = frozenset()
    sent: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """What the sent folder holds of one mail of ours: tried (`draft`), tried `twice`, or sent."""

    uid: int
    draft: bool
    twice: bool


@dataclass(slots=True)
class Store:
    """The mailbox over one connection that is signed in."""

    imap: Imap
    settings: EmailSettings
    secrets: Sequence[str]

    async def open_inbox(self) -> Folder:
        """The folder that mail comes into; nothing in it is ever changed."""
        return await self.imap.open(self.settings.folder)

    async def open_sent(self) -> Folder:
        """The folder of what was sent."""
        return await self.imap.open(self.settings.sent_folder, write=True)

    async def ticket_of(self, mail: Mail, hops: int = MAX_HOPS) -> tuple[str, bool]:
        """The ticket of a mail, and whether it was there before. Opens folders."""
        sender = mail.sender
        if sender is None:
            return first_ticket(mail.headers), False
        known = ticket_of_address(mail.recipients, sender, self.settings, self.secrets)
        known = (
            known or await self._ticket_by_ours(mail) or await self._ticket_by_theirs(mail, hops)
        )
        return (known, True) if known else (first_ticket(mail.headers), False)

    def is_person(self, address: str | None) -> bool:
        """Whether it is one of the tenant's own people, or the mailbox itself."""
        return address is not None and address in {*self.settings.people, self.settings.address}

    async def _ticket_by_ours(self, mail: Mail) -> str | None:
        """What it answers is a mail of ours to the same address."""
        ours = own_ids(mail.references, self.settings)[-MAX_LOOKED_UP:]
        if not ours:
            return None
        await self.open_sent()
        for headers in await self.heads(any_of(has("Message-ID", each) for each in ours)):
            ticket, to_them = ticket_line(headers), recipients_of(headers)
            if ticket and (self.is_person(mail.sender) or mail.sender in to_them):
                return ticket
        return None

    async def _ticket_by_theirs(self, mail: Mail, hops: int) -> str | None:
        """What it answers is an earlier mail of the same customer, or of the tenant's people."""
        theirs = [each for each in mail.references if each not in own_ids([each], self.settings)]
        looked_up = list(dict.fromkeys([*theirs[:3], *theirs[-3:]]))
        if not looked_up or not hops:
            return None
        await self.open_inbox()
        for headers in await self.heads(any_of(has("Message-ID", each) for each in looked_up)):
            sender = sender_of(headers)[0]
            if sender == mail.sender or self.is_person(mail.sender):
                earlier = read_mail(_as_mail(headers))
                if own_message_id(headers) != mail.message_id:
                    return (await self.ticket_of(earlier, hops - 1))[0]
        return await self._ticket_by_people(mail, looked_up, hops)

    async def _ticket_by_people(self, mail: Mail, ids: Sequence[str], hops: int) -> str | None:
        """What it answers is a mail that a person sent from the mailbox."""
        await self.open_sent()
        for headers in await self.heads(any_of(has("Message-ID", each) for each in ids)):
            if not self.is_person(mail.sender) and mail.sender not in recipients_of(headers):
                continue
            answered = read_mail(_as_mail(headers))
            for earlier in answered.references[-MAX_LOOKED_UP:]:
                probe = read_mail(_as_mail([("from", mail.sender or ""), ("references", earlier)]))
                found, known = await self.ticket_of(probe, hops - 1)
                if known:
                    return found
        return None

    async def heads(self, criteria: str, folder_limit: int = MAX_MAILS) -> list[Headers]:
        uids = (await self.imap.search(criteria))[-folder_limit:]
        found = await self.imap.fetch(uids, FIELDS)
        return [read_headers(section(found[uid])) for uid in sorted(found)]

    async def root(self, ticket: str) -> Root | None:
        """How the ticket began, by what we wrote on it, else among the newest mails."""
        await self.open_sent()
        for headers in await self.heads(has(TICKET_LINE, ticket)):
            to_them = recipients_of(headers) - {self.settings.notes_to, *self.settings.people}
            if len(to_them) == 1:
                return Root(only(headers, ROOT_LINE.lower()), min(to_them))
        await self.open_inbox()
        uids = (await self.imap.search("ALL"))[-MAX_SCANNED:]
        while uids:
            batch, uids = uids[-BATCH:], uids[:-BATCH]
            found = await self.imap.fetch(batch, f"UID {FIELDS}")
            for uid in sorted(found):
                headers = read_headers(section(found[uid]))
                if first_ticket(headers) == ticket:
                    return Root(own_message_id(headers), sender_of(headers)[0], uid)
        return None

    async def thread(self, ticket: str, root: Root) -> tuple[str, list[Kept]]:
        """The stamp and the mails of a ticket, in the order in which the server got them."""
        ids = {root.message_id} if root.message_id else set()
        came: dict[int, Headers] = {}
        went: dict[int, Headers] = {}
        asked: set[str] = set()
        for turn in range(MAX_HOPS):
            new = sorted(ids - asked)[:MAX_IDS]
            if turn and not new:
                break
            asked |= set(new)
            validity_in = (await self.open_inbox()).uidvalidity
            heads = await self._members(self._in_inbox(ticket, root, new))
            came |= {
                uid: each
                for uid, each in heads.items()
                if uid == root.uid or self._is_of(each, ticket, root, ids)
            }
            validity_out = (await self.open_sent()).uidvalidity
            went |= await self._members(_in_sent(ticket, new))
            ids |= {found for each in (*came.values(), *went.values())
                    if (found := own_message_id(each))}  # fmt: skip
        sent = await self._whole(went, sent=True)
        await self.open_inbox()
        here = await self._whole(came, sent=False)
        # Drafts are left out by then: a mail that was only tried is no change of the ticket.
        counted = [(validity_in, here), (validity_out, sent)]
        stamp = "-".join(
            f"{validity}.{max((kept.uid for kept in mails), default=0)}.{len(mails)}"
            for validity, mails in counted
        )
        return stamp, in_order([*here, *sent])

    def _in_inbox(self, ticket: str, root: Root, ids: Iterable[str]) -> str:
        answers = [has(name, each) for each in ids for name in ("References", "In-Reply-To")]
        first = [f"UID {root.uid}"] if root.uid else []
        first += [has("Message-ID", root.message_id)] if root.message_id else []
        signed = has("To", f"{self.settings.local}+{ticket}.")
        return any_of([*first, signed, *answers])

    async def _members(self, criteria: str) -> dict[int, Headers]:
        uids = (await self.imap.search(criteria))[-MAX_MAILS:]
        found = await self.imap.fetch(uids, FIELDS)
        return {uid: read_headers(section(found[uid])) for uid in sorted(found)}

    def _is_of(self, headers: Headers, ticket: str, root: Root, ids: set[str]) -> bool:
        """The search finds too much, such as a forged signature: the mail itself is asked."""
        sender = sender_of(headers)[0]
        if sender != root.customer and not self.is_person(sender):
            return False
        named = {own_message_id(headers), *message_ids(headers, "references")}
        if named & ids or ids & {*message_ids(headers, "in-reply-to")}:
            return True
        to_them, secrets = recipients_of(headers), self.secrets
        return ticket_of_address(to_them, sender or "", self.settings, secrets) == ticket

    async def _whole(self, heads: dict[int, Headers], *, sent: bool) -> list[Kept]:
        kept = []
        for uid, headers in heads.items():
            if found := await self.fetch_one(uid):
                key = key_line(headers) if sent else None
                kept.append(_kept(uid, found, sent=sent, key=key))
        return [each for each in kept if not {r"\deleted", r"\draft"} & each.flags]

    async def was_sent_here(self, mail: Mail) -> bool:
        """Whether it lies in the sent folder as well, where no outsider can put it."""
        if mail.sender != self.settings.address or mail.message_id is None:
            return False
        await self.open_sent()
        uids = await self.imap.search(has("Message-ID", mail.message_id))
        return bool(uids) and not own_ids([mail.message_id], self.settings)

    async def fetch_one(self, uid: int) -> dict[str, Value] | None:
        """The beginning of one mail of the open folder, up to `MAX_FETCH` bytes; None if gone."""
        return (await self.imap.fetch([uid], WHOLE)).get(uid)

    async def copies(self, message_id: str) -> list[Copy]:
        """What the sent folder holds under a Message-ID of ours. Opens it."""
        await self.open_sent()
        uids = await self.imap.search(f"UNDELETED {has('Message-ID', message_id)}")
        found = await self.imap.fetch(uids[-MAX_MAILS:], "FLAGS")
        copies = []
        for uid, named in sorted(found.items()):
            flags = _flags(named)
            copies.append(Copy(uid, r"\draft" in flags, r"\flagged" in flags))
        return copies

    async def keep_draft(self, message_id: str, content: bytes) -> int:
        """Keep what is about to be sent; its UID.

        Raises:
            SettingsError: the server does not keep it.
        """
        try:
            uid = await self.imap.append(self.settings.sent_folder, content, r"\Seen \Draft")
        except ImapRefusedError as refusal:
            folder = self.settings.sent_folder
            raise SettingsError(f"the folder {folder!r} does not take mail: {refusal}") from None
        if uid is None:
            uid = max((copy.uid for copy in await self.copies(message_id)), default=None)
        if uid is None:
            raise SettingsError("the sent folder does not show what was put into it")
        return uid

    async def delete_draft(self, uid: int) -> None:
        """Take back what was not sent. If that fails the draft counts as tried, which is safe."""
        with suppress(ImapRefusedError, UnavailableError):
            await self.imap.delete(uid)


def in_order(mails: Sequence[Kept]) -> list[Kept]:
    """By the servers' time, in whole seconds; within one, an answer behind its question."""
    depth: dict[str, int] = {}
    for _ in range(MAX_HOPS):
        for kept in mails:
            behind = [depth.get(each, 0) for each in kept.mail.references if each in depth]
            depth[kept.mail.message_id or ""] = max(behind, default=0) + 1

    def place(kept: Kept) -> tuple[datetime, int, bool, int]:
        return kept.at, depth[kept.mail.message_id or ""], kept.sent, kept.uid

    return sorted(mails, key=place)


def ticket_line(headers: Headers) -> str | None:
    """The ticket that a mail of ours was written on."""
    found = only(headers, TICKET_LINE.lower()) or ""
    return found if TICKET.fullmatch(found) else None


def key_line(headers: Headers) -> str | None:
    """The key that a mail of ours was written under."""
    found = only(headers, KEY_LINE.lower())
    return unquote(found) if found else None


def as_kept(uid: int, named: dict[str, Value]) -> Kept:
    """A mail of the folder, as it was fetched."""
    return _kept(uid, named, sent=False, key=None)


def _kept(uid: int, named: dict[str, Value], *, sent: bool, key: str | None) -> Kept:
    size = named.get("RFC822.SIZE")
    mail = read_mail(
        section(named), int(size) if isinstance(size, str) and size.isdigit() else None
    )
    return Kept(uid, mail, _when(named.get("INTERNALDATE")), _flags(named), sent, key)


def _in_sent(ticket: str, ids: Iterable[str]) -> str:
    answers = [has(name, each) for each in ids for name in ("References", "In-Reply-To")]
    return any_of([has(TICKET_LINE, ticket), *answers])


def section(named: dict[str, Value]) -> bytes:
    """The bytes of the mail's part that was asked for; empty if the server gave none."""
    for name, value in named.items():
        if name.startswith("BODY["):
            return value if isinstance(value, bytes) else b""
    return b""


def _flags(named: dict[str, Value]) -> frozenset[str]:
    flags = named.get("FLAGS")
    known = flags if isinstance(flags, list) else []
    return frozenset(each.lower() for each in known if isinstance(each, str))


def _when(value: Value) -> datetime:
    try:
        when = parsedate_to_datetime(value.decode("ascii") if isinstance(value, bytes) else "")
        return when if when.tzinfo else when.replace(tzinfo=timezone(timedelta(0)))
    except (ValueError, OverflowError):
        return LONG_AGO


def _as_mail(headers: Headers) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n"
