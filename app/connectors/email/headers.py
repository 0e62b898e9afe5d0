"""The header lines of a mail as they came: names, values, in order; bounded, and never an error.

The standard library's parser reads the parts of a mail. Who wrote it and which thread it is of is
read from the lines themselves, so that no trick with folding or doubling shows two readers two
mails. Source: RFC 5322, 2.2 and 3.6.4; RFC 2047.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from email.errors import HeaderParseError
from email.header import decode_header

MAX_HEADERS = 300
MAX_VALUE = 4_000
MAX_HEADER_BYTES = 200_000
MAX_REFERENCES = 20
# Longer ones, or ones with blanks, are no Message-IDs that we would search or repeat.
MESSAGE_ID = re.compile(r"<[!#-;=?-\[\]-~]{1,250}>")
_NAME = re.compile(r"([!-9;-~]{1,100})[ \t]{0,10}:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Codecs of Python that are no charsets of mail, or cost more than linear time.
ODD_CODECS = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined"})

Headers = Sequence[tuple[str, str]]


def read_headers(raw: bytes) -> Headers:
    """Names in small letters and unfolded values, up to the first empty line."""
    return list(_lines(raw[:MAX_HEADER_BYTES]))


def _lines(raw: bytes) -> Iterator[tuple[str, str]]:
    name, value, count = "", bytearray(), 0
    for line in raw.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            value += b" " + line.strip() if len(value) < MAX_VALUE else b""
            continue
        if name:
            yield name, _text(bytes(value))
        found = _NAME.match(line[:200].decode("latin-1"))
        count += 1
        if not line or count > MAX_HEADERS:
            return
        name = found[1].lower() if found else ""
        value = bytearray(line[found.end() :].strip()[:MAX_VALUE] if found else b"")
    if name:
        yield name, _text(bytes(value))


def _text(value: bytes) -> str:
    # A control character stays a sign of something odd: no address and no Message-ID has one.
    text = value[:MAX_VALUE].decode("utf-8", "replace").replace("\t", " ")
    return _CONTROL.sub("\ufffd", text).strip()


def all_of(headers: Headers, name: str) -> list[str]:
    """Every value under the name, from the top."""
    return [value for each, value in headers if each == name]


def only(headers: Headers, name: str) -> str | None:
    """The value under the name; None unless there is exactly one."""
    found = all_of(headers, name)
    return found[0] if len(found) == 1 else None


def message_ids(headers: Headers, name: str) -> list[str]:
    """The Message-IDs of a header; of many the first and the last ones."""
    found = [each for value in all_of(headers, name) for each in MESSAGE_ID.findall(value)]
    found = list(dict.fromkeys(found))
    keep = MAX_REFERENCES // 2
    return found if len(found) <= MAX_REFERENCES else [*found[:keep], *found[-keep:]]


def decoded(value: str) -> str:
    """A header's text as people read it, without control characters."""
    try:
        parts = decode_header(value[:MAX_VALUE])
    except (HeaderParseError, ValueError):
        parts = [(value[:MAX_VALUE], None)]
    texts = [part if isinstance(part, str) else decode(part, charset) for part, charset in parts]
    return _CONTROL.sub(" ", "".join(texts)).strip()


def decode(raw: bytes, charset: str | None) -> str:
    """Bytes of a mail as text; a charset that is unknown or a lie costs single characters only."""
    name = _codec(charset)
    if name not in {None, "ascii", "utf-8"}:
        return raw.decode(name or "", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        # A mail that was fetched in part may end within a character.
        if error.start >= len(raw) - 3:
            return raw[: error.start].decode("utf-8")
        return raw.decode("cp1252", "replace")


def _codec(charset: str | None) -> str | None:
    try:
        name = codecs.lookup(str(charset)[:60]).name if charset else ""
        if not name or name.replace("-", "_") in ODD_CODECS:
            return None
        b"a".decode(name, "replace")
    # LookupError: unknown, or a codec that makes no text; ValueError: NUL in the name.
    except (LookupError, ValueError):
        return None
    return name
