"""The chain of a tenant's audit trail: one for all who seal; what was changed in it is found."""

import asyncio
import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from app.db.audit.queries import tenants_to_seal
from app.db.core.connections import Sessions, make_engine
from app.db.tables.audit import AuditEvent, AuditSeal
from app.execution.wiring import Service
from app.services.audit.seal import GENESIS, seal_all, seal_batch, seal_tenant
from app.services.audit.verify import Verified, verify
from app.services.conversations import erase_customer, takeover
from tests.conftest import TEMPLATE, Tenant
from tests.integration.command_line import deskgraph
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles

FACTS = 12


@dataclass(frozen=True, slots=True)
class Trail:
    """A tenant's trail."""

    sessions: Sessions
    tenant_id: str

    async def write(self, count: int = FACTS) -> None:
        """Facts of one transaction each."""
        for _ in range(count):
            async with self.sessions.begin() as session:
                await takeover.take_over(session, self.tenant_id, str(uuid4()), "Mia")

    async def verified(self, newest: int | None = None, pinned: str | None = None) -> Verified:
        """What a check of the chain finds."""
        async with self.sessions() as session:
            return await verify(session, self.tenant_id, newest=newest, pinned=pinned)

    async def seals(self) -> list[AuditSeal]:
        """The links in their order."""
        query = select(AuditSeal).where(AuditSeal.tenant_id == self.tenant_id)
        async with self.sessions() as session:
            return list(await session.scalars(query.order_by(AuditSeal.number)))

    async def tamper(self, statement: str, **values: object) -> None:
        """Change a row as a superuser can who switches the triggers off."""
        async with self.sessions.begin() as session:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
            await session.execute(text(statement), {"tenant": self.tenant_id, **values})


@pytest.fixture
async def trail(sessions: Sessions, tenant: Tenant) -> Trail:
    """A tenant's trail with facts that are sealed."""
    made = Trail(sessions, tenant.id)
    await made.write()
    assert await seal_tenant(sessions, tenant.id) >= FACTS
    return made


async def test_sealed_chain_holds(trail: Trail) -> None:
    """Every link is checked, and nothing waits; sealing again adds nothing."""
    before = await trail.seals()
    assert [link.number for link in before] == list(range(1, len(before) + 1))
    assert await seal_tenant(trail.sessions, trail.tenant_id) == 0
    found = await trail.verified(pinned=before[0].seal)
    assert (found.broken, found.waiting) == (None, 0)
    assert (found.checked, found.head) == (len(before), before[-1].seal)


async def test_two_sealers_at_once_make_one_chain(trail: Trail) -> None:
    """Four seal in small batches while facts are written: no link twice, none left out."""
    await trail.write()

    async def seal() -> int:
        total = 0
        for _ in range(FACTS):
            async with trail.sessions.begin() as session:
                total += await seal_batch(session, trail.tenant_id, 2)
        return total

    before = len(await trail.seals())
    writing = asyncio.create_task(trail.write(FACTS))
    sealed = await asyncio.gather(*(seal() for _ in range(4)))
    await writing
    rest = await seal_tenant(trail.sessions, trail.tenant_id)
    found = await trail.verified()
    assert (found.broken, found.waiting) == (None, 0)
    assert found.number == before + sum(sealed) + rest


async def test_event_that_commits_late_joins_at_the_end(trail: Trail) -> None:
    """Its id and time are older than those of links before it; the chain holds all the same."""
    async with trail.sessions() as late:
        await takeover.take_over(late, trail.tenant_id, "T-late", "Mia")
        await trail.write()
        await seal_tenant(trail.sessions, trail.tenant_id)
        await late.commit()
    assert (await trail.verified()).waiting == 1
    assert await seal_tenant(trail.sessions, trail.tenant_id) == 1
    seals = await trail.seals()
    async with trail.sessions() as session:
        last = await session.get_one(AuditEvent, (trail.tenant_id, seals[-1].event_id))
        before = await session.get_one(AuditEvent, (trail.tenant_id, seals[-2].event_id))
    assert last.subjects == ["ticket:T-late"]
    assert last.at < before.at
    assert (await trail.verified()).broken is None


async def test_worker_seals_every_tenant(trail: Trail) -> None:
    """What `run_maintenance` calls leaves nothing that waits."""
    await trail.write(1)
    while await seal_all(trail.sessions):
        pass
    async with trail.sessions() as session:
        assert await tenants_to_seal(session, 1) == []
    assert (await trail.verified()).waiting == 0


FIFTH = "WHERE tenant_id = :tenant AND number = 5"
OF_FIFTH = f"WHERE id = (SELECT event_id FROM audit_seals {FIFTH})"  # noqa: S608  # a constant
BREAKS = (
    ("UPDATE audit_events SET facts = '[]'", OF_FIFTH, "Link 5 does not fit"),
    ("UPDATE audit_events SET at = at + interval '1 microsecond'", OF_FIFTH, "Link 5 does not fit"),
    ("UPDATE audit_events SET actor_key = 'x'", OF_FIFTH, "Link 5 does not fit"),
    ("DELETE FROM audit_events", OF_FIFTH, "The event of link 5"),
    ("DELETE FROM audit_seals", FIFTH, "Link 5 is missing"),
    ("DELETE FROM audit_seals", FIFTH.replace("=", "<").replace("< :", "= :"), "Link 1 is missing"),
    ("UPDATE audit_seals SET seal = repeat('0', 64)", FIFTH, "Link 5 does not fit"),
)
# A primary key is checked row by row, so two links change their places in three steps.
SWAP = ((-5, 5), (5, 6), (6, -5))


