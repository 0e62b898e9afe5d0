"""The access token of a connection, and the lease under which one process at a time renews it.

Each query names the encrypted credentials that its caller opened: once they are changed, nothing
that was made of the old ones is read or stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.connections import Connection


@dataclass(frozen=True, slots=True)
class Owner:
    """A connection, as it was opened."""

    tenant_id: str
    connection_id: str
    credentials: bytes

    def is_same(self) -> list[ColumnElement[bool]]:
        """What holds as long as nothing was changed."""
        return [
            Connection.id == self.connection_id,
            Connection.tenant_id == self.tenant_id,
            Connection.credentials == self.credentials,
        ]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored, encrypted. `version` is that of the lease, once there is one."""

    tokens: bytes | None
    version: int


async def kept(session: AsyncSession, owner: Owner) -> Kept | None:
    """What is stored now; None when the connection was changed or removed."""
    query = select(Connection.tokens, Connection.tokens_version).where(*owner.is_same())
    found = (await session.execute(query)).one_or_none()
    return Kept(*found) if found else None


async def lease(session: AsyncSession, owner: Owner, seconds: float) -> Kept | None:
    """Let this process alone renew the token for so long; None when another one does."""
    free = or_(
        Connection.tokens_leased_until.is_(None), Connection.tokens_leased_until < func.now()
    )
    query = (
        update(Connection)
        .where(*owner.is_same(), free)
        .values(
            tokens_leased_until=func.now() + timedelta(seconds=seconds),
            tokens_version=Connection.tokens_version + 1,
        )
        .returning(Connection.tokens, Connection.tokens_version)
        .execution_options(synchronize_session=False)
    )
    found = (await session.execute(query)).one_or_none()
    return Kept(*found) if found else None


async def store(
    session: AsyncSession, owner: Owner, version: int, tokens: bytes, ends_at: datetime | None
) -> bool:
    """Keep the new token and end the lease; False when the lease was lost meanwhile.

    `ends_at` is when the connection's credentials end if they are not used until then.
    """
    values = {"tokens": tokens, "expires_at": ends_at, "expiry_warned_at": None}
    return await _end(session, owner, version, **values)


async def release(session: AsyncSession, owner: Owner, version: int) -> None:
    """End the lease; what is kept stays."""
    await _end(session, owner, version)


async def _end(session: AsyncSession, owner: Owner, version: int, **values: Any) -> bool:
    query = (
        update(Connection)
        .where(*owner.is_same(), Connection.tokens_version == version)
        .values(tokens_leased_until=None, **values)
        .returning(Connection.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.scalars(query)).one_or_none() is not None
