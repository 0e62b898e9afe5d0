"""Notifies API processes of runs that stopped running: many runs in one notification.

An optimisation: waiters also poll, so a lost notification delays them by at most 0.1 s.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from app.db.core.connections import SaverPool, direct_connection
from app.log import get_logger

log = get_logger(__name__)

CHANNEL = "deskgraph_rested"
# A payload holds 8,000 bytes, an id 37 of them.
MOST = 200


class RunNotifier:
    """Publishes the runs that finished or paused, once that is committed."""

    def __init__(self, pool: SaverPool) -> None:
        self._pool = pool
        self._ended: list[UUID] = []
        self._publishing: asyncio.Task[None] | None = None

    def publish(self, run_id: UUID) -> None:
        """Publish the run soon; runs published meanwhile share the next notification."""
        self._ended.append(run_id)
        if self._publishing is None or self._publishing.done():
            self._publishing = asyncio.create_task(self._publish())

    async def _publish(self) -> None:
        try:
            while self._ended:
                sent, self._ended = self._ended[:MOST], self._ended[MOST:]
                async with self._pool.connection() as connection:
                    ids = " ".join(map(str, sent))
                    await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, ids])
        except psycopg.Error as error:
            log.warning("notification_lost", error=error)


async def subscribe(database_url: str) -> AsyncIterator[list[UUID]]:
    """The runs of each notification, on a connection of its own. Raises psycopg.Error."""
    async with direct_connection(database_url) as connection:
        await connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
        yield []
        async for notification in connection.notifies():
            yield [UUID(run_id) for run_id in notification.payload.split()]
