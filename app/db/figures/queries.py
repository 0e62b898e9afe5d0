"""Reads figures of a time: whole hours as they were rolled up, the rest from rows."""

import sys
from array import array
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.figures.facts import FACTS, SUMS, SUMS_OF_HOURS, Subject
from app.db.tables.figures import FiguresRolledUp

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Figure:
    """What happened under one name, part and result; durations are 4 bytes each, in ms."""

    name: str
    part: str
    result: str
    count: int
    retries: int
    tokens: int
    cost_usd: Decimal
    unpriced: int
    durations: bytes
    sample_run_id: UUID | None

    @cached_property
    def times(self) -> Counter[int]:
        """How often each duration occurs, in milliseconds; counted once for all that ask."""
        values = array("i")
        values.frombytes(self.durations)
        if sys.byteorder == "little":
            values.byteswap()
        return Counter(values)


async def read_figures(
    session: AsyncSession, tenant_id: str, subject: Subject, since: datetime, until: datetime
) -> list[Figure]:
    """The figures of `since` <= time < `until`; one name may stand in several of them."""
    upto = await rolled_up_to(session, tenant_id, subject)
    first = whole_hour(since + HOUR - timedelta(microseconds=1))
    last = first if upto is None else max(first, min(whole_hour(until), upto))
    if last == first:
        return await _measured(session, tenant_id, subject, since, until)
    return [
        *await _measured(session, tenant_id, subject, since, first),
        *await _of_hours(session, tenant_id, subject, first, last),
        *await _measured(session, tenant_id, subject, last, until),
    ]


async def rolled_up_to(session: AsyncSession, tenant_id: str, subject: Subject) -> datetime | None:
    """The hour up to which the tenant's figures of the subject are rolled up."""
    query = select(FiguresRolledUp.upto).where(
        FiguresRolledUp.tenant_id == tenant_id, FiguresRolledUp.subject == subject
    )
    return (await session.scalars(query)).one_or_none()


def whole_hour(at: datetime) -> datetime:
    """The hour in which a time lies, in UTC."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def _measured(
    session: AsyncSession, tenant_id: str, subject: Subject, since: datetime, until: datetime
) -> list[Figure]:
    if since >= until:
        return []
    # Constants of ours.
    query = f"SELECT name, part, result, {SUMS} FROM ({FACTS[subject]}) AS facts GROUP BY 1, 2, 3"  # noqa: S608
    return await _figures(session, query, tenant=tenant_id, since=since, until=until)


async def _of_hours(
    session: AsyncSession, tenant_id: str, subject: Subject, first: datetime, last: datetime
) -> list[Figure]:
    query = f"""SELECT name, part, result, {SUMS_OF_HOURS} FROM hourly_figures
        WHERE tenant_id = :tenant AND subject = :subject AND hour >= :first AND hour < :last
        GROUP BY 1, 2, 3"""  # noqa: S608  # constants of ours
    return await _figures(session, query, tenant=tenant_id, subject=subject, first=first, last=last)


async def _figures(session: AsyncSession, query: str, **values: object) -> list[Figure]:
    return [Figure(*row) for row in await session.execute(text(query), values)]
