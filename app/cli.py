"""The command line. Every command has --help; every error says what to do next."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

# Before anything imports langgraph: stored state is data, never code (CVE-2026-28277).
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.commands.lazy import CommandLine
from app.commands.usage import EVAL, OBJECT, READY, TRAIN, usage

if TYPE_CHECKING:
    from app.settings import Settings

app = typer.Typer(
    help="Answer support tickets with a workflow that your code controls.",
    cls=CommandLine,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# The commands that run as services; the others speak to a person at a terminal.
SERVICES = frozenset(("api", "dev", "migrate", "worker"))
Host = Annotated[str | None, typer.Option(help="Address to listen on [DESKGRAPH_HOST].")]
Port = Annotated[int | None, typer.Option(help="Port, 0 for a free one [DESKGRAPH_PORT].")]
Held = Literal["quotes", "verified"]
Everyone = Annotated[str | None, typer.Option(help="Whose; without it, everyone's.")]


def _start(host: str | None = None, port: int | None = None) -> "Settings":
    """The settings, once log lines go where they say."""
    from app.commands.database import load_settings
    from app.log import configure_logging

    settings = load_settings(host=host, port=port)
    configure_logging(settings.log_level, as_json=settings.log_json)
    return settings


@app.command(epilog=usage("dev --json --port 0", READY, form=OBJECT, option="--json"))
def dev(
    host: Host = None,
    port: Port = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line when ready.")] = False,
) -> None:
    """Run everything on this machine: Postgres, migrations, demo tenant, API and worker."""
    from app.commands.dev import run_dev
    from app.commands.embed_articles import loaded

    settings = _start(host, port)
    loaded(settings)
    run_dev(settings, as_json=as_json)


@app.command(epilog=usage("api --host 0.0.0.0 --port 8000"))
def api(host: Host = None, port: Port = None) -> None:
    """Run the HTTP API alone; needs DESKGRAPH_DATABASE_URL and DESKGRAPH_SECRET_KEY."""
    from app.commands.database import explained, require_database
    from app.commands.serve import run_forever

    settings = _start(host, port)
    require_database(settings)
    if settings.secret_key is None:
        typer.echo("Set DESKGRAPH_SECRET_KEY to a long random text, the same everywhere.", err=True)
        raise typer.Exit(2)
    secret_key = settings.secret_key.get_secret_value()
    with explained():
        run_forever(settings, with_api=True, with_worker=False, secret_key=secret_key)


@app.command(epilog=usage("worker"))
def worker() -> None:
    """Run a worker alone; needs DESKGRAPH_DATABASE_URL. Start as many as there are cores."""
    from app.commands.database import explained, require_database
    from app.commands.embed_articles import loaded
    from app.commands.serve import run_forever

    settings = _start()
    require_database(settings)
    loaded(settings)
    with explained():
        run_forever(settings, with_api=False, with_worker=True)


@app.command(epilog=usage("migrate"))
def migrate() -> None:
    """Bring the database to the newest schema; safe from many replicas at once."""
    from app.commands.database import explained, with_database
    from app.commands.migrate import migrate as migrate_database
    from app.db.core.connections import direct_url

    with with_database(_start()) as settings, explained():
        # Where the log is JSON, so that no line beside it is text.
        say = partial(typer.echo, err=settings.log_json)
        migrate_database(direct_url(settings), lambda step: say(f"migrating {step}"))
        say("The schema is up to date.")


@app.command(epilog=usage("demo"))
def demo(
    url: Annotated[
        str | None, typer.Option(help="Where the API is; a running `dev` by default.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="DESKGRAPH_API_KEY", help="A key that may start and read runs."),
    ] = None,
) -> None:
    """Send ten sample tickets and watch in a live table what happens to each."""
    from app.commands.database import load_settings
    from app.commands.demo import run_demo

    run_demo(load_settings(), url, key)


@app.command("eval", epilog=usage("eval --json > figures.jsonl", EVAL, option="--json"))
def evaluate(
    dataset: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="JSONL; else the demo's.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="A model of the server, or `offline`; may be repeated."),
    ] = None,
    articles: Annotated[
        Path | None, typer.Option(exists=True, help="Articles instead of the demo's.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The policy that holds.")
    ] = None,
    grounding: Annotated[
        Held | None, typer.Option(help="`quotes` or `verified`, whatever the policy says.")
    ] = None,
    max_wrong: Annotated[
        float, typer.Option(min=0, max=1, help="Of what leaves with no person.")
    ] = 0.02,
    min_answered: Annotated[
        float, typer.Option(min=0, max=1, help="Of what an article answers.")
    ] = 0,
    at_once: Annotated[int, typer.Option(min=1, max=100, help="Tickets at the same time.")] = 4,
    junit: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write a JUnit file, too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures, a model a line.")] = False,
) -> None:
    """Rehearse tickets with expectations: how many replies would be wrong, how many right."""
    from app.commands.evaluate import run_eval, surroundings

    given = surroundings(dataset, articles, policy, grounding)
    limits: dict[str, Any] = {"max_wrong": max_wrong, "min_answered": min_answered}
    wanted = replace(given, models=tuple(models or ()), at_once=at_once, **limits)
    run_eval(_start(), wanted, as_json=as_json, junit=junit)


@app.command(
    epilog=usage("train --tenant acme --from tickets.jsonl", TRAIN, form=OBJECT, option="--json")
)
def train(
    tenant: Annotated[str, typer.Option(help="Whose tickets.")] = "demo",
    source: Annotated[
        str, typer.Option("--from", help="A JSONL file of labelled tickets, or `history`.")
    ] = "history",
    force: Annotated[
        bool, typer.Option("--force", help="Let it count even if it is worse than before.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Train nothing: hold the model to people's decisions.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The figures for scripts.")] = False,
) -> None:
    """Train the tenant's own triage on labelled tickets, and measure it on others of them."""
    from app.commands.train import run_train
    from app.commands.triage_watch import run_check

    if check:
        run_check(tenant, as_json=as_json)
        return
    run_train(tenant, source, force=force, as_json=as_json)


