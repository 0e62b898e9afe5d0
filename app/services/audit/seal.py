"""Use case: chain a tenant's events by hash, after they are committed.

The order of the chain is that in which events are sealed. So an event whose transaction commits
late joins behind those that were sealed before, and no effect ever waits for another one's lock.
"""

import hashlib
import json
from datetime import UTC
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.audit import queries
from app.db.core.connections import Sessions
from app.db.tables.audit import AuditEvent

BATCH = 500
TENANTS = 100
# What stands before the first link.
GENESIS = "0" * 64


def canonical(event: AuditEvent) -> str:
    """The text of an event that its seal covers: JSON in ASCII, keys sorted, without spaces."""
    return json.dumps(fields_of(event), sort_keys=True, separators=(",", ":"))


def fields_of(event: AuditEvent) -> dict[str, Any]:
    """An event as JSON; times are UTC with microseconds."""
    names = ("tenant_id", "kind", "actor", "actor_key", "actor_sha256", "subjects", "facts",
             "content_sha256")  # fmt: skip
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return {"id": str(event.id), "at": at} | {name: getattr(event, name) for name in names}


def seal_of(previous: str, text: str) -> str:
    """SHA-256 in hex of the seal before, a line feed, and the event's canonical text."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


async def seal_batch(session: AsyncSession, tenant_id: str, limit: int = BATCH) -> int:
    """Seal up to `limit` events of the tenant; how many there were. Never commits.

    Of two that seal at once, one waits for the other's commit.
    """
    await queries.lock_chain(session, tenant_id)
    # A later statement than the lock's, so that it sees what the other one has sealed.
    events = await queries.unsealed(session, tenant_id, limit)
    if not events:
        return 0
    head = await queries.last_seal(session, tenant_id)
    number, seal = (head.number, head.seal) if head else (0, GENESIS)
    links = []
    for event in events:
        number, seal = number + 1, seal_of(seal, canonical(event))
        link = {"tenant_id": tenant_id, "number": number, "event_id": event.id, "seal": seal}
        links.append(link)
    await queries.add_seals(session, tenant_id, links)
    return len(events)


async def seal_tenant(sessions: Sessions, tenant_id: str) -> int:
    """Seal everything of the tenant that is committed, in batches; how many events."""
    total = 0
    while True:
        async with sessions.begin() as session:
            sealed = await seal_batch(session, tenant_id)
        total += sealed
        if sealed < BATCH:
            return total


async def seal_all(sessions: Sessions) -> int:
    """Seal what waits, of up to TENANTS tenants; how many events."""
    async with sessions() as session:
        tenants = await queries.tenants_to_seal(session, TENANTS)
    return sum([await seal_tenant(sessions, tenant_id) for tenant_id in tenants])
