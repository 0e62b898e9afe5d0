"""deskgraph connections: connect helpdesks, mailboxes and payment providers, and test them."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.webhooks.ssrf_guard import make_guard
from app.commands.database import (
    in_session,
    load_settings,
    running_dev,
    with_database,
    with_sessions,
)
from app.commands.terminal import add_row, complain, console, moment, plain_table, typed
from app.commands.usage import usage
from app.connectors.catalog import CONNECTORS
from app.connectors.connector import Check, Fields
from app.connectors.http import HttpClient
from app.db.connections.queries import connections_of_tenant, every_connection
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection
from app.db.tenants.queries import tenant_exists
from app.errors import DeskgraphError, NotFoundError
from app.services.connections import encryption, manage
from app.services.connections.check import Reach, is_failing, test_connection
from app.services.connections.encryption import vault_of
from app.services.connections.expiry import expires_soon
from app.settings import Settings

cli = typer.Typer()
T = TypeVar("T")
LINE = (
    "id", "kind", "role", "name", "settings", "paused_because", "last_hook_at", "last_write_at",
    "last_error", "last_error_at", "created_at", "expires_at",
)  # fmt: skip
Tenant = Annotated[str, typer.Option(help="The tenant whose connection it is.")]
Id = Annotated[str, typer.Argument(help="The connection's id, `con_...`.")]
# A desk or receiver that is being written runs beside `deskgraph dev`.
LOOPBACK = [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")]
KINDS = ", ".join(sorted(CONNECTORS))


def with_keys(settings: Settings) -> Settings:
    """The settings with the keys that `deskgraph dev` made on this data folder, if none are set."""
    path = dev_keys_file(settings)
    if settings.encryption_keys or not path.exists():
        return settings
    return settings.model_copy(update={"encryption_keys": [SecretStr(path.read_text())]})


def dev_keys_file(settings: Settings) -> Path:
    """Where `deskgraph dev` keeps the key that it made."""
    return settings.data_dir / "encryption_key"


def on_dev(settings: Settings) -> bool:
    """Whether the command works on what `deskgraph dev` keeps, so that its rules hold."""
    return settings.database_url is None


def with_loopback(settings: Settings) -> Settings:
    """The settings of `deskgraph dev`: calls may go to this machine, unless the setting is set."""
    if settings.callback_allow:
        return settings
    return settings.model_copy(update={"callback_allow": LOOPBACK})


@cli.command("new-key", epilog=usage("connections new-key"))
def new_key() -> None:
    """Print a new key for DESKGRAPH_ENCRYPTION_KEYS, which encrypts credentials."""
    typer.echo(encryption.new_key())


@cli.command(
    "add",
    epilog=usage('connections add webhook --name Helpdesk --setting "url=https://desk.example/in"'),
)
def add(
    kind: Annotated[str, typer.Argument(help=f"One of {KINDS}.")],
    name: Annotated[str, typer.Option(help="What your people call it.")],
    setting: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, where a value may be JSON; repeatable."),
    ] = None,
    tenant: Tenant = "demo",
) -> None:
    """Connect a system; asks for its credentials, and prints the secret of its hooks, once."""
    if kind not in CONNECTORS:
        raise typer.BadParameter(f"no connector {kind!r}; there are {KINDS}")
    settings_of = dict(parse_setting(text) for text in setting or ())
    credentials = _asked(kind)
    with with_database(load_settings()) as settings:
        vault = vault_of(with_keys(settings))

        async def work(session: AsyncSession) -> tuple[Connection, str]:
            if not await tenant_exists(session, tenant):
                raise typer.BadParameter(
                    f"no tenant {tenant!r}; `keys create --create-tenant` makes one"
                )
            return await manage.add(session, vault, tenant, kind, name, settings_of, credentials)

        row, secret = _refused(lambda: in_session(settings, work))
    typer.echo(row.id)
    _say_hooks(row, secret, base_url(load_settings()), has_own="webhook_secret" in credentials)


@cli.command(
    "change", epilog=usage('connections change con_k5zq3v7hx2m4np6a --setting "bot=deskgraph"')
)
def change(
    connection: Id,
    tenant: Tenant = "demo",
    name: Annotated[str | None, typer.Option(help="What your people call it.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, where a value may be JSON; the others stay. Repeatable."),
    ] = None,
    credentials: Annotated[
        bool, typer.Option("--credentials", help="Ask for all of its credentials again.")
    ] = False,
    paused: Annotated[
        bool | None, typer.Option("--pause/--unpause", help="Send nothing there, or go on.")
    ] = None,
) -> None:
    """Change a connection; new settings or credentials end a pause, and what waited goes on."""
    given = dict(parse_setting(text) for text in setting or ())
    with with_database(load_settings()) as settings:
        vault = vault_of(with_keys(settings))

        async def kind_of(session: AsyncSession) -> str:
            return (await manage.get(session, tenant, connection)).kind

        asked = _asked(_refused(lambda: in_session(settings, kind_of))) if credentials else None

        async def work(session: AsyncSession) -> None:
            row = await manage.get(session, tenant, connection, lock=True)
            await manage.change(
                session, vault, tenant, connection, name=name, credentials=asked, paused=paused,
                settings=row.settings | given if given else None,
            )  # fmt: skip

        _refused(lambda: in_session(settings, work))
    typer.echo(f"{connection} is changed.")


@cli.command("list", epilog=usage("connections list --tenant acme", LINE, option="--json"))
def list_connections(
    tenant: Tenant = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines for scripts.")] = False,
) -> None:
    """List a tenant's connections and how they go; credentials are never shown."""

    async def work(session: AsyncSession) -> list[Connection]:
        query = connections_of_tenant(tenant).order_by(Connection.id)
        return list(await session.scalars(query))

    with with_database(load_settings()) as settings:
        rows = in_session(settings, work)
    if as_json:
        for row in rows:
            typer.echo(json.dumps({name: _plain(getattr(row, name)) for name in LINE}))
        return
    table = plain_table("id", "kind", "name", "last hook", "last write", "state")
    for row in rows:
        failing = row.last_error if is_failing(row) else None
        ends = f"credentials end {moment(row.expires_at)}" if expires_soon(row) else None
        state = row.paused_because or ends or failing or "ready"
        add_row(
            table, row.id, row.kind, row.name, moment(row.last_hook_at),
            moment(row.last_write_at), state,
        )  # fmt: skip
    console().print(table)


