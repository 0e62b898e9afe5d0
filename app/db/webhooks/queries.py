"""Queries on callbacks: inserted with the event, claimed and ended by one worker."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core import advisory_locks
from app.db.core.claims import change_claimed, claim_due
from app.db.tables.webhooks import Callback, DisabledUrl

Status = Literal["pending", "delivered", "dead", "disabled"]


async def next_number(session: AsyncSession, run_id: UUID) -> int:
    """The number of the run's next event; the caller holds the run's lock."""
    query = select(func.coalesce(func.max(Callback.number), 0) + 1)
    return int((await session.scalars(query.where(Callback.run_id == run_id))).one())


async def is_disabled(session: AsyncSession, tenant_id: str, url: str) -> bool:
    """Whether the URL answered 410 Gone to one of the tenant's callbacks."""
    return await session.get(DisabledUrl, (tenant_id, url)) is not None


async def claim(
    session: AsyncSession, lease: timedelta, limit: int, busy: Collection[str] = ()
) -> list[Callback]:
    """Claim callbacks that are due, of tenants that are not `busy`."""
    return await claim_due(
        session,
        Callback,
        Callback.status == "pending",
        Callback.tenant_id.not_in(busy),
        lease=lease,
        limit=limit,
        tries=Callback.tries + 1,
    )


async def conclude(session: AsyncSession, callback: Callback, **values: Any) -> bool:
    """End the claimed attempt; False when a later attempt or another change came first."""
    return await change_claimed(session, callback, "pending", **values)


async def hold_url(session: AsyncSession, tenant_id: str, url: str) -> None:
    """Block disabling the URL by others until the transaction ends.

    Call it before locking a callback's row: `disable` updates rows of other callbacks, so two
    transactions that each hold one would deadlock.
    """
    await advisory_locks.hold(session, advisory_locks.exclusive("callbacks", tenant_id, url))


async def disable(session: AsyncSession, tenant_id: str, url: str) -> None:
    """Stop the tenant's callbacks to that URL, including pending ones."""
    await session.execute(
        insert(DisabledUrl).values(tenant_id=tenant_id, url=url).on_conflict_do_nothing()
    )
    await session.execute(
        update(Callback)
        .where(
            Callback.tenant_id == tenant_id, Callback.url == url, Callback.status == "pending"
        )
        .values(status="disabled")
        .execution_options(synchronize_session=False)
    )  # fmt: skip


async def enable(session: AsyncSession, tenant_id: str, url: str) -> None:
    """Accept callbacks to the URL again."""
    await session.execute(
        delete(DisabledUrl).where(DisabledUrl.tenant_id == tenant_id, DisabledUrl.url == url)
    )


async def get_callback(session: AsyncSession, tenant_id: str, callback_id: UUID) -> Callback | None:
    """The tenant's callback of that id, locked."""
    query = select(Callback).where(Callback.tenant_id == tenant_id, Callback.id == callback_id)
    return (await session.scalars(query.with_for_update())).one_or_none()


def callbacks_of_tenant(
    tenant_id: str,
    status: Status | None = None,
    run_id: UUID | None = None,
    endpoint_id: UUID | None = None,
) -> Select[Callback]:
    """Select the tenant's callbacks that match every filter given."""
    query = select(Callback).where(Callback.tenant_id == tenant_id)
    if status is not None:
        query = query.where(Callback.status == status)
    if endpoint_id is not None:
        query = query.where(Callback.endpoint_id == endpoint_id)
    return query if run_id is None else query.where(Callback.run_id == run_id)
