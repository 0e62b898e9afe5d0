"""Who asked, as the tenant's own field in RT says."""

from typing import Annotated

from app.connectors.answers import Wire, read_as
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import Requester
from app.connectors.request_tracker.rest2 import (
    CustomField,
    Items,
    ListOrNothing,
    Ref,
    Rest2,
    Ticket,
    words_of,
)


class _Person(Ref):
    CustomFields: Annotated[tuple[CustomField, ...], ListOrNothing] = ()


class _Asked(Wire):
    Requestor: tuple[_Person, ...] = ()


async def requester_of(rest: Rest2, ticket: Ticket) -> Requester:
    """The ticket's requestor; verified when the tenant's field holds exactly one id of them.

    A ticket of several requestors has no verified one: which of them writes, a mail only claims.
    """
    users = [ref for ref in ticket.Requestor if ref.type == "user"]
    if not users:
        return Requester("")
    field = rest.settings.external_id_field
    if field is None or len(ticket.Requestor) != 1:
        return Requester(users[0].id)
    values = ticket.values(field)
    if values is None:
        values = await _of_user(rest, ticket, field)
    known = values[0].strip() if len(values) == 1 else ""
    return Requester(users[0].id, external_id=known or None, verified=bool(known))


async def _of_user(rest: Rest2, ticket: Ticket, field: str) -> list[str]:
    """The values of the requestor's own field. Only a list of tickets shows fields of users."""
    query: dict[str, str | int] = {
        "query": f"id={ticket.id}", "fields": "Requestor", "fields[Requestor]": "CustomFields",
    }  # fmt: skip
    answer = await rest.call("GET", "/tickets", query=query)
    if not answer.ok:
        raise SettingsError(f"RT does not show the requestor: {words_of(answer)}")
    found = read_as(list[_Asked], read_as(Items, answer.json()).items)
    people = [person for asked in found for person in asked.Requestor]
    return [text for one in people for f in one.CustomFields if f.name == field for text in f.texts]
