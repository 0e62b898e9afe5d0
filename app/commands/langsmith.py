"""deskgraph langsmith: find out whether traces arrive in LangSmith."""

import asyncio
from typing import Annotated

import typer

from app.commands.database import load_settings
from app.commands.usage import usage
from app.services.traces.check import ARRIVAL_SECONDS, check
from app.settings import Settings

cli = typer.Typer()


@cli.callback()
def langsmith() -> None:
    """Keep `check` a command of its own, though it is the only one."""


@cli.command("check", epilog=usage("langsmith check"))
def check_traces(
    wait_seconds: Annotated[
        float, typer.Option(min=1, max=600, help="How long the test trace may take to arrive.")
    ] = ARRIVAL_SECONDS,
) -> None:
    """Send a test trace with feedback, read it back, say what is missing; exit 1 if anything."""
    settings = load_settings()
    raise typer.Exit(0 if asyncio.run(_report(settings, wait_seconds)) else 1)


async def _report(settings: Settings, wait_seconds: float) -> bool:
    ok = True
    async for step in check(settings, wait_seconds):
        typer.echo(f"{'ok     ' if step.ok else 'MISSING'}  {step.name}: {step.says}")
        ok = ok and step.ok
    return ok
