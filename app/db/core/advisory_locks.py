"""Advisory locks by name: for what has no row of its own to lock, or must not be written to.

The key is a hash of what is locked and whose; two names that share one only wait for each other.
All of them end with the transaction.
"""

from typing import Any, Literal

from sqlalchemy import ColumnElement, SQLColumnExpression, func, select
from sqlalchemy.ext.asyncio import AsyncSession

# What the name is about, so that equal ids of different things have different keys.
Kind = Literal["allowance", "callbacks", "customer", "erasure", "handoffs", "pause"]
Name = str | SQLColumnExpression[str]


def key(kind: Kind, *names: Name) -> ColumnElement[int]:
    """The key of a lock, from ids or from columns that hold them."""
    return func.hashtextextended(func.concat_ws("\x1f", kind, *names), 0)


def exclusive(kind: Kind, *names: Name) -> ColumnElement[Any]:
    """A column that waits for everybody else and keeps them off."""
    return func.pg_advisory_xact_lock(key(kind, *names))


def shared(kind: Kind, *names: Name) -> ColumnElement[Any]:
    """A column that waits for exclusive holders and keeps them off."""
    return func.pg_advisory_xact_lock_shared(key(kind, *names))


async def hold(session: AsyncSession, *locks: ColumnElement[Any]) -> None:
    """Take the locks until the transaction ends."""
    await session.execute(select(*locks))
