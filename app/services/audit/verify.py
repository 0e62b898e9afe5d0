"""Use case: walk a tenant's chain, and say where it is broken first."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.audit import queries
from app.db.tables.audit import AuditEvent, AuditSeal
from app.services.audit.seal import GENESIS, canonical, seal_of

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk found. `broken` says in words what is wrong first; None: nothing is.

    `checked` links hold; `head` is the seal of the last one, and `number` its place in the chain.
    `waiting` events have no seal yet.
    """

    checked: int
    number: int
    head: str
    waiting: int
    broken: str | None = None
    event_id: UUID | None = None


async def verify(
    session: AsyncSession, tenant_id: str, *, newest: int | None = None, pinned: str | None = None
) -> Verified:
    """Recompute the tenant's seals from the first one, or of the `newest` ones.

    With `pinned` that seal must be one of the chain: only so can links that were cut off at the
    end be missed.
    """
    number, seal = await _start(session, tenant_id, newest)
    waiting = await queries.count_unsealed(session, tenant_id)
    checked = 0
    while links := await queries.links_after(session, tenant_id, number, BATCH):
        for link, event in links:
            if why := _wrong(number + 1, seal, link, event):
                return Verified(checked, number, seal, waiting, why, link.event_id)
            number, seal, checked = link.number, link.seal, checked + 1
        session.expunge_all()
    why, event_id = await _missing(session, tenant_id, pinned, whole=newest is None)
    return Verified(checked, number, seal, waiting, why, event_id)


async def _start(session: AsyncSession, tenant_id: str, newest: int | None) -> tuple[int, str]:
    """The link before the first one to check, and its seal."""
    head = await queries.last_seal(session, tenant_id)
    if newest is None or head is None or head.number <= newest:
        return 0, GENESIS
    before = await queries.seal_at(session, tenant_id, head.number - newest)
    # A link that is missing here is found as the gap before the next one.
    return (head.number - newest, before.seal) if before else (head.number - newest - 1, GENESIS)


def _wrong(number: int, previous: str, link: AuditSeal, event: AuditEvent | None) -> str | None:
    """Why the link does not follow, or None."""
    if link.number != number:
        return f"Link {number} is missing; the next one is {link.number}."
    if event is None:
        return f"The event of link {number}, {link.event_id}, is missing."
    if seal_of(previous, canonical(event)) != link.seal:
        return (
            f"Link {number} does not fit event {event.id} ({event.kind}): the event, its place or "
            "the seal was changed."
        )
    return None


async def _missing(
    session: AsyncSession, tenant_id: str, pinned: str | None, *, whole: bool
) -> tuple[str | None, UUID | None]:
    """Why links are missing at the end of a chain that holds by itself, or None."""
    if pinned is not None and await queries.find_seal(session, tenant_id, pinned) is None:
        return "No link of the chain has the seal that was pinned.", None
    lost = await queries.lost_events(session, tenant_id, 1) if whole else []
    if lost:
        return f"Event {lost[0]} has no seal and does not wait for one.", lost[0]
    return None, None