@cli.command("test", epilog=usage("connections test con_k5zq3v7hx2m4np6a"))
def check_connection(connection: Id, tenant: Tenant = "demo") -> None:
    """Make harmless calls there, and say what is right and what is missing; exit 1 if anything."""
    loaded = load_settings()
    allowed = with_loopback(loaded).callback_allow if on_dev(loaded) else loaded.callback_allow
    with with_database(loaded) as settings:
        keyed = with_keys(settings)

        async def work(sessions: Sessions) -> list[Check]:
            async with HttpClient(make_guard(allowed)) as http:
                reach = Reach(http, vault_of(keyed))
                return await test_connection(sessions, reach, tenant, connection)

        checks = _refused(lambda: with_sessions(settings, work))
    for check in checks:
        typer.echo(f"{'ok     ' if check.ok else 'MISSING'}  {check.name}: {check.says}")
    raise typer.Exit(0 if all(check.ok for check in checks) else 1)


@cli.command("rotate", epilog=usage("connections rotate con_k5zq3v7hx2m4np6a"))
def rotate(
    connection: Id,
    tenant: Tenant = "demo",
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=168, help="How long the one before is still taken.")
    ] = 24,
) -> None:
    """Make a new secret for its hooks and print it, once."""
    with with_database(load_settings()) as settings:
        vault, overlap = vault_of(with_keys(settings)), timedelta(hours=overlap_hours)

        async def work(session: AsyncSession) -> str:
            return await manage.rotate_secret(session, vault, tenant, connection, overlap)

        typer.echo(_refused(lambda: in_session(settings, work)))


