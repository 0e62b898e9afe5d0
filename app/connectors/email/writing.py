"""One mail of ours. Whatever it is made of, each header is one line, and the text is plain."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate
from urllib.parse import quote

from app.connectors.email.headers import MESSAGE_ID
from app.connectors.email.settings import EmailSettings
from app.connectors.email.store import KEY_LINE, PRIVATE_LINES, ROOT_LINE, TICKET_LINE

# Message-IDs are never folded, which would break them: RFC 5322 allows 998 characters a line.
POLICY = SMTP_POLICY.clone(max_line_length=998)
MAX_TEXT = 100_000
MAX_SUBJECT = 180
MAX_KEY = 950
MAX_LINE_IDS = 900
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TEXT_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Letter:
    """What we write: on which ticket, to whom, as an answer to which mails, and under which key."""

    ticket: str
    key: str
    message_id: str
    to: str
    subject: str
    text: str
    references: Sequence[str] = ()
    root: str | None = None
    reply_to: str | None = None
    answers: bool = True


def written(letter: Letter, settings: EmailSettings) -> EmailMessage:
    """The mail as the sent folder keeps it; `as_sent` is what leaves.

    Raises:
        ValueError: the key is too long to be kept.
    """
    key = quote(letter.key, safe="", errors="surrogatepass")
    if len(key) > MAX_KEY:
        raise ValueError("a key that long cannot be kept with a mail")
    mail = EmailMessage(policy=POLICY)
    mail["From"] = Address(_one_line(settings.name), addr_spec=settings.address)
    mail["To"] = Address(addr_spec=letter.to)
    mail["Subject"] = _subject(letter)
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = letter.message_id
    if references := _kept_ids(letter.references):
        mail["In-Reply-To"] = references[-1]
        mail["References"] = " ".join(references)
    if letter.reply_to:
        mail["Reply-To"] = Address(_one_line(settings.name), addr_spec=letter.reply_to)
    # RFC 3834, section 5; and the word that Exchange knows.
    mail["Auto-Submitted"] = "auto-replied" if letter.answers else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[TICKET_LINE] = letter.ticket
    mail[KEY_LINE] = key
    if letter.root:
        mail[ROOT_LINE] = letter.root
    mail.set_content(_plain(letter.text), cte="quoted-printable")
    return mail


def as_sent(mail: EmailMessage) -> bytes:
    """The mail without the lines that are for us alone."""
    for name in PRIVATE_LINES:
        del mail[name]
    return mail.as_bytes()


def _subject(letter: Letter) -> str:
    subject = _one_line(letter.subject)[:MAX_SUBJECT]
    if not letter.answers:
        return f"Note: {subject}"
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _kept_ids(ids: Sequence[str]) -> list[str]:
    """The first and the last Message-IDs that fit into a line."""
    clean = list(dict.fromkeys(each for each in ids if MESSAGE_ID.fullmatch(each)))
    kept, size = clean[:1], len(clean[0]) if clean else 0
    last: list[str] = []
    for each in reversed(clean[1:]):
        size += len(each) + 1
        if size > MAX_LINE_IDS:
            break
        last.append(each)
    return [*kept, *reversed(last)]


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode()).strip()


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")[:MAX_TEXT]
    return _TEXT_CONTROL.sub("", lines).encode("utf-8", "replace").decode()
