"""When a call of an outside system is made again, and when a person gets what it was for."""

from datetime import timedelta

# Seconds until the next attempt after an unknown end, doubled each time up to the longest.
FIRST_WAIT, LONGEST_WAIT = 2.0, 900.0
# What was not delivered or read after this long is given up.
GIVE_UP = timedelta(hours=24)


def wait_seconds(attempts: int, retry_after: float | None) -> float:
    """Seconds until the next attempt: doubled each time, and never less than what was asked.

    More than an hour is not believed: a slip there must not stop a desk for a day.
    """
    doubled = min(FIRST_WAIT * 2.0 ** min(attempts - 1, 20), LONGEST_WAIT)
    return max(doubled, min(retry_after or 0.0, 4 * LONGEST_WAIT))