@cli.command("remove", epilog=usage("connections remove con_k5zq3v7hx2m4np6a"))
def remove(
    connection: Id,
    tenant: Tenant = "demo",
    force: Annotated[
        bool, typer.Option(help="Also while a refund begun there has no known end.")
    ] = False,
) -> None:
    """Forget its credentials; take no hook of it any more, and send nothing more there."""

    async def work(session: AsyncSession) -> None:
        await manage.remove(session, tenant, connection, force=force)

    with with_database(load_settings()) as settings:
        _refused(lambda: in_session(settings, work))
    typer.echo(f"{connection} is removed.")


@cli.command("reencrypt", epilog=usage("connections reencrypt"))
def reencrypt() -> None:
    """Encrypt the credentials of every tenant with the newest key; then drop the older ones."""
    with with_database(load_settings()) as settings:
        vault = vault_of(with_keys(settings))

        async def work(session: AsyncSession) -> int:
            rows = await every_connection(session)
            for row in rows:
                manage.reseal(row, vault)
            return len(rows)

        count = _refused(lambda: in_session(settings, work))
    typer.echo(f"{count} connections are encrypted with the newest key.")


def parse_setting(text: str) -> tuple[str, Any]:
    """`NAME=VALUE` as name and value: JSON, or the text as it stands.

    A number stays a text, which fields of numbers take as well: ids of digits are texts.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    is_number = isinstance(read, int | float) and not isinstance(read, bool)
    return name, value if is_number else read


def _asked(kind: str) -> dict[str, Any]:
    """The credentials, typed without being shown, or read from standard input line by line."""
    answers = {
        name: _answer(name, required=field.is_required())
        for name, field in CONNECTORS[kind].credentials.model_fields.items()
    }
    return {name: answer for name, answer in answers.items() if answer}


def _answer(name: str, *, required: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    if required:
        return str(typer.prompt(name, hide_input=True, err=True))
    asked = f"{name} (Enter if there is none yet)"
    return str(typer.prompt(asked, "", hide_input=True, show_default=False, err=True))


def base_url(settings: Settings) -> str:
    """Where other systems reach the API, as far as it is known here."""
    dev = (running_dev(settings) if on_dev(settings) else None) or {}
    return (settings.console_url or dev.get("url") or "https://YOUR-API").rstrip("/")


def _say_hooks(row: Connection, secret: str, url: str, *, has_own: bool) -> None:
    """Where its hooks go, if it has any, and who makes the secret that they are signed with."""
    connector, test = CONNECTORS[row.kind], typed(f"connections test {row.id}")
    hooks = f"{url}/v1/hooks/{row.id}"
    if connector.verify is None:
        complain(f"It has no hooks: a worker reads it. See what is missing: {test}")
    elif connector.credentials.hook_secrets is not Fields.hook_secrets:
        change = typed(f"connections change {row.id} --credentials")
        give = "" if has_own else f"Give that with `{change}`. "
        complain(f"Its hooks go to {hooks}, signed with a secret of that system.")
        complain(f"{give}See what is missing: {test}")
    else:
        complain(f"Its hooks go to {hooks}, signed with this secret:")
        typer.echo(secret)
        complain(f"The secret is not shown again. See what is missing: {test}")


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else value


def _refused(call: Callable[[], T]) -> T:
    """The answer of a use case; its refusal becomes the command's."""
    try:
        return call()
    except DeskgraphError as error:
        where = f" See `{typed('connections list')}`." if isinstance(error, NotFoundError) else ""
        raise typer.BadParameter(f"{error.detail}{where}") from None
