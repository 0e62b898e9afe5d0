"""Admission: a worker takes its next job only while its event loop has time for it.

What is not taken stays on the queue, where any worker may have it; what has begun gets the core.
"""

import asyncio
import time

# A round is the work of all that is ready at once: how late whatever comes next is woken.
ROUND_SECONDS = 0.003
ROUNDS = 8
# A job is taken this often however busy the loop is, so that none starves behind endless work.
# Half a second let in two a second of a busy worker's five: the lag was as if there were no rule.
PATIENCE_SECONDS = 5.0


async def loop_has_time(stop: asyncio.Event, patience: float = PATIENCE_SECONDS) -> None:
    """Return after a few short rounds of the event loop, at a stop, or after `patience` seconds.

    The thread's own time counts: what other processes take of the core is not ours to save.
    """
    deadline = time.monotonic() + patience
    short = 0
    while short < ROUNDS and time.monotonic() < deadline and not stop.is_set():
        begin = time.thread_time()
        await asyncio.sleep(0)
        short = short + 1 if time.thread_time() - begin <= ROUND_SECONDS else 0
