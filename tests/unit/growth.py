"""How the time of a reader grows with its text, in CPU seconds of this process."""

import gc
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import cycle, islice

Reader = Callable[[str], object]

# From a text to one five times as long: linear is five times the time, quadratic 25 times. What
# stays below FLOOR for the longer one is too quick to be measured and too quick to matter.
FACTOR, SLACK, FLOOR = 5, 8, 0.02
# As quick as this for the shorter one, and even a quadratic reader stays below FLOOR.
QUICK = FLOOR / FACTOR**2
TRIES = 4
# Exponential time shows in so few characters already; with more it would not end.
FEW = (40, 60, 80, 105, 140, 185, 250)


@lru_cache(maxsize=200)
def repeated(parts: tuple[str, ...], characters: int, before: str = "") -> str:
    """Each part again and again, with something behind it that hardly any pattern takes."""
    each = max(characters // len(parts), 1)
    return before + "".join(f"{''.join(islice(cycle(part), each - 1))}\x01" for part in parts)


def seconds(read: Reader, text: str) -> float:
    """CPU time of one call, without that of collecting what all other tests left behind."""
    gc.disable()
    try:
        begin = time.process_time()
        read(text)
        return time.process_time() - begin
    finally:
        gc.enable()


def outgrows(
    read: Reader,
    parts: tuple[str, ...],
    characters: int = 10_000,
    before: str = "",
    at_once: float = 0.05,
) -> tuple[float, float] | None:
    """Both times, if from `characters` to five times as many they grow by more than SLACK.

    The best of several calls: whatever else the machine does makes a call slower, never quicker.
    `at_once` is what a text of FEW characters may cost, in seconds.
    """
    for few in FEW:
        early = (repeated(parts, few, before) + "\x01" * number for number in range(TRIES))
        if all(seconds(read, text) > at_once for text in early):
            return 0.0, at_once
    short = repeated(parts, characters, before)
    long = repeated(parts, characters * FACTOR, before)
    for number in range(TRIES):
        # Another text each time: some readers keep what they read last.
        once = seconds(read, short + "\x01" * number)
        if once <= QUICK:
            return None
        fivefold = seconds(read, long + "\x01" * number)
        if fivefold <= SLACK * once + FLOOR:
            return None
        if fivefold > 2 * (SLACK * once + FLOOR):
            break
    return once, fivefold
