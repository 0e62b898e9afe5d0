"""One mail as data: its text, and the names of what is attached. Whatever a mail holds, it is read.

A mail is fetched up to `MAX_FETCH` bytes: its text comes before its attachments. The number and
depth of its parts are bounded while they are parsed. Attachments are counted and named, for people;
nothing of them is kept, and their names are hostile text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import EmailPolicy, default
from hashlib import sha256
from typing import Any

from app.connectors.email.headers import (
    MESSAGE_ID,
    Headers,
    all_of,
    decode,
    decoded,
    message_ids,
    only,
    read_headers,
)
from app.connectors.email.settings import mail_address

MAX_FETCH = 400_000
MAX_PARTS = 100
MAX_CONTAINERS = 15
MAX_TEXT = 50_000
MAX_HEADER_CHARS = 2_000
MAX_SUBJECT = 500
# RFC 3464, 2.3.3.
_FAILED = re.compile(r"^action:\s*failed\b", re.IGNORECASE | re.MULTILINE)
_BRACKETED = re.compile(r"<([^<>]*)>[^<>]*$")


class TooManyPartsError(MessageError):
    """The mail has more parts, or parts within parts, than mails of people have."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a part calls itself. Hostile text: show it to people only, escaped."""

    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. `sender` is the one address of its one From, or None.

    `digest` names the content, so that a mail that came twice is known and two mails under one
    Message-ID are two. `broken` says why its parts could not be read; its text is then empty.
    """

    headers: Headers
    message_id: str | None
    sender: str | None
    sender_name: str
    subject: str
    references: Sequence[str]
    recipients: frozenset[str]
    text: str = ""
    html: bool = False
    attachments: tuple[Attachment, ...] = ()
    digest: str = ""
    cut: bool = False
    broken: str | None = None
    reported: Sequence[str] = field(default=())

    @property
    def topmost(self) -> dict[str, str]:
        """The headers by name; of several the first, which the nearest server wrote."""
        return dict(reversed(self.headers))


def read_mail(raw: bytes, size: int | None = None) -> Mail:
    """The mail; `size` is its whole size where `raw` is only its beginning. Raises nothing."""
    headers = read_headers(raw)
    try:
        parts = list(_parts(_parse(raw)))
        text, html = _body(parts)
        attachments, reported, broken = tuple(_attachments(parts)), _reported(parts), None
    except Exception as error:  # noqa: BLE001  # hostile mail finds new ways to break the parser
        text, html, attachments, reported, broken = "", False, (), (), type(error).__name__
    return Mail(
        **_addressed(headers),
        headers=headers,
        text=text[:MAX_TEXT].strip(),
        html=html,
        attachments=attachments,
        digest=_digest(headers, raw),
        cut=size is not None and size > len(raw),
        broken=broken,
        reported=reported,
    )


def _addressed(headers: Headers) -> dict[str, Any]:
    """What the lines say about who wrote to whom, and on which thread."""
    sender, name = sender_of(headers)
    return {
        "message_id": own_message_id(headers),
        "sender": sender,
        "sender_name": name,
        "subject": decoded(only(headers, "subject") or "")[:MAX_SUBJECT],
        "references": tuple(
            dict.fromkeys(
                [*message_ids(headers, "references"), *message_ids(headers, "in-reply-to")]
            )
        ),
        "recipients": recipients_of(headers),
    }


def own_message_id(headers: Headers) -> str | None:
    """The mail's Message-ID; None without one, with two, or with one that we would not repeat."""
    found = MESSAGE_ID.fullmatch(only(headers, "message-id") or "")
    return found[0] if found else None


def sender_of(headers: Headers) -> tuple[str | None, str]:
    """Address and name of the one From; several senders are none, since DMARC proves one."""
    value = only(headers, "from") or ""
    found = _BRACKETED.search(value)
    address = mail_address(found[1] if found else value)
    several = value.count("@") > 1 and "," in value
    name = decoded(value[: found.start()]).strip(" \"'") if found else ""
    return (None if several else address), name[:200]


def recipients_of(headers: Headers) -> frozenset[str]:
    """The addresses that the mail says it was sent to, in small letters."""
    names = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
    text = " ".join(value for name in names for value in all_of(headers, name))
    words = re.split(r"[\s<>,;:\"()]+", text)
    return frozenset(found for word in words if "@" in word and (found := mail_address(word)))


