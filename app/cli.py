"""The command line. Every command has --help; every error says what to do next."""

import os

# Before anything imports langgraph: stored state is data, never code (CVE-2026-28277).
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from typing import Annotated

import typer

from app.commands import articles, contacts, customers, keys, pause, policy, webhooks
from app.commands.database import explained, load_settings, require_database, with_database
from app.log import configure_logging
from app.settings import Settings

app = typer.Typer(
    help="Answer support tickets with a workflow that your code controls.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.cli, name="keys")
app.add_typer(articles.cli, name="articles")
app.add_typer(contacts.cli, name="contacts")
app.add_typer(policy.cli, name="policy")
app.add_typer(customers.cli, name="customers")
app.add_typer(webhooks.cli, name="webhooks")
app.command()(pause.pause)
app.command()(pause.unpause)

Host = Annotated[str | None, typer.Option(help="Address to listen on [DESKGRAPH_HOST].")]
Port = Annotated[int | None, typer.Option(help="Port, 0 for a free one [DESKGRAPH_PORT].")]


def _start(settings: Settings) -> None:
    configure_logging(settings.log_level, as_json=settings.log_json)


@app.command()
def dev(
    host: Host = None,
    port: Port = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line when ready.")] = False,
) -> None:
    """Run everything on this machine: Postgres, migrations, demo tenant, API and worker."""
    from app.commands.dev import run_dev

    settings = load_settings(host=host, port=port)
    _start(settings)
    run_dev(settings, as_json=as_json)


@app.command()
def api(host: Host = None, port: Port = None) -> None:
    """Run the HTTP API alone; needs DESKGRAPH_DATABASE_URL and DESKGRAPH_SECRET_KEY."""
    from app.commands.serve import run_forever

    settings = load_settings(host=host, port=port)
    _start(settings)
    require_database(settings)
    if settings.secret_key is None:
        typer.echo("Set DESKGRAPH_SECRET_KEY to a long random text, the same everywhere.", err=True)
        raise typer.Exit(2)
    secret_key = settings.secret_key.get_secret_value()
    with explained():
        run_forever(settings, with_api=True, with_worker=False, secret_key=secret_key)


@app.command()
def worker() -> None:
    """Run a worker alone; needs DESKGRAPH_DATABASE_URL. Start as many as there are cores."""
    from app.commands.serve import run_forever

    settings = load_settings()
    _start(settings)
    require_database(settings)
    with explained():
        run_forever(settings, with_api=False, with_worker=True)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; safe from many replicas at once."""
    from app.commands.migrate import migrate as migrate_database
    from app.db.core.connections import direct_url

    settings = load_settings()
    _start(settings)
    with with_database(settings) as settings, explained():
        migrate_database(direct_url(settings), lambda step: typer.echo(f"migrating {step}"))
    typer.echo("The schema is up to date.")


@app.command()
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
    from app.commands.demo import run_demo

    run_demo(load_settings(), url, key)


@app.command()
def graph() -> None:
    """Print the workflow as a Mermaid picture."""
    from app.commands.graph import picture

    typer.echo(picture())


@app.command()
def tools() -> None:
    """Print every tool: its permission, whether it is gated, its business key, an unknown end."""
    from rich.console import Console

    from app.commands.tools import table

    Console().print(table())


def main() -> None:
    """Entry point of `deskgraph`."""
    app()


if __name__ == "__main__":
    main()
