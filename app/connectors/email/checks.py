"""`test`: signs in to both servers, writes nothing, and says in sentences what it found."""

from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aiosmtplib import SMTPException

from app.connectors.connector import Check, Opened
from app.connectors.email.desk import MailDesk
from app.connectors.email.headers import Headers, all_of, read_headers
from app.connectors.email.identity import Findings, findings
from app.connectors.email.settings import EmailSettings
from app.connectors.email.store import Store, section
from app.connectors.email.submission import connected
from app.connectors.errors import ConnectorError, SettingsError
from tools.errors import UnavailableError

LOOKED_AT = 20
MAX_SKEW_SECONDS = 300
TRACE = "BODY.PEEK[HEADER]<0.20000>"


async def check_mailbox(opened: Opened) -> list[Check]:
    """Harmless calls: sign in, open folders, read the headers of the newest mails."""
    return [*await _check_imap(opened), await _check_smtp(opened), *_check_settings(opened)]


async def _check_imap(opened: Opened) -> list[Check]:
    settings: EmailSettings = opened.settings
    try:
        async with MailDesk(opened).store() as store:
            checks = [Check("imap", True, "Signed in to IMAP.")]
            checks += [
                _check_capability(store, "IDLE", "New mail is seen at once.",
                                  "No IDLE: new mail is looked for every minute."),
                _check_capability(store, "UIDPLUS", "Mail of ours that was not sent is removed.",
                                  "No UIDPLUS: mail of ours that was not sent stays in the sent"
                                  " folder, marked as deleted."),
            ]  # fmt: skip
            checks.append(await _check_folder(store, settings.sent_folder, "sent_folder"))
            checks.append(await _check_folder(store, settings.folder, "folder"))
            if checks[-1].ok:
                newest = await _newest(store)
                checks += [_check_results(newest, settings), _check_clock(newest)]
                checks.append(_check_plus(newest, settings))
            return checks
    except (ConnectorError, UnavailableError) as error:
        return [Check("imap", False, f"No way into the mailbox: {error}.")]


def _check_capability(store: Store, name: str, yes: str, no: str) -> Check:
    """Each is a help, none is a must."""
    return Check(name.lower(), True, yes if name in store.imap.capabilities else no)


async def _check_folder(store: Store, folder: str, name: str) -> Check:
    try:
        opened = await store.imap.open(folder, write=name == "sent_folder")
    except SettingsError as error:
        known = ", ".join((await store.imap.folders())[:30])
        return Check(name, False, f"{error}. Folders here: {known}.")
    return Check(name, True, f"The folder {folder!r} is there, with {opened.exists} mails.")


async def _newest(store: Store) -> list[Headers]:
    uids = (await store.imap.search("ALL"))[-LOOKED_AT:]
    found = await store.imap.fetch(uids, TRACE)
    return [read_headers(section(found[uid])) for uid in sorted(found)]


def _check_results(newest: list[Headers], settings: EmailSettings) -> Check:
    """Whether our own server says what DMARC found, and where in the mail it stands."""
    if settings.authserv_id is None:
        seen = Counter(each.authserv_id for headers in newest for each in findings(headers))
        names = ", ".join(name for name, _ in seen.most_common(5)) or "none"
        return Check("dmarc", False, "authserv_id is not set, so every sender is unverified and"
                     f" gets no account data. Seen here: {names}.")  # fmt: skip
    ours = [found for headers in newest if (found := _ours(headers, settings))]
    if not ours:
        return Check("dmarc", False, f"None of the {len(newest)} newest mails has an"
                     f" Authentication-Results header of {settings.authserv_id!r}: senders are"
                     " unverified.")  # fmt: skip
    deep = max(each.received_above for each in ours)
    if deep > settings.received_above:
        return Check("dmarc", False, f"The header of {settings.authserv_id!r} stands under {deep}"
                     f" Received lines, and received_above is {settings.received_above}: if all of"
                     " these lines are your own servers', raise it.")  # fmt: skip
    about = sum(any(result.method == "dmarc" for result in each.results) for each in ours)
    return Check("dmarc", about > 0, f"{about} of {len(newest)} newest mails have a DMARC result of"
                 f" {settings.authserv_id!r} that counts.")  # fmt: skip


def _ours(headers: Headers, settings: EmailSettings) -> Findings | None:
    return next((f for f in findings(headers) if f.authserv_id == settings.authserv_id), None)


def _check_clock(newest: list[Headers]) -> Check:
    """The newest mail's own server wrote its time into the topmost Received line."""
    ahead = [when for headers in newest if (when := _received_at(headers)) is not None]
    late = max(ahead, default=0.0)
    if late > MAX_SKEW_SECONDS:
        return Check("clock", False, f"A mail came {late:.0f} s after now: one clock is wrong.")
    return Check("clock", True, "No mail of the folder comes from the future.")


def _received_at(headers: Headers) -> float | None:
    lines = all_of(headers, "received")[:1]
    try:
        when = parsedate_to_datetime(lines[0].rpartition(";")[2].strip()) if lines else None
    except (ValueError, OverflowError):
        return None
    if when is None or when.tzinfo is None:
        return None
    return (when - datetime.now(UTC)).total_seconds()


def _check_plus(newest: list[Headers], settings: EmailSettings) -> Check:
    """Not every server delivers `name+anything@`: an answer to such an address would be lost."""
    if settings.reply_address == "plain":
        return Check("reply_address", True, "Answers are found by their references alone.")
    seen = any(f"{settings.local}+" in value.lower() for headers in newest
               for name, value in headers if name in ("to", "delivered-to"))  # fmt: skip
    if seen:
        return Check("reply_address", True, "Mail to an address with a plus arrives here.")
    return Check("reply_address", True, f"No mail to {settings.local}+...@{settings.domain} is here"
                 " yet: send one yourself, and set reply_address to plain if it does not"
                 " arrive.")  # fmt: skip


async def _check_smtp(opened: Opened) -> Check:
    settings: EmailSettings = opened.settings
    try:
        server = await connected(opened)
    except (ConnectorError, UnavailableError) as error:
        return Check("smtp", False, f"No way to send mail: {error}.")
    try:
        answer = await server.mail(settings.address)
        await server.rset()
    except (SMTPException, OSError) as error:
        return Check("smtp", False, f"The mail server does not take mail from {settings.address}"
                     f" ({type(error).__name__}).")  # fmt: skip
    finally:
        server.close()
    return Check("smtp", True, f"Signed in to SMTP; mail from {settings.address} is taken"
                 f" ({answer.code}). Nothing was sent.")  # fmt: skip


def _check_settings(opened: Opened) -> list[Check]:
    settings: EmailSettings = opened.settings
    notes = f"Notes go to {settings.notes_to}." if settings.notes_to else (
        "notes_to is not set: nothing in a mailbox is private, so notes are refused.")  # fmt: skip
    people = f"{len(settings.people)} addresses are your own people's." if settings.people else (
        "people is empty: a person's answer is seen in the sent folder only.")  # fmt: skip
    checks = [Check("notes", True, notes), Check("people", True, people)]
    if settings.reply_address == "signed" and not opened.secrets:
        checks.append(
            Check("secret", False, "The connection has no secret to sign addresses with.")
        )
    return checks
