"""Names of tickets and customers of a desk, which no other desk and no caller of the API can use.

Two desks may both have a ticket 42, so ours is `con_...:42`. See docs/adr/0023.
"""

import re
from hashlib import sha256

from app.connectors.helpdesk import Requester

# Of a connection: 80 random bits in base32.
CONNECTION_ID = re.compile(r"con_[a-z2-7]{16}")
NAMED = re.compile(rf"({CONNECTION_ID.pattern}):(.+)", re.DOTALL)
MAX_DESK_ID = 100
PRINTABLE = re.compile(r"[!-~]{1,100}")


def ticket_name(connection_id: str, desk_ticket_id: str) -> str:
    """What we call a desk's ticket."""
    return f"{connection_id}:{desk_ticket_id}"


def desk_ticket_id(ticket_id: str) -> str:
    """What the desk calls a ticket of ours."""
    found = NAMED.fullmatch(ticket_id)
    assert found is not None, "only tickets of connections are delivered to desks"
    return found[2]


def connection_of(ticket_id: str) -> str | None:
    """The connection that a ticket of ours came from; None for one of the API."""
    found = NAMED.fullmatch(ticket_id)
    return found[1] if found else None


def is_reserved(name: str) -> bool:
    """Whether the name, of a ticket or a customer, is one that only a connection may give."""
    return connection_of(name) is not None


def account_of(connection_id: str, requester: Requester, ticket: str) -> tuple[str, bool]:
    """The customer whose ticket it is, and whether their account may be read.

    Only an external id that the tenant gave names an account, and only of a requester whom the
    desk verified; anybody else is a customer of the desk alone, without payments. A requester
    without an id is a customer of the one ticket.
    """
    given = requester.external_id
    if requester.verified and given and PRINTABLE.fullmatch(given) and not is_reserved(given):
        return given, True
    return f"{connection_id}:{_printable(requester.id or f'of ticket {ticket}')}", False


def _printable(requester_id: str) -> str:
    """The desk's id of a requester; one that is not plain ASCII is hashed, so that none is lost."""
    if PRINTABLE.fullmatch(requester_id):
        return requester_id
    return f"sha256_{sha256(requester_id.encode(errors='surrogatepass')).hexdigest()}"
