"""Advisory locks by name: for things without a row to lock, or whose row must not be written.

The key is a hash of the kind and the ids; names with equal hashes merely wait for each other.
Every lock ends with the transaction.
"""

from typing import Any, Literal

from sqlalchemy import ColumnElement, SQLColumnExpression, func, select
from sqlalchemy.ext.asyncio import AsyncSession

# What the name is about, so that equal ids of different things have different keys.
Kind = Literal[
    "allowance", "audit", "callbacks", "customer", "erasure", "handoffs", "pause", "thread"
]
Name = str | SQLColumnExpression[str]


def key(kind: Kind, *names: Name) -> ColumnElement[int]:
    """The key of a lock, from ids or from columns that hold them."""
    return func.hashtextextended(func.concat_ws("\x1f", kind, *names), 0)


def exclusive(kind: Kind, *names: Name) -> ColumnElement[Any]:
    """A column that takes the lock exclusively: it waits for all other holders."""
    return func.pg_advisory_xact_lock(key(kind, *names))


def shared(kind: Kind, *names: Name) -> ColumnElement[Any]:
    """A column that shares the lock with other sharers: it waits for an exclusive holder only."""
    return func.pg_advisory_xact_lock_shared(key(kind, *names))


async def hold(session: AsyncSession, *locks: ColumnElement[Any]) -> None:
    """Take the locks until the transaction ends."""
    await session.execute(select(*locks))
