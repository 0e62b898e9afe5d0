"""Which ticket a mail belongs to: names that both sides of a thread can be made of again.

A ticket is the thread of one customer address with us. Its id is a hash of the first mail's
Message-ID and sender, so the same mail is the same ticket however often it comes. A later mail
belongs to it when it answers a mail of the thread and has the same sender, or when it went to an
address that we signed for that ticket and that sender. A subject never decides anything.
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

from app.connectors.email.headers import Headers, only
from app.connectors.email.reading import own_message_id, sender_of
from app.connectors.email.settings import EmailSettings

TICKET_CHARS = 20
SIGNATURE_CHARS = 16
TICKET = re.compile(r"m[0-9a-f]{19}")


def first_ticket(headers: Headers) -> str:
    """The id of the ticket that this mail begins, if it belongs to no other."""
    origin = own_message_id(headers) or "\n".join(
        only(headers, name) or "" for name in ("date", "subject")
    )
    sender = sender_of(headers)[0] or only(headers, "from") or ""
    return "m" + sha256(f"{origin}\n{sender}".encode()).hexdigest()[: TICKET_CHARS - 1]


def own_id(ticket: str, key: str, settings: EmailSettings) -> str:
    """The Message-ID of what we write on a ticket under a key: the same whenever it is written."""
    name = sha256(f"{ticket}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"<dg.{name}@{settings.domain}>"


def own_ids(ids: Iterable[str], settings: EmailSettings) -> list[str]:
    """Those of the Message-IDs that have the form of ours."""
    ours = re.compile(rf"<dg\.[0-9a-f]{{32}}@{re.escape(settings.domain)}>")
    return [each for each in ids if ours.fullmatch(each)]


def signed_address(
    ticket: str, customer: str, settings: EmailSettings, secrets: Sequence[str]
) -> str | None:
    """Where the customer's answer leads back to the ticket; None without signed addresses."""
    if settings.reply_address == "plain" or not secrets:
        return None
    signature = _signature(ticket, customer, secrets[0])
    return f"{settings.local}+{ticket}.{signature}@{settings.domain}"


def ticket_of_address(
    recipients: Iterable[str], sender: str, settings: EmailSettings, secrets: Sequence[str]
) -> str | None:
    """The ticket that one of the addresses was signed for, for this sender, by any secret."""
    ours = re.compile(
        rf"{re.escape(settings.local)}\+(m[0-9a-f]{{19}})\.([0-9a-f]{{16}})"
        rf"@{re.escape(settings.domain)}"
    )
    for address in sorted(recipients):
        if found := ours.fullmatch(address):
            ticket, signature = found[1], found[2]
            if any(
                hmac.compare_digest(signature, _signature(ticket, sender, secret))
                for secret in secrets
            ):
                return ticket
    return None


def _signature(ticket: str, customer: str, secret: str) -> str:
    said = f"deskgraph mail reply address\n{ticket}\n{customer}".encode()
    return hmac.new(secret.encode(), said, sha256).hexdigest()[:SIGNATURE_CHARS]
