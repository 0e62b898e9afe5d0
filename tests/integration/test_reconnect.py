"""A database that was away for long is found again as soon as one that was away for a moment."""

import asyncio
import time
from itertools import pairwise

import psycopg

from app.db.core.connections import SteadyPool

TRIES = 4
# The stock pool waits 1, 2 and then 4 seconds.
LONGEST_SECONDS = 3


async def test_pool_does_not_wait_longer_and_longer_for_a_server() -> None:
    """Nor does it give up: the fourth look comes as soon after the third as the second did."""
    looked: list[float] = []
    enough = asyncio.Event()

    def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        looked.append(time.monotonic())
        writer.close()
        if len(looked) == TRIES:
            enough.set()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool: SteadyPool[psycopg.AsyncConnection] = SteadyPool(
        psycopg.conninfo.make_conninfo(host="127.0.0.1", port=port, user="u", dbname="d"),
        min_size=1,
        open=False,
    )
    async with server, pool, asyncio.timeout(30):
        await enough.wait()
    assert max(after - before for before, after in pairwise(looked)) < LONGEST_SECONDS
