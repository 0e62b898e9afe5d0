"""`deskgraph webhooks secret`: shows each secret once, and what it shows is what signs."""

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.db.core.connections import Sessions, make_engine
from app.db.webhooks.secrets import signing_secrets
from app.services.webhooks import signing_secrets as signing
from tests.conftest import Tenant

pytestmark = pytest.mark.no_articles


@pytest.fixture
def name(tenant: Tenant) -> str:
    """The tenant whose secrets these are."""
    return tenant.id


def webhooks(database_url: str, command: str, tenant: str, *more: str) -> Result:
    """Run `deskgraph webhooks secret ...` on the tests' database."""
    return CliRunner().invoke(
        app,
        ["webhooks", "secret", command, "--tenant", tenant, *more],
        env={"DESKGRAPH_DATABASE_URL": database_url},
    )


def shown(result: Result) -> str:
    """The secret that it printed, alone."""
    assert result.exit_code == 0, result.output
    [secret] = result.stdout.split()
    assert secret.startswith("whsec_")
    return secret


def signing_now(database_url: str, tenant: str, *, first: bool = False) -> list[str]:
    """What signs now, newest first; with `first`, once an event made the first one."""

    async def read() -> list[str]:
        engine = make_engine(database_url, 1)
        try:
            async with Sessions(engine).begin() as session:
                if first:
                    await signing.ensure_secret(session, tenant)
                return await signing_secrets(session, tenant)
        finally:
            await engine.dispose()

    return asyncio.run(read())


def test_create_shows_once_what_already_signs(database_url: str, name: str) -> None:
    """The secret of events that were sent before anybody asked; afterwards only `rotate` helps."""
    [unseen] = signing_now(database_url, name, first=True)
    assert shown(webhooks(database_url, "create", name)) == unseen
    again = webhooks(database_url, "create", name)
    assert (again.exit_code, unseen in again.output) == (2, False)
    assert "secret rotate" in again.output
    assert signing_now(database_url, name) == [unseen]


def test_rotate_lets_the_one_before_sign_for_the_overlap(database_url: str, name: str) -> None:
    """Both sign by default, and with 0 hours the new one alone."""
    first = shown(webhooks(database_url, "create", name))
    second = shown(webhooks(database_url, "rotate", name))
    assert signing_now(database_url, name) == [second, first]
    third = shown(webhooks(database_url, "rotate", name, "--overlap-hours", "0"))
    assert signing_now(database_url, name) == [third]
    assert len({first, second, third}) == 3
    assert webhooks(database_url, "rotate", name, "--overlap-hours", "-1").exit_code == 2


def test_list_tells_times_and_no_secret(database_url: str, name: str) -> None:
    """One JSON object a line, newest first."""
    secrets = [shown(webhooks(database_url, command, name)) for command in ("create", "rotate")]
    listed = webhooks(database_url, "list", name)
    assert not any(secret in listed.output for secret in secrets)
    newest, older = [json.loads(line) for line in listed.stdout.splitlines()]
    assert set(newest) == {"id", "created_at", "shown_at", "expires_at"}
    assert newest["shown_at"] is not None
    assert (newest["expires_at"] is None, older["expires_at"] is None) == (True, False)
    assert newest["created_at"] >= older["created_at"]


@pytest.mark.parametrize("command", ["create", "rotate", "list"])
def test_unknown_tenant_is_named(database_url: str, command: str) -> None:
    """A typing error is no empty answer."""
    result = webhooks(database_url, command, "nobody")
    assert (result.exit_code, "nobody" in result.output) == (2, True)