def _parse(raw: bytes) -> Message:
    return BytesParser(policy=_bounded_policy()).parsebytes(raw)


def _bounded_policy() -> EmailPolicy:
    """The default policy, which shortens each header and counts parts while they are found.

    The parser asks the policy for every header of every part, before it goes on: a mail of ten
    thousand parts within each other would otherwise cost the square of its size.
    """
    seen = {"parts": 0, "containers": 0}

    class Bounded(EmailPolicy):
        def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
            name, value = super().header_source_parse(_shortened(sourcelines))
            if name.lower() == "content-type":
                container = "multipart" in value.lower() or "message" in value.lower()
                seen["parts"] += 1
                seen["containers"] += container
                if seen["parts"] > MAX_PARTS or seen["containers"] > MAX_CONTAINERS:
                    raise TooManyPartsError("too many parts")
            return name, value

    return Bounded(header_factory=default.header_factory)


def _shortened(lines: list[str]) -> list[str]:
    kept, size = [], 0
    for line in lines:
        kept.append(line[: MAX_HEADER_CHARS - size])
        size += len(line)
        if size >= MAX_HEADER_CHARS:
            break
    return kept


def _parts(mail: Message) -> Iterator[tuple[Message, str, str, bool]]:
    """Every part that holds something: the part, its type, its name, whether in a mail within."""
    waiting: list[tuple[Message, bool]] = [(mail, False)]
    while waiting:
        part, within = waiting.pop()
        kind = str(part.get_content_type()).lower()[:100]
        children = part.get_payload() if part.is_multipart() else None
        if kind.startswith("message/") or not isinstance(children, list):
            yield part, kind, decoded(str(part.get_filename() or "")), within
        if isinstance(children, list):
            inside = within or kind.startswith("message/")
            waiting.extend((child, inside) for child in reversed(children)
                           if isinstance(child, Message))  # fmt: skip


def _body(parts: Sequence[tuple[Message, str, str, bool]]) -> tuple[str, bool]:
    """The text parts if any is filled, else the first HTML part."""
    inline = [
        (part, kind) for part, kind, name, within in parts
        if not within and not name and part.get_content_disposition() != "attachment"
    ]  # fmt: skip
    plain = [_content(part) for part, kind in inline if kind == "text/plain"]
    text = "\n".join(each for each in plain if each.strip())
    pages = [_content(part) for part, kind in inline if kind == "text/html"]
    if text or not pages:
        return text, False
    return pages[0], True


def _content(part: Message) -> str:
    raw = part.get_payload(decode=True)
    charset = part.get_param("charset")
    text = (
        decode(raw, charset if isinstance(charset, str) else None) if isinstance(raw, bytes) else ""
    )
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _attachments(parts: Sequence[tuple[Message, str, str, bool]]) -> Iterator[Attachment]:
    for part, kind, name, within in parts:
        kept_away = part.get_content_disposition() == "attachment" or not kind.startswith("text/")
        if not within and (name or kept_away):
            yield Attachment(name[:200], kind)


def _reported(parts: Sequence[tuple[Message, str, str, bool]]) -> Sequence[str]:
    """The Message-IDs of mails that a delivery report says have failed for good."""
    failed = any(
        kind == "message/delivery-status" and _FAILED.search(_flat(part))
        for part, kind, *_ in parts
    )
    if not failed:
        return ()
    found: list[str] = []
    for part, kind, *_ in parts:
        if kind in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            found += MESSAGE_ID.findall(_flat(part))[:20]
    return tuple(dict.fromkeys(found))


def _flat(part: Message) -> str:
    """The headers of what a report holds, as text."""
    children = part.get_payload()
    if not isinstance(children, list):
        return _content(part)[:20_000]
    lines = [
        f"{name}: {value}"
        for child in children[:20]
        if isinstance(child, Message)
        for name, value in child.raw_items()
    ]
    return "\n".join(lines)[:20_000]


def _digest(headers: Headers, raw: bytes) -> str:
    """The same for a mail that came twice by two ways, which differ in their trace lines only."""
    names = ("message-id", "from", "date", "subject")
    top = "\n".join(f"{name}:{value}" for name in names for value in all_of(headers, name))
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2].strip()
    return sha256(top.encode() + b"\0" + body[:MAX_TEXT]).hexdigest()
