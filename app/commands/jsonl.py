"""The import of a JSONL file, checked as a whole before anything is stored."""

from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.commands.terminal import complain
from app.db.tenants.queries import tenant_exists
from app.formats.jsonl import RowError, unique_rows

# Rows of one statement: Postgres takes 65,535 parameters, a row has at most eleven.
BATCH = 1000
RowId = Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]
# Without control characters and line ends, which could begin a header or a line of a list.
PersonName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}$")]
Source = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .jsonl file.")]


def import_rows(
    source: Path,
    model: type[BaseModel],
    tenant: str,
    put: Callable[[AsyncSession, list[dict[str, Any]]], Awaitable[None]],
) -> int:
    """Store every row of the file for the tenant in one transaction; how many there are.

    A wrong file ends the command with exit code 2 before the database is opened.
    """
    try:
        found = unique_rows(source, model)
    except (RowError, UnicodeDecodeError) as error:
        complain(error)
        raise typer.Exit(2) from None

    async def work(session: AsyncSession) -> None:
        if not await tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}; make it with `keys create`")
        for batch in batches(found):
            await put(session, [{"tenant_id": tenant, **row.model_dump()} for row in batch])

    with with_database(load_settings()) as settings:
        in_session(settings, work)
    return len(found)


def batches(rows: list[Any]) -> Iterator[list[Any]]:
    """The list in parts of at most `BATCH`."""
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        yield batch
