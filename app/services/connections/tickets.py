"""Names of tickets and customers of a desk, which no other desk and no caller of the API can use.

Two desks may both have a ticket 42, so ours is `con_...:42`. A desk's id may hold a space, a slash
or a letter of any script; what no id of our API may hold is percent-encoded in our name, as in a
URL, so that every ticket can be asked for and the desk's own id is read out of it again.
See docs/adr/0023.
"""

import re
from hashlib import sha256
from urllib.parse import quote, unquote

from app.connectors.helpdesk import Requester

# Of a connection: 80 random bits in base32.
CONNECTION_ID = re.compile(r"con_[a-z2-7]{16}")
NAMED = re.compile(rf"({CONNECTION_ID.pattern}):(.+)", re.DOTALL)
# As encoded: the API takes ids of 128 characters, and the connection with its colon has 21.
MAX_DESK_ID = 100
# All that OutsideId takes (app/api/schemas/base.py) but the sign of the encoding itself.
PLAIN = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
# What no row can hold: NUL, and halves of surrogate pairs.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
PRINTABLE = re.compile(r"[!-~]{1,100}")


def ticket_name(connection_id: str, desk_ticket_id: str) -> str:
    """What we call a desk's ticket."""
    return f"{connection_id}:{quote(desk_ticket_id, safe=PLAIN)}"


def ticket_id_problem(desk_ticket_id: str) -> str | None:
    """Why a desk's id cannot name a ticket here, or None."""
    if UNSTORABLE.search(desk_ticket_id):
        return "The ticket's id holds NUL or half of a surrogate pair."
    if len(quote(desk_ticket_id, safe=PLAIN)) > MAX_DESK_ID:
        return (
            f"The ticket's id is longer than {MAX_DESK_ID} characters; each byte of UTF-8 that is"
            " no plain ASCII, and each space, counts as three."
        )
    return None


def desk_ticket_id(ticket_id: str) -> str:
    """What the desk calls a ticket of ours."""
    found = NAMED.fullmatch(ticket_id)
    assert found is not None, "only tickets of connections are delivered to desks"
    return unquote(found[2])


def connection_of(ticket_id: str) -> str | None:
    """The connection that a ticket of ours came from; None for one of the API."""
    found = NAMED.fullmatch(ticket_id)
    return found[1] if found else None


def is_name(ticket_id: str) -> bool:
    """Whether it is a name that `ticket_name` gives, to a desk's id that may be one."""
    connection_id = connection_of(ticket_id)
    desk_id = desk_ticket_id(ticket_id) if connection_id else ""
    return (
        connection_id is not None
        and ticket_id_problem(desk_id) is None
        and ticket_name(connection_id, desk_id) == ticket_id
    )


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
