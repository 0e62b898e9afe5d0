"""Who wrote a mail, as our own mail server proved it: DMARC in its Authentication-Results.

A From address proves nothing, and neither does a header that anyone can write. So only the topmost
Authentication-Results with our server's name counts, and only above the border that the tenant
names: each server writes its lines on top, so what stands further down came from outside.
Source: RFC 8601 (5: a server removes forged ones; many do not); RFC 7489.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.connectors.email.headers import Headers
from app.connectors.email.reading import Mail
from app.connectors.email.settings import EmailSettings
from app.connectors.helpdesk import Requester

_WORD = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|$)|([^\s;="]+)|([;=])')


@dataclass(frozen=True, slots=True)
class Result:
    """One result of a header, such as dmarc=pass with the domain it is about."""

    method: str
    value: str
    header_from: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """An Authentication-Results header, and how many Received lines stand above it."""

    authserv_id: str
    received_above: int
    results: tuple[Result, ...]


def findings(headers: Headers) -> Iterator[Findings]:
    """Every Authentication-Results header, from the top."""
    above = 0
    for name, value in headers:
        if name == "received":
            above += 1
        elif name == "authentication-results":
            authserv_id, results = _read(value)
            yield Findings(authserv_id, above, results)


def is_verified(mail: Mail, settings: EmailSettings) -> bool:
    """Whether our own server says that DMARC passed for the domain of the mail's one From."""
    if settings.authserv_id is None or mail.sender is None:
        return False
    ours = next((f for f in findings(mail.headers) if f.authserv_id == settings.authserv_id), None)
    if ours is None or ours.received_above > settings.received_above:
        return False
    domain = mail.sender.partition("@")[2]
    dmarc = [result for result in ours.results if result.method == "dmarc"]
    return len(dmarc) == 1 and dmarc[0].value == "pass" and dmarc[0].header_from == domain


def requester_of(mail: Mail, settings: EmailSettings) -> Requester:
    """Who wrote it; the tenant's own id of the customer only for a proved address in its table."""
    verified = is_verified(mail, settings)
    address = mail.sender or ""
    return Requester(
        id=address or "unknown",
        external_id=settings.customers.get(address) if verified else None,
        name=mail.sender_name or None,
        verified=verified,
    )


def _read(value: str) -> tuple[str, tuple[Result, ...]]:
    first, *rest = _statements(_without_comments(value))
    authserv_id = first[0].lower() if first else ""
    return authserv_id, tuple(result for words in rest if (result := _result(words)))


def _statements(value: str) -> list[list[str]]:
    statements: list[list[str]] = [[]]
    for quoted, word, sign in _WORD.findall(value):
        if sign == ";":
            statements.append([])
        else:
            statements[-1].append(sign or word or quoted)
    return statements


def _result(words: list[str]) -> Result | None:
    """method=value, then properties such as header.from=example.com."""
    named = {
        words[at - 1].lower(): words[at + 1].lower()
        for at in range(1, len(words) - 1)
        if words[at] == "="
    }
    if len(words) < 3 or words[1] != "=":
        return None
    method = words[0].lower().partition("/")[0]
    return Result(method, words[2].lower(), named.get("header.from"))


def _without_comments(value: str) -> str:
    """The header without (comments), which may be nested and hold anything."""
    kept, depth, quoted, escaped = [], 0, False, False
    for sign in value:
        if escaped or sign == "\\":
            escaped = not escaped
        elif sign == '"' and not depth:
            quoted = not quoted
        elif not quoted and sign == "(":
            depth += 1
        elif not quoted and sign == ")" and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(sign)
    return "".join(kept)
