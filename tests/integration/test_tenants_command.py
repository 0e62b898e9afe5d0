"""`deskgraph tenants create`: a tenant, once, and with --sandbox a world to try it with."""

import secrets

import pytest
from sqlalchemy import text

from app.commands.seed import PAYMENTS
from app.db.core.connections import Sessions
from tests.integration.command_line import deskgraph


async def test_sandbox_is_seeded_and_printed(database_url: str, sessions: Sessions) -> None:
    """Every payment, subscription and article that was stored is on the screen; once."""
    name = f"acme-{secrets.token_hex(4)}"
    done = await deskgraph(database_url, "tenants", "create", name, "--sandbox")
    assert done.exit_code == 0, done.output
    for customer, payment, *_ in PAYMENTS:
        assert customer in done.stdout
        assert payment in done.stdout
    async with sessions() as session:
        for table in ("sandbox_payments", "sandbox_subscriptions", "articles"):
            query = text(f"SELECT id FROM {table} WHERE tenant_id = :tenant")  # noqa: S608  # a constant
            ids = list(await session.scalars(query, {"tenant": name}))
            assert ids
            assert all(one in done.stdout for one in ids), table
    again = await deskgraph(database_url, "tenants", "create", name, "--sandbox")
    assert again.exit_code == 2
    assert "already" in again.output


async def test_plain_tenant_is_empty(database_url: str, sessions: Sessions) -> None:
    """Without --sandbox there is a tenant and nothing else."""
    name = f"acme-{secrets.token_hex(4)}"
    assert (await deskgraph(database_url, "tenants", "create", name)).exit_code == 0
    async with sessions() as session:
        query = text("SELECT count(*) FROM sandbox_payments WHERE tenant_id = :tenant")
        assert await session.scalar(query, {"tenant": name}) == 0


@pytest.mark.parametrize("name", ["", "Acme", "a b", "*", "-x", "x" * 64, "ä"])
async def test_strange_name_is_refused(database_url: str, name: str) -> None:
    """It stands in addresses and log lines."""
    done = await deskgraph(database_url, "tenants", "create", "--", name)
    assert done.exit_code == 2, done.output
