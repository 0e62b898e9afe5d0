"""deskgraph keys: create, list and revoke API keys, whose secrets are shown once; end sessions."""

import json
import re
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import SCOPES
from app.commands.database import in_session, load_settings, with_database
from app.commands.terminal import add_row, complain, console, moment, plain_table
from app.commands.usage import usage
from app.db.tables.tenants import ApiKey
from app.db.tenants import queries as tenant_queries
from app.services.console.sign_in import sign_out_everywhere
from app.services.tenants.keys import issue_key

__all__ = ["cli", "issue_key"]

cli = typer.Typer()
LINE = ("id", "name", "person", "scopes", "approve_limits", "created_at",
        "last_used_at", "revoked_at")  # fmt: skip
Tenant = Annotated[str, typer.Option(help="The tenant the key belongs to.")]


@cli.command("create", epilog=usage("keys create --name Helpdesk --scope runs:write"))
def create_key(
    name: Annotated[str, typer.Option(help="Who holds the key.")],
    scope: Annotated[list[str], typer.Option(help=f"One of {', '.join(SCOPES)}; repeatable.")],
    tenant: Tenant = "demo",
    approve_limit: Annotated[
        list[str] | None,
        typer.Option(help="CURRENCY=MINOR_UNITS the key may approve at most; repeatable."),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(help="Whose key it is, such as an e-mail address; their keys are one person."),
    ] = None,
    create_tenant: Annotated[bool, typer.Option(help="Create the tenant if it is new.")] = False,
) -> None:
    """Create a key and print it, once."""
    if unknown := sorted(set(scope) - set(SCOPES)):
        raise typer.BadParameter(f"unknown scope {unknown[0]!r}; there are {', '.join(SCOPES)}")
    limits = dict(parse_limit(text) for text in approve_limit) if approve_limit else None

    async def work(session: AsyncSession) -> str:
        if create_tenant:
            await tenant_queries.ensure_tenant(session, tenant, tenant)
        if not await tenant_queries.tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}; add --create-tenant to make it")
        return await issue_key(session, tenant, name, scope, limits, person=person)

    with with_database(load_settings()) as settings:
        typer.echo(in_session(settings, work))
    complain(f"The key of {name!r} in tenant {tenant!r} is not shown again.")


def parse_limit(text: str) -> tuple[str, int]:
    """`USD=50000` as currency and minor units."""
    match = re.fullmatch(r"([A-Z]{3})=(\d{1,12})", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not CURRENCY=MINOR_UNITS, e.g. USD=50000")
    return match[1], int(match[2])


@cli.command("list", epilog=usage("keys list --tenant acme", LINE, option="--json"))
def list_keys(
    tenant: Tenant = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines for scripts.")] = False,
) -> None:
    """List a tenant's keys; secrets are not stored and cannot be shown."""
    with with_database(load_settings()) as settings:
        rows = in_session(settings, lambda session: tenant_queries.list_keys(session, tenant))
    if as_json:
        for row in rows:
            typer.echo(json.dumps(_described(row)))
        return
    table = plain_table("id", "name", "person", "scopes", "limits", "created", "used", "revoked")
    for row in rows:
        cells = _described(row)
        limits = cells["approve_limits"] or "none"
        shown = (row.id, row.name, row.person, " ".join(row.scopes), limits)
        add_row(table, *shown, moment(row.created_at), moment(row.last_used_at),
                moment(row.revoked_at))  # fmt: skip
    console().print(table)


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "person": key.person,
        "scopes": key.scopes,
        "approve_limits": key.approve_limits,
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "last_used_at": key.last_used_at and key.last_used_at.isoformat(timespec="seconds"),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(timespec="seconds"),
    }


@cli.command("revoke", epilog=usage("keys revoke e09568fc36b6"))
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id between `dg_` and the next `_`.")],
    tenant: Tenant = "demo",
) -> None:
    """Revoke a key; its next request is refused."""
    with with_database(load_settings()) as settings:
        gone = in_session(
            settings, lambda session: tenant_queries.revoke_key(session, tenant, key_id)
        )
    if not gone:
        complain(f"Tenant {tenant!r} has no live key {key_id!r}; see `keys list`.")
        raise typer.Exit(1)
    typer.echo(f"{key_id} is revoked.")


@cli.command("sign-out", epilog=usage("keys sign-out e09568fc36b6"))
def sign_out(
    key_id: Annotated[str, typer.Argument(help="The id of the key, as `keys list` shows it.")],
    tenant: Tenant = "demo",
) -> None:
    """End every session of a person at the console; they may sign in again as what they are now."""

    async def work(session: AsyncSession) -> int | None:
        keys = await tenant_queries.list_keys(session, tenant)
        known = next((key for key in keys if key.id == key_id), None)
        return None if known is None else await sign_out_everywhere(session, known)

    with with_database(load_settings()) as settings:
        ended = in_session(settings, work)
    if ended is None:
        typer.echo(f"Tenant {tenant!r} has no key {key_id!r}; see `keys list`.", err=True)
        raise typer.Exit(1)
    typer.echo(f"Sessions ended: {ended}.")
