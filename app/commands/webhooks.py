"""deskgraph webhooks secret: the secrets that sign a tenant's callbacks, each shown once."""

import json
from datetime import timedelta
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.commands.usage import usage
from app.db.tables.webhooks import WebhookSecret
from app.db.tenants.queries import tenant_exists
from app.db.webhooks.secrets import secrets_of_tenant
from app.errors import NotFoundError
from app.services.webhooks import signing_secrets

cli = typer.Typer()
secret = typer.Typer(help="Create, rotate and list webhook secrets.", no_args_is_help=True)
cli.add_typer(secret, name="secret")
LINE = ("id", "created_at", "shown_at", "expires_at")
Tenant = Annotated[str, typer.Option(help="Whose callbacks they sign.")]


@secret.command("create", epilog=usage("webhooks secret create --tenant acme"))
def create_secret(tenant: Tenant = "demo") -> None:
    """Print the signing secret, once; if it was shown before, use `rotate`."""

    async def work(session: AsyncSession) -> str:
        query = secrets_of_tenant(tenant).where(WebhookSecret.shown_at.is_not(None)).limit(1)
        if (await session.scalars(query)).one_or_none() is not None:
            raise typer.BadParameter(f"{tenant!r} has one that was shown; use `secret rotate`")
        return await _issued(session, tenant)

    with with_database(load_settings()) as settings:
        typer.echo(in_session(settings, work))


@secret.command("rotate", epilog=usage("webhooks secret rotate --overlap-hours 48"))
def rotate_secret(
    tenant: Tenant = "demo",
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=168, help="How long the one before still signs.")
    ] = 24,
) -> None:
    """Make a new secret and print it, once; 0 hours of overlap end the one before at once."""

    async def work(session: AsyncSession) -> str:
        return await _issued(session, tenant, timedelta(hours=overlap_hours), rotate=True)

    with with_database(load_settings()) as settings:
        typer.echo(in_session(settings, work))


async def _issued(
    session: AsyncSession,
    tenant: str,
    overlap: timedelta = signing_secrets.OVERLAP,
    rotate: bool = False,
) -> str:
    try:
        return (await signing_secrets.issue(session, tenant, overlap=overlap, rotate=rotate)).secret
    except NotFoundError:
        raise typer.BadParameter(f"no tenant {tenant!r}") from None


@secret.command("list", epilog=usage("webhooks secret list --tenant acme", LINE))
def list_secrets(tenant: Tenant = "demo") -> None:
    """Print the tenant's secrets without their text, newest first, one JSON object a line."""

    async def work(session: AsyncSession) -> list[WebhookSecret]:
        if not await tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}")
        query = secrets_of_tenant(tenant).order_by(WebhookSecret.id.desc())
        return list(await session.scalars(query))

    with with_database(load_settings()) as settings:
        rows = in_session(settings, work)
    for row in rows:
        times = {
            name: at and at.isoformat(timespec="seconds")
            for name in ("created_at", "shown_at", "expires_at")
            for at in [getattr(row, name)]
        }
        typer.echo(json.dumps({"id": str(row.id), **times}))