@pytest.mark.parametrize(("change", "where", "said"), BREAKS)
async def test_changed_or_removed_row_is_found(
    trail: Trail, database_url: str, change: str, where: str, said: str
) -> None:
    """By the link where the chain breaks first; the command says it, and exits with 1."""
    await trail.write(1)
    await seal_tenant(trail.sessions, trail.tenant_id)
    # From link 5 on: those before are of what the tenant was given.
    newest = len(await trail.seals()) - 4
    await trail.tamper(f"{change} {where}")
    found = await trail.verified()
    assert found.broken
    assert found.broken.startswith(said)
    assert (await trail.verified(newest=newest)).broken
    shown = await deskgraph(database_url, "audit", "verify", "--tenant", trail.tenant_id)
    assert shown.exit_code == 1
    assert f"{trail.tenant_id}: BROKEN. {found.broken}" in shown.stderr


async def test_links_that_changed_places_are_found(trail: Trail) -> None:
    """Both events are there and both seals are right, but for their order."""
    for number, before in SWAP:
        places = {"number": number, "before": before}
        change = "UPDATE audit_seals SET number = :number"
        await trail.tamper(f"{change} WHERE tenant_id = :tenant AND number = :before", **places)
    broken = (await trail.verified()).broken
    assert broken
    assert broken.startswith("Link 5 does not fit")


async def test_end_that_was_cut_off_is_found_by_what_was_pinned(
    trail: Trail, database_url: str
) -> None:
    """The rest of the chain holds by itself, so a seal kept elsewhere is what shows it."""
    head = (await trail.seals())[-1]
    whose = {"event": head.event_id}
    await trail.tamper(
        "DELETE FROM audit_seals WHERE tenant_id = :tenant AND event_id = :event", **whose
    )
    found = await trail.verified()
    assert found.broken == f"Event {head.event_id} has no seal and does not wait for one."
    await trail.tamper(
        "DELETE FROM audit_events WHERE tenant_id = :tenant AND id = :event", **whose
    )
    assert (await trail.verified()).broken is None
    assert (await trail.verified(pinned=head.seal)).broken
    verify_pinned = ("audit", "verify", "--tenant", trail.tenant_id, "--pinned", head.seal)
    assert (await deskgraph(database_url, *verify_pinned)).exit_code == 1


async def test_erasure_leaves_the_chain_as_it_was(service: Service, tenant: Tenant) -> None:
    """What a customer wrote is gone, and every link of before still holds."""
    place = Workplace(service, tenant)
    await place.decide(await place.advance(await place.start()), "reject", "no")
    trail = Trail(service.sessions, tenant.id)
    await seal_tenant(service.sessions, tenant.id)
    before = [link.seal for link in await trail.seals()]
    async with service.sessions.begin() as session:
        await erase_customer.erase(session, tenant.id, "cus_ann", "test")
    await seal_tenant(service.sessions, tenant.id)
    after = [link.seal for link in await trail.seals()]
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert (await trail.verified()).broken is None


async def test_restored_backup_verifies(
    migrated_database: Callable[[], str], fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    """By pg_dump and pg_restore: the restored facts write no events of their own."""
    database_url, restored = migrated_database(), fresh_database()
    engine = make_engine(database_url, 1)
    trail = Trail(Sessions(engine), TEMPLATE)
    await trail.write()
    await seal_tenant(trail.sessions, TEMPLATE)
    await trail.write(1)
    head = await trail.verified()
    dump, programs = tmp_path / "backup", await _programs(trail.sessions)
    for program, *arguments in (
        ("pg_dump", "--format=custom", f"--file={dump}", database_url),
        ("pg_restore", "--no-owner", f"--dbname={restored}", str(dump)),
    ):
        await asyncio.to_thread(call, str(programs / program), *arguments)
    await engine.dispose()
    engine = make_engine(restored, 1)
    again = Trail(Sessions(engine), TEMPLATE)
    assert await again.verified(pinned=head.head) == head
    assert await seal_tenant(again.sessions, trail.tenant_id) == 1
    assert (await again.verified()).broken is None
    await engine.dispose()


def call(*command: str) -> None:
    """Run a program to its end."""
    subprocess.run(command, check=True)


async def _programs(sessions: Sessions) -> Path:
    """Where the server's own programs are."""
    async with sessions() as session:
        libraries = await session.scalar(text("SELECT setting FROM pg_config WHERE name='BINDIR'"))
    return Path(str(libraries))


async def test_export_is_checked_without_us(trail: Trail, database_url: str) -> None:
    """Ten lines of Python recompute the seals from the file; what waited is sealed before."""
    await trail.write(1)
    done = await deskgraph(database_url, "audit", "export", "--tenant", trail.tenant_id)
    assert done.exit_code == 0, done.output
    seal = GENESIS
    for line in done.stdout.splitlines():
        event = json.loads(line)
        number, previous, own = (event.pop(name) for name in ("number", "previous", "seal"))
        plain = json.dumps(event, sort_keys=True, separators=(",", ":"))
        assert previous == seal
        seal = hashlib.sha256(f"{previous}\n{plain}".encode()).hexdigest()
        assert own == seal
    assert f"Head: link {number}, seal {seal}" in done.stderr
    assert (await trail.verified()).head == seal
    whole = len(done.stdout.splitlines())
    later = await deskgraph(
        database_url, "audit", "export", "--tenant", trail.tenant_id, "--since", "2100-01-01"
    )
    assert (whole, later.stdout) == (number, "")
    fine = await deskgraph(database_url, "audit", "verify", "--tenant", trail.tenant_id)
    assert (fine.exit_code, seal in fine.stdout) == (0, True)
