"""deskgraph agents: import and list the people of a tenant who take hand-offs."""

import json
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.schemas.agents import PutAgent
from app.commands.database import in_session, load_settings, with_database
from app.commands.jsonl import RowId, Source, import_rows
from app.commands.terminal import add_row, console, plain_table
from app.commands.usage import usage
from app.db.effects.handoffs import agents_of, put_agents
from app.db.tenants.queries import tenant_exists
from tools.models import Agent

cli = typer.Typer()
LINE = tuple(Agent.__annotations__)


class AgentIn(PutAgent):
    """One line of the file. Hours are local; an end before the beginning is after midnight."""

    id: RowId


@cli.command("import", epilog=usage("agents import agents.jsonl --tenant acme"))
def import_agents(
    source: Source, tenant: Annotated[str, typer.Option(help="Whose people.")] = "demo"
) -> None:
    """Store every agent of SOURCE; the same id again replaces it, and no agent is deleted."""
    count = import_rows(source, AgentIn, tenant, put_agents)
    typer.echo(f"{count} agents imported for {tenant}.")


@cli.command("list", epilog=usage("agents list --tenant acme", LINE, option="--json"))
def list_agents(
    tenant: Annotated[str, typer.Option(help="Whose people.")] = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines for scripts.")] = False,
) -> None:
    """List who takes hand-offs, with how many are open."""

    async def work(session: AsyncSession) -> list[Agent]:
        if not await tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}")
        return sorted(await agents_of(session, tenant), key=lambda agent: agent["id"])

    with with_database(load_settings()) as settings:
        agents = in_session(settings, work)
    if as_json:
        for agent in agents:
            typer.echo(json.dumps({name: dict(agent)[name] for name in LINE}))
        return
    if not agents:
        typer.echo("No agent takes hand-offs, so each waits in the queue.")
        return
    table = plain_table("id", "name", "skills", "hours", "weekdays", "open", "away")
    for agent in agents:
        hours = f"{agent['opens_hour']:02}-{agent['closes_hour']:02} {agent['timezone']}"
        days = " ".join(map(str, agent["weekdays"]))
        load = f"{agent['load']} of {agent['max_load']}"
        away = "away" if agent["away"] else None
        cells = (agent["id"], agent["name"], " ".join(agent["skills"]), hours, days, load, away)
        add_row(table, *cells)
    console().print(table)