@app.command(epilog=usage("pause --tenant acme"))
def pause(tenant: Everyone = None) -> None:
    """Hold back every reply and effect, of a tenant or of all; runs wait meanwhile."""
    from app.commands.pause import pause_effects

    pause_effects(tenant)


@app.command(epilog=usage("unpause --tenant acme"))
def unpause(tenant: Everyone = None) -> None:
    """Let replies and effects leave again, and queue the runs that waited."""
    from app.commands.pause import unpause_effects

    unpause_effects(tenant)


@app.command(epilog=usage("shell"))
def shell() -> None:
    """Open a Python prompt with settings, sessions, queries and the graph; it can write."""
    from app.commands.database import explained, with_database
    from app.commands.shell import run_shell

    with with_database(_start()) as settings, explained():
        run_shell(settings)


@app.command(epilog=usage("graph > workflow.mmd"))
def graph() -> None:
    """Print the workflow as a Mermaid picture."""
    from app.commands.graph import picture

    typer.echo(picture())


@app.command(epilog=usage("stats nodes --window 7d", ("subject", "stats"), option="--json"))
def stats(
    subject: Annotated[
        str | None,
        typer.Argument(help="nodes, runs, models, approvals, answers or connections; else all."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Whose.")] = "demo",
    window: Annotated[str, typer.Option(help="1h, 24h, 7d or 30d, until now.")] = "24h",
    as_json: Annotated[bool, typer.Option("--json", help="As the API answers.")] = False,
) -> None:
    """Show how often things failed, how long they took, what they cost, and a run of each kind."""
    from app.commands.stats import run_stats

    run_stats(subject, tenant, window, as_json=as_json)


@app.command(epilog=usage("tools"))
def tools() -> None:
    """Print every tool: its permission, whether it is gated, its business key, an unknown end."""
    from rich.console import Console

    from app.commands.tools import table

    Console().print(table())


def main() -> None:
    """Entry point of `deskgraph`; a failure shows its place in the code, and none of its values."""
    as_json = False
    if SERVICES & set(sys.argv[1:2]):
        from app.log.process_output import json_is_asked, take_over

        as_json = json_is_asked()
        take_over(as_json=as_json)
    try:
        app()
    except Exception as failure:  # noqa: BLE001  # Python's own report would quote its message
        _report(failure, as_json=as_json)
        sys.exit(1)


def _report(failure: Exception, *, as_json: bool) -> None:
    """Say what ended the process, in the form of its log."""
    from app.log import configure_logging, get_logger
    from app.log.error_text import render

    if as_json:
        configure_logging("INFO", as_json=True)
        get_logger(__name__).critical("process_failed", exc_info=failure)
    else:
        typer.echo(render(failure), err=True)


if __name__ == "__main__":
    main()
