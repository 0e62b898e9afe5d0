"""deskgraph dev: everything on one machine in one process, with a demo tenant to play with."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.connections import dev_keys_file, with_keys, with_loopback
from app.commands.database import (
    dev_file,
    explained,
    in_session,
    require_database,
    with_database,
)
from app.commands.migrate import migrate
from app.commands.seed import TENANT, seed
from app.commands.serve import run_forever
from app.commands.terminal import inert, typed
from app.db.core.connections import direct_url
from app.db.tables.tenants import ApiKey
from app.db.tenants.queries import revoke_named
from app.services.connections.encryption import new_key
from app.services.console.sign_in import make_link
from app.services.tenants.keys import issue_key
from app.settings import Settings

# Neither customer nor ticket is that of the README's example: each works after the other.
EXAMPLE = {
    "ticket": {
        "id": "T-1",
        "subject": "Refund please",
        "body": "I would like a refund for my Pro plan payment.",
        "customer": {"id": "cus_lou", "name": "Lou"},
    }
}

# Made at each start, which revokes those of the start before.
KEYS = {
    "dev starter": ["runs:write", "runs:read"],
    "dev approver": ["approvals:decide", "runs:read"],
    "dev admin": ["admin", "articles:write", "runs:read", "runs:write"],
}
# Who the console's link signs in: no key starts runs in this name, so they may decide them all.
DEV_VISITOR = ("dev reviewer", ["approvals:decide", "runs:read", "articles:write", "admin"])


@dataclass(frozen=True, slots=True)
class Ready:
    """What a script needs to talk to a running `dev`."""

    url: str
    starter_key: str
    approver_key: str
    admin_key: str
    database_url: str
    console_url: str


def run_dev(settings: Settings, *, as_json: bool) -> None:
    """Start, print how to reach it, and run until Ctrl-C or SIGTERM."""
    say = Console(stderr=True).print
    script = as_json or settings.log_json
    say("[bold]deskgraph[/] data in", inert(settings.data_dir))
    settings = _with_encryption(with_loopback(settings))
    with with_database(settings, join_dev=False) as connected:
        database_url = require_database(connected)
        with explained():
            migrate(direct_url(connected), lambda step: say(f"  migrating {step}"))
        starter, approver, admin, code = in_session(connected, _prepare)

        def announce(url: str) -> None:
            console_url = f"{url}/console/sign-in/{code}"
            ready = Ready(url, starter, approver, admin, database_url, console_url)
            _remember(settings, ready)
            typer.echo(json.dumps(asdict(ready)) if script else _welcome(ready))

        with _forgotten_at_exit(settings):
            run_forever(
                connected,
                with_api=True,
                with_worker=True,
                secret_key=_secret_key(settings),
                on_ready=announce,
            )
    say("[bold]deskgraph[/] stopped; the data is kept")


async def _prepare(session: AsyncSession) -> tuple[str, str, str, str]:
    """The keys of starter, approver and admin, and the code that signs in to the console once."""
    await seed(session)
    await revoke_named(session, TENANT, [*KEYS, DEV_VISITOR[0]])
    starter, approver, admin = [
        await issue_key(session, TENANT, name, scopes) for name, scopes in KEYS.items()
    ]
    visitor = await issue_key(session, TENANT, *DEV_VISITOR)
    code = await make_link(session, await session.get_one(ApiKey, visitor.split("_")[1]))
    return starter, approver, admin, code


def _secret_key(settings: Settings) -> str:
    """The setting's, or one that stays with the data, so cursors outlive a restart."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "secret_key"
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


def _with_encryption(settings: Settings) -> Settings:
    """The setting's keys, or one that stays with the data, so connections outlive a restart."""
    path = dev_keys_file(settings)
    if not settings.encryption_keys and not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(new_key())
    return with_keys(settings)


def _remember(settings: Settings, ready: Ready) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = dev_file(settings)
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(ready)))


@contextmanager
def _forgotten_at_exit(settings: Settings) -> Iterator[None]:
    try:
        yield
    finally:
        dev_file(settings).unlink(missing_ok=True)


def _welcome(ready: Ready) -> str:
    return f"""
deskgraph is ready at {ready.url}  (reference: {ready.url}/docs)

  console       {ready.console_url}
                signs you in once, within 15 minutes; later with the approver key

  starter key   {ready.starter_key}
  approver key  {ready.approver_key}
  admin key     {ready.admin_key}

Send a ticket, and wait up to 10 seconds for the run to pause:

curl -sS '{ready.url}/v1/runs?wait=10' -H 'Authorization: Bearer {ready.starter_key}' \\
  -H 'Content-Type: application/json' -d '{json.dumps(EXAMPLE)}'

See it wait, decide it, and look at the whole run:

{typed("approvals list")}
{typed("approvals decide ID")}
{typed("runs list")}

Ten sample tickets with a live table: {typed("demo")}. Stop with Ctrl-C.
"""
