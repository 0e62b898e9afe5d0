"""What tests of processes wait for, and the two tickets they send."""

import time
from collections.abc import Callable
from typing import Any

import psycopg

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
HOURS = "What are your opening hours?"
PATIENCE_SECONDS = 30
# Each look is a call: to look more often takes the time that is waited for.
LOOK_SECONDS = 0.05


def until(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The condition's value, once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(LOOK_SECONDS)
    return value


def query(database_url: str, sql: str, *values: Any) -> list[Any]:
    """Rows, straight from the database."""
    with psycopg.connect(database_url) as connection:
        return list(connection.execute(sql.encode(), values))
