"""How much of a table a look reads, as Postgres itself counts it."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

COUNTED = text("""
    SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)
    FROM pg_stat_xact_user_tables WHERE relname = :table""")


async def rows_read(session: AsyncSession, table: str) -> int:
    """The rows of a table that this transaction read so far, by scans and through indexes."""
    return int(await session.scalar(COUNTED, {"table": table}) or 0)
