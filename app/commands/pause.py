"""deskgraph pause and unpause: hold back the replies and effects of a tenant, or of all."""

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database, with_sessions
from app.commands.terminal import complain
from app.db.audit.actor import COMMAND_LINE, act_as
from app.db.core.connections import Sessions
from app.db.runs.queue import enqueue_run
from app.db.tables.tenants import EVERYONE
from app.errors import NotFoundError
from app.services.tenants import pause as pauses


def pause_effects(tenant: str | None) -> None:
    """Hold back every reply and effect, of a tenant or of all; runs wait meanwhile."""

    async def work(sessions: Sessions) -> int:
        try:
            async with sessions.begin() as session:
                await act_as(session, COMMAND_LINE)
                await pauses.pause(session, tenant or EVERYONE, "cli")
        except NotFoundError as error:
            raise typer.BadParameter(error.detail) from None
        return await pauses.wait_for_in_flight_effects(sessions, tenant or EVERYONE)

    with with_database(load_settings()) as settings:
        begun = with_sessions(settings, work)
    typer.echo(f"Replies and effects of {tenant or 'everyone'} are paused.")
    if begun:
        complain(f"{begun} had begun before and have not ended yet.")


def unpause_effects(tenant: str | None) -> None:
    """Let replies and effects leave again, and queue the runs that waited."""

    async def work(session: AsyncSession) -> int:
        try:
            return await pauses.unpause(session, enqueue_run, tenant or EVERYONE)
        except NotFoundError as error:
            raise typer.BadParameter(error.detail) from None

    with with_database(load_settings()) as settings:
        queued = in_session(settings, work)
    typer.echo(f"Replies and effects of {tenant or 'everyone'} leave again; {queued} runs queued.")
