"""What happens at the instant of an erasure undoes none of it, and sends no mail twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select, text

from app.adapters.ports.mailings import PostgresMailings
from app.db.core.connections import Sessions
from app.db.effects.mailings import count_audience
from app.db.runs.queue import enqueue_run
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.mailings import Contact, MailRecipient
from app.db.tables.runs import Run
from app.errors import CheckpointGoneError
from app.execution.wiring import Service
from app.services.conversations import erase_customer
from app.services.runs import replay as replays
from app.services.runs.replay import NewReplay
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.workplace import Workplace
from tools.ports import Caller

ID, KEY = "cus_xyzzy", "mail:few:T-1"
WAITING = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")


@asynccontextmanager
async def erasing(sessions: Sessions, tenant: Tenant) -> AsyncIterator[None]:
    """The erasure has done its work and is committed once another transaction waits for it."""
    async with sessions() as session:
        await erase_customer.erase(session, tenant.id, ID, "test")
        yield
        async with sessions() as watching:
            while not await watching.scalar(WAITING):  # noqa: ASYNC110  # Postgres tells no event
                await asyncio.sleep(0.01)
        await session.commit()


async def test_replay_of_this_instant_copies_nothing(service: Service, tenant: Tenant) -> None:
    """It waits for the erasure and then finds the checkpoint gone; no run holds the words."""
    place = Workplace(service, tenant)
    first = await place.advance(await place.start("How do I fix upload error E42?", customer=ID))
    checkpoint_id = (await place.step(first, "classify")).checkpoint_id or ""

    async def replay() -> Run:
        async with service.sessions.begin() as session:
            new = NewReplay(first.id, checkpoint_id, {}, dry_run=True, idempotency_key=None)
            return await replays.replay(session, enqueue_run, tenant.id, place.starter, new)

    async with erasing(service.sessions, tenant):
        meanwhile = asyncio.create_task(replay())
    with pytest.raises(CheckpointGoneError):
        await meanwhile
    assert await place.count("runs") == 1
    assert "E42" not in str((await place.run(first.id)).ticket)


@dataclass(frozen=True, slots=True)
class Mailing:
    """A mailing to two contacts of a tenant, of whom one is going to be erased."""

    sessions: Sessions
    caller: Caller

    @property
    def port(self) -> PostgresMailings:
        """As the run's tool has it."""
        return PostgresMailings(self.sessions, self.caller, 0.01)

    async def begin(self) -> None:
        """Fix the list of those who are there now."""
        async with self.sessions() as session:
            count, as_of = await count_audience(session, self.caller.tenant_id, "few")
        await self.port.begin(KEY, "few", count, as_of.isoformat())

    async def rows(self) -> dict[str, tuple[str, str]]:
        """Status and address of each recipient."""
        query = select(MailRecipient).filter_by(tenant_id=self.caller.tenant_id)
        async with self.sessions() as session:
            found = await session.scalars(query)
            return {row.contact_id: (row.status, row.email) for row in found}


@pytest.fixture
async def mailing(sessions: Sessions, tenant: Tenant, begin: Begin) -> Mailing:
    """Begun by a running run, with the customer and another person among the contacts."""
    caller = replace(await begin("cus_sender"), may_mail=True)
    entry: dict[str, Any] = {"run_id": caller.run_id, "customer_id": "cus_sender", "args": {}}
    async with sessions.begin() as session:
        session.add(
            LedgerEntry(
                tenant_id=tenant.id, key=KEY, tool="send_bulk_mail", status="started", **entry
            )
        )  # fmt: skip
        for id_ in (ID, "other"):
            who = {"id": id_, "email": f"{id_}@mail.test", "name": id_, "segments": ["few"]}
            session.add(Contact(tenant_id=tenant.id, **who))
    return Mailing(sessions, caller)


async def test_mail_on_its_way_is_forgotten_and_not_sent_again(
    sessions: Sessions, tenant: Tenant, mailing: Mailing
) -> None:
    """Whether it arrived or should be tried later: the row keeps no address and stays unknown."""
    await mailing.begin()
    begun = await mailing.port.next(KEY)
    assert begun is not None
    assert begun["id"] == ID
    async with sessions.begin() as session:
        name = (await erase_customer.erase(session, tenant.id, ID, "test")).pseudonym
    await mailing.port.note(KEY, ID, {"status": "later", "detail": f"451 {ID}@mail.test is busy"})
    following = await mailing.port.next(KEY)
    assert following is not None
    assert (following["id"], await mailing.port.next(KEY)) == ("other", None)
    rows = await mailing.rows()
    assert rows == {name: ("unknown", ""), "other": ("started", "other@mail.test")}
    assert (await mailing.port.tally(KEY))["unknown"] == 2


async def test_list_that_is_fixed_meanwhile_waits_and_leaves_them_out(
    sessions: Sessions, tenant: Tenant, mailing: Mailing
) -> None:
    """The contact was there when the mailing began to read, and is on no list in the end."""
    async with erasing(sessions, tenant):
        meanwhile = asyncio.create_task(mailing.begin())
    await meanwhile
    assert await mailing.rows() == {"other": ("waiting", "other@mail.test")}
