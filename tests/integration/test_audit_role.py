"""The service works under the role of docs/audit.md, which can change nothing that is recorded."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr
from sqlalchemy import make_url

from app.execution.wiring import Service, open_service
from app.services.audit.seal import seal_tenant
from app.services.audit.verify import verify
from app.services.conversations import erase_customer
from tests.conftest import make_tenant
from tests.integration.workplace import Workplace
from tests.unit.desk import ROOT

ROLE = "deskgraph_service"
[GRANTS] = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/audit.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
async def limited(
    service: Service, migrated_database: Callable[[], str]
) -> AsyncIterator[tuple[Service, str]]:
    """The service under that role, and the role's URL."""
    url = await asyncio.to_thread(migrated_database)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(GRANTS.encode())
        owner.execute(f"ALTER ROLE {ROLE} PASSWORD 'tests'".encode())
    own = make_url(url).set(username=ROLE, password="tests")  # of a test's server
    own_url = own.render_as_string(hide_password=False)
    changed = {"database_url": SecretStr(own_url)}
    async with open_service(service.settings.model_copy(update=changed)) as opened:
        yield opened, own_url
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}".encode())


async def test_service_does_all_it_must_under_its_role(limited: tuple[Service, str]) -> None:
    """A refund with a person's yes, an erasure and the seals: events of all of it are there."""
    service, _ = limited
    # To copy articles past the triggers is a superuser's.
    async with service.sessions.begin() as session:
        tenant = await make_tenant(session, articles=False)
    place = Workplace(service, tenant)
    assert (await place.decide(await place.advance(await place.start()))).outcome == "acted"
    async with service.sessions.begin() as session:
        await erase_customer.erase(session, tenant.id, "cus_ann", "test")
    assert await seal_tenant(service.sessions, tenant.id) > 0
    async with service.sessions() as session:
        found = await verify(session, tenant.id)
    assert (found.broken, found.waiting) == (None, 0)
    assert await place.count("audit_events") == found.number > 8


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET kind = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events CASCADE",
        "INSERT INTO audit_events SELECT * FROM audit_events",
        "UPDATE audit_seals SET seal = 'x'",
        "DELETE FROM audit_seals",
        "TRUNCATE audit_seals",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_events_append_only ON audit_events",
        "CREATE OR REPLACE FUNCTION deskgraph_audit_effect() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "SELECT deskgraph_audit_append('t', 'x', '{}', '{}', '')",
        "SET session_replication_role = replica",
    ],
)
async def test_role_changes_nothing_that_is_recorded(
    limited: tuple[Service, str], statement: str
) -> None:
    """Nor does it forge an event, or switch off what writes them."""
    _, url = limited
    async with await psycopg.AsyncConnection.connect(url) as connection:
        with pytest.raises(InsufficientPrivilege):
            await connection.execute(statement.encode())
