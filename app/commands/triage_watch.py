"""deskgraph train --check: whether a trained triage is still as good as it was measured to be."""

import json

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.commands.terminal import console, failure, inert
from app.db.tenants.queries import tenant_exists
from app.db.tenants.triage_models import active_version
from app.services.tenants.triage_watch import Watch, watch_of
from graphs.trained.figures import TELLING


def run_check(tenant: str, *, as_json: bool) -> None:
    """Show what people decided about the model's tickets; exit code 1 when it has dropped."""

    async def look(session: AsyncSession) -> Watch | None:
        if not await tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}; make it with `keys create`")
        version = await active_version(session, tenant)
        return None if version is None else await watch_of(session, tenant, version)

    with with_database(load_settings()) as settings:
        watch = in_session(settings, look)
    if watch is None:
        raise failure(f"{tenant} has no trained model that counts.")
    if as_json:
        typer.echo(json.dumps({"tenant_id": tenant, **watch.shown()}))
    else:
        console().print(inert(said(tenant, watch)))
    if watch.dropped:
        raise failure("That is a drop: train again, on newer tickets.")


def said(tenant: str, watch: Watch) -> str:
    """What people decided, in a sentence or two."""
    line = (
        f"People decided about {watch.decided} tickets that model {watch.version} of {tenant} "
        f"triaged, and left {watch.right} as it said."
    )
    if watch.decided < TELLING:
        return f"{line} That is too few to judge it by: {TELLING} are needed."
    return (
        f"{line} So at most {watch.at_most:.3f} are right; measured were at least "
        f"{watch.measured:.3f}."
    )
