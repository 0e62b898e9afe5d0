"""deskgraph audit: check the chain of a tenant's audit trail, and export it."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database, with_sessions
from app.commands.usage import LINES, usage
from app.db.audit.queries import links_after, tenants_with_events
from app.db.core.connections import Sessions
from app.db.tenants.queries import tenant_exists
from app.services.audit.seal import GENESIS, fields_of, seal_tenant
from app.services.audit.verify import Verified, verify

cli = typer.Typer()
BATCH = 1000
LINE = ("id", "at", "tenant_id", "kind", "actor", "actor_key", "actor_sha256", "subjects", "facts",
        "content_sha256", "number", "previous", "seal")  # fmt: skip


@cli.command("verify", epilog=usage("audit verify --tenant acme"))
def verify_chain(
    tenant: Annotated[str | None, typer.Option(help="Whose trail; without it, each one.")] = None,
    pinned: Annotated[
        str | None, typer.Option(help="A seal that was written down; it must be in the chain.")
    ] = None,
) -> None:
    """Recompute every seal, and say what is broken first; exit code 1 if anything is."""
    if pinned and not tenant:
        raise typer.BadParameter("name the tenant whose chain has the pinned seal with --tenant")

    async def work(session: AsyncSession) -> dict[str, Verified]:
        tenants = [tenant] if tenant else await tenants_with_events(session)
        return {name: await verify(session, name, pinned=pinned) for name in tenants}

    with with_database(load_settings()) as settings:
        found = in_session(settings, work)
    for name, result in found.items():
        typer.echo(f"{name}: {said_of(result)}", err=result.broken is not None)
    if any(result.broken for result in found.values()):
        raise typer.Exit(1)


def said_of(result: Verified) -> str:
    """What a check found, in words."""
    if result.broken:
        return f"BROKEN. {result.broken} The {result.checked} links checked before it hold."
    waiting = f"; {result.waiting} events wait for their seal" if result.waiting else ""
    if not result.number:
        return f"no links yet{waiting}"
    return f"{result.checked} links hold, head {result.head}{waiting}"


@cli.command("export", epilog=usage("audit export --tenant acme > audit.jsonl", LINE, form=LINES))
def export_chain(
    tenant: Annotated[str, typer.Option(help="Whose trail.")] = "demo",
    since: Annotated[
        datetime | None, typer.Option(help="Events of that time or later; UTC.")
    ] = None,
    form: Annotated[
        Literal["jsonl"], typer.Option("--format", help="JSON, one object a line.")
    ] = "jsonl",
) -> None:
    """Seal what waits, then print the events in the order of the chain, and its head at the end."""
    assert form == "jsonl", "there is no other"
    begin = since.replace(tzinfo=since.tzinfo or UTC) if since else None

    async def work(sessions: Sessions) -> tuple[int, str]:
        async with sessions() as session:
            if tenant != "*" and not await tenant_exists(session, tenant):
                raise typer.BadParameter(f"no tenant {tenant!r}")
        await seal_tenant(sessions, tenant)
        return await _print_links(sessions, tenant, begin)

    with with_database(load_settings()) as settings:
        number, head = with_sessions(settings, work)
    typer.echo(f"Head: link {number}, seal {head}", err=True)


async def _print_links(sessions: Sessions, tenant: str, since: datetime | None) -> tuple[int, str]:
    """Print the links, in batches; the number and the seal of the last one."""
    number, seal = 0, GENESIS
    while True:
        async with sessions() as session:
            links = await links_after(session, tenant, number, BATCH)
        for link, event in links:
            if event is None:
                typer.echo(f"Event {link.event_id} is missing; see `audit verify`.", err=True)
                raise typer.Exit(1)
            if since is None or event.at >= since:
                chained = {"number": link.number, "previous": seal, "seal": link.seal}
                typer.echo(json.dumps(fields_of(event) | chained))
            number, seal = link.number, link.seal
        if len(links) < BATCH:
            return number, seal
