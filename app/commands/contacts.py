"""deskgraph contacts import: a JSONL file into the list of people that mailings can reach."""

from typing import Annotated

import typer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.commands.jsonl import PersonName, RowId, Source, import_rows
from app.commands.usage import usage
from app.db.effects.mailings import ALL_CONTACTS, put_contacts

cli = typer.Typer()


def _not_everybody(name: str) -> str:
    if name == ALL_CONTACTS:
        raise ValueError(f"{ALL_CONTACTS!r} is everybody already")
    return name


Segment = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,50}$"), AfterValidator(_not_everybody)]
# An address that needs no quoting in any header, after RFC 5321's dot-string; ASCII only.
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
Email = Annotated[
    str, Field(max_length=254, pattern=rf"^{ATEXT}(?:\.{ATEXT})*@{LABEL}(?:\.{LABEL})+$")
]


class ContactIn(BaseModel):
    """One line of the file. An import never subscribes a contact again who unsubscribed."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: RowId
    email: Email
    name: PersonName
    segments: Annotated[list[Segment], Field(max_length=50)] = []
    unsubscribed: bool = False


@cli.command("import", epilog=usage("contacts import contacts.jsonl --tenant acme"))
def import_contacts(
    source: Source, tenant: Annotated[str, typer.Option(help="Whose contacts.")] = "demo"
) -> None:
    """Store every contact of SOURCE; the same id again replaces it."""
    count = import_rows(source, ContactIn, tenant, put_contacts)
    typer.echo(f"{count} contacts imported for {tenant}.")
