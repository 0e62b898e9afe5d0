"""A reply to a ticket that was closed meanwhile: a follow-up ticket, opened once.

`Idempotency-Key` covers a repetition that comes soon, and the ticket's external id every later one.
"""

import hashlib

from app.connectors.answers import Wire, read_as
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import AlreadyPosted, Answer, Posted
from app.connectors.keys import stored_key
from app.connectors.zendesk.api import ZendeskApi, refusal, words_of
from app.connectors.zendesk.changes import simple_fields
from app.connectors.zendesk.shapes import Done, Ticket
from app.connectors.zendesk.texts import html_of


class _Tickets(Wire):
    tickets: tuple[Ticket, ...]


async def find(api: ZendeskApi, ticket_id: str, key: str) -> str | None:
    """The follow-up ticket that was opened for the key. Raises SettingsError."""
    query = {"external_id": _external_id(ticket_id, key)}
    answer = await api.call("GET", "/tickets.json", query=query)
    if not answer.ok:
        raise SettingsError(f"Zendesk does not show tickets by external id: {words_of(answer)}")
    found = read_as(_Tickets, answer.json()).tickets
    return _name(found[0]) if found else None


async def follow_up(api: ZendeskApi, ticket: Ticket, text: str, key: str) -> Answer:
    """Open it for the closed ticket's requester, with the reply as its first comment."""
    if known := await find(api, ticket.id, key):
        return AlreadyPosted(known)
    external_id = _external_id(ticket.id, key)
    body = {
        "ticket": {
            "via_followup_source_id": int(ticket.id),
            "requester_id": int(ticket.requester_id),
            "external_id": external_id,
            "comment": {"html_body": html_of(text), "public": True},
            "metadata": {"deskgraph_key": stored_key(key)},
            **simple_fields(api.settings.on_reply),
        }
    }
    headers = {"Idempotency-Key": external_id}
    answer = await api.call("POST", "/tickets.json", body=body, headers=headers)
    return Posted(_name(read_as(Done, answer.json()).ticket)) if answer.ok else refusal(answer)


def _name(ticket: Ticket) -> str:
    return f"ticket {ticket.id}"


def _external_id(ticket_id: str, key: str) -> str:
    digest = hashlib.sha256(f"{ticket_id}\n{key}".encode()).hexdigest()
    return f"deskgraph:{digest}"
