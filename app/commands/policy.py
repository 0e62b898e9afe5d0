"""deskgraph policy: show and set a tenant's rules."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.db import keys
from graphs.policy import Policy

cli = typer.Typer(help="Show and set a tenant's policy.", no_args_is_help=True)
Tenant = Annotated[str, typer.Option(help="Whose policy.")]


@cli.command("show")
def show_policy(tenant: Tenant = "demo") -> None:
    """Print the policy that new runs are held to, as JSON."""
    with with_database(load_settings()) as settings:
        version, body = in_session(settings, lambda s: keys.current_policy(s, tenant))
    policy = Policy.model_validate(body).model_dump(mode="json")
    typer.echo(json.dumps({"version": version, **policy}, indent=2))


@cli.command("set")
def set_policy(
    source: Annotated[Path, typer.Argument(allow_dash=True, help="A JSON file; - is stdin.")],
    tenant: Tenant = "demo",
) -> None:
    """Store a new version; runs that already started keep theirs."""
    try:
        text = typer.get_text_stream("stdin").read() if str(source) == "-" else source.read_text()
        body: dict[str, Any] = json.loads(text)
        body.pop("version", None)
        policy = Policy.model_validate(body)
    except (OSError, ValidationError, ValueError, AttributeError) as error:
        typer.echo(f"{source}: {error}", err=True)
        raise typer.Exit(2) from None

    async def work(session: AsyncSession) -> int:
        if not await keys.tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}")
        return await keys.add_policy(session, tenant, policy.model_dump(mode="json"), "cli")

    with with_database(load_settings()) as settings:
        version = in_session(settings, work)
    typer.echo(f"Policy version {version} of {tenant} counts from now on.")
