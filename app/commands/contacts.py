"""deskgraph contacts import: a JSONL file into the list of people that mailings can reach."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.commands.usage import usage
from app.db.effects.mailings import ALL_CONTACTS, put_contacts
from app.db.tenants.queries import tenant_exists
from app.log.error_text import wrong_value

cli = typer.Typer()

# Rows of one statement: Postgres takes 65,535 parameters, a contact has seven.
BATCH = 1000


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

    id: Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]
    email: Email
    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}$")]
    segments: Annotated[list[Segment], Field(max_length=50)] = []
    unsubscribed: bool = False


class SourceError(ValueError):
    """A line is no contact; the message says which."""


def read_contacts(path: Path) -> list[ContactIn]:
    """Every contact of the file. Raises SourceError before anything is stored."""
    found: dict[str, ContactIn] = {}
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                contact = ContactIn.model_validate(json.loads(line))
            except json.JSONDecodeError as error:
                raise SourceError(f"{path}:{number}: no JSON object ({error})") from None
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise SourceError(
                    f"{path}:{number}: {where}: {wrong_value(first['msg'])}"
                ) from None
            if contact.id in found:
                raise SourceError(f"{path}:{number}: id {contact.id!r} stands there twice")
            found[contact.id] = contact
    return list(found.values())


@cli.command("import", epilog=usage("contacts import contacts.jsonl --tenant acme"))
def import_contacts(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .jsonl file.")],
    tenant: Annotated[str, typer.Option(help="Whose contacts.")] = "demo",
) -> None:
    """Store every contact of SOURCE; the same id again replaces it."""
    try:
        contacts = read_contacts(source)
    except (SourceError, UnicodeDecodeError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None

    async def work(session: AsyncSession) -> None:
        if not await tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}; make it with `keys create`")
        for batch in batches(contacts):
            rows = [{"tenant_id": tenant, **contact.model_dump()} for contact in batch]
            await put_contacts(session, rows)

    with with_database(load_settings()) as settings:
        in_session(settings, work)
    typer.echo(f"{len(contacts)} contacts imported for {tenant}.")


def batches(contacts: list[Any]) -> Iterator[list[Any]]:
    """The list in parts of at most `BATCH`."""
    rest = iter(contacts)
    while batch := list(islice(rest, BATCH)):
        yield batch
