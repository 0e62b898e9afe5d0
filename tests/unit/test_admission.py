"""A worker's next job waits for its event loop."""

import asyncio
import time

from app.worker.admission import PATIENCE_SECONDS, ROUND_SECONDS, loop_has_time


async def busy_rounds(stop: asyncio.Event) -> None:
    """Work in every round of the loop, for longer than a short one."""
    while not stop.is_set():
        until = time.thread_time() + 2 * ROUND_SECONDS
        while time.thread_time() < until:
            pass
        await asyncio.sleep(0)


async def test_a_loop_without_work_has_time_at_once() -> None:
    """A lone caller waits for a few rounds, not for patience to end."""
    begin = time.thread_time()
    await loop_has_time(asyncio.Event())
    assert time.thread_time() - begin < PATIENCE_SECONDS / 10


async def test_nothing_is_taken_while_rounds_are_long() -> None:
    """The next job waits until the rounds are short again."""
    stop = asyncio.Event()
    working = asyncio.create_task(busy_rounds(stop))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(loop_has_time(asyncio.Event()))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    stop.set()
    await asyncio.gather(working, waiting)


async def test_work_without_end_holds_back_nothing_for_ever() -> None:
    """Patience ends, and a job is taken however busy the loop is."""
    stop = asyncio.Event()
    working = asyncio.create_task(busy_rounds(stop))
    begin = time.monotonic()
    await loop_has_time(asyncio.Event(), patience=0.1)
    assert time.monotonic() - begin >= 0.1
    stop.set()
    await working


async def test_a_stop_ends_the_wait() -> None:
    """The end waits for no loop that has other work when the worker is to end."""
    stop, ending = asyncio.Event(), asyncio.Event()
    working = asyncio.create_task(busy_rounds(stop))
    await asyncio.sleep(0)
    ending.set()
    begin = time.monotonic()
    await loop_has_time(ending)
    assert time.monotonic() - begin < PATIENCE_SECONDS
    stop.set()
    await working
