"""When a call of an outside system is made again, and when a person gets what it was for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from tools.errors import UnavailableError

# Seconds until the next attempt after an unknown end, doubled each time up to the longest.
FIRST_WAIT, LONGEST_WAIT = 2.0, 900.0
MOST_ASKED = 3600.0
# What was not delivered or read after this long is given up.
GIVE_UP = timedelta(hours=24)
# And not before so many attempts, about four hours: while a connection was paused, none was made.
MIN_ATTEMPTS = 20
# An attempt is over before its claim's lease is (worker/desk_dispatcher.py), whatever a desk does:
# another worker's attempt would begin beside it.
ATTEMPT_SECONDS = 120.0


def wait_seconds(attempts: int, retry_after: float | None) -> float:
    """Seconds until the next attempt: doubled each time, and never less than what was asked.

    More than an hour is not believed: a slip there must not stop a desk for a day.
    """
    doubled = min(FIRST_WAIT * 2.0 ** min(attempts - 1, 20), LONGEST_WAIT)
    return max(doubled, min(retry_after or 0.0, MOST_ASKED))


def left_alone_until(retry_after: float | None) -> datetime | None:
    """Until when the whole system wants no call; None when it did not say so.

    Not longer than it asked for, however often one of the calls was tried.
    """
    if not retry_after:
        return None
    return datetime.now(UTC) + timedelta(seconds=min(retry_after, MOST_ASKED))


def is_given_up(since: datetime, attempts: int) -> bool:
    """Whether what came at `since` was tried for long enough, after so many attempts."""
    return attempts >= MIN_ATTEMPTS and datetime.now(UTC) - since > GIVE_UP


@asynccontextmanager
async def attempt_of(what: str, seconds: float = ATTEMPT_SECONDS) -> AsyncIterator[None]:
    """Calls of a desk that end in time. Raises UnavailableError: what happened is unknown."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise UnavailableError(f"{what} within {seconds:g} s") from None
