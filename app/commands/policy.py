"""deskgraph policy: show, set and list the versions of a tenant's rules."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.commands.terminal import complain
from app.commands.usage import OBJECT, usage
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.tenants import PolicyVersion
from app.db.tenants import queries as tenant_queries
from app.errors import NotFoundError
from app.log.error_text import wrong_value
from app.services.tenants import policy as policies
from graphs.policy import Policy

cli = typer.Typer()
SHOWN = ("version", *Policy.model_fields)
VERSION = ("version", "created_at", "created_by")
Tenant = Annotated[str, typer.Option(help="Whose policy.")]


@cli.command("show", epilog=usage("policy show > policy.json", SHOWN, form=OBJECT))
def show_policy(
    tenant: Tenant = "demo",
    version: Annotated[
        int | None, typer.Option(min=0, help="An older version; 0 is the default policy.")
    ] = None,
) -> None:
    """Print the policy that new runs are held to, or an older version, as JSON."""

    async def work(session: AsyncSession) -> tuple[int, dict[str, Any]]:
        if not await tenant_queries.tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}")
        newest, body = await tenant_queries.current_policy(session, tenant)
        if version is None or version == newest:
            return newest, body
        if version > newest:
            raise typer.BadParameter(f"{tenant!r} has no policy version {version}")
        return version, await tenant_queries.policy_at(session, tenant, version)

    with with_database(load_settings()) as settings:
        found, body = in_session(settings, work)
    policy = Policy.model_validate(body).model_dump(mode="json")
    typer.echo(json.dumps({"version": found, **policy}, indent=2))


@cli.command("history", epilog=usage("policy history --tenant acme", VERSION))
def list_versions(tenant: Tenant = "demo") -> None:
    """Print who stored which version when, newest first, one JSON object a line."""

    async def work(session: AsyncSession) -> list[PolicyVersion]:
        query = tenant_queries.policies_of(tenant).order_by(PolicyVersion.version.desc())
        return list(await session.scalars(query))

    with with_database(load_settings()) as settings:
        rows = in_session(settings, work)
    if not rows:
        complain(f"{tenant!r} has stored no policy, so the default counts.")
    for row in rows:
        created_at = row.created_at.isoformat(timespec="seconds")
        typer.echo(
            json.dumps(
                {"version": row.version, "created_at": created_at, "created_by": row.created_by}
            )
        )


@cli.command("set", epilog=usage("policy set policy.json --tenant acme"))
def set_policy(
    source: Annotated[Path, typer.Argument(allow_dash=True, help="A JSON file; - is stdin.")],
    tenant: Tenant = "demo",
) -> None:
    """Store a new version; runs that already started keep theirs."""
    policy = read_policy(source)

    async def work(session: AsyncSession) -> int:
        try:
            stored = await policies.replace(session, tenant, policy, None)
        except NotFoundError:
            raise typer.BadParameter(f"no tenant {tenant!r}") from None
        assert not isinstance(stored, PolicyChange), "the command line waits for no second admin"
        return stored.version if stored else 0

    with with_database(load_settings()) as settings:
        version = in_session(settings, work)
    typer.echo(f"Policy version {version} of {tenant} counts from now on.")


def read_policy(source: Path) -> Policy:
    """A file as `show` prints it, checked; what is wrong with it ends the command."""
    try:
        text = typer.get_text_stream("stdin").read() if str(source) == "-" else source.read_text()
        body: dict[str, Any] = json.loads(text)
        body.pop("version", None)
        return Policy.model_validate(body)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            where = ".".join(str(part) for part in item["loc"])
            complain(f"{source}: {where}: {wrong_value(item['msg'])}")
        raise typer.Exit(2) from None
    except (AttributeError, TypeError):
        complain(f"{source}: must be a JSON object, as `policy show` prints it")
        raise typer.Exit(2) from None
    except (OSError, ValueError) as error:
        complain(f"{source}: {error}")
        raise typer.Exit(2) from None
