"""A worker that dies between a desk's doing and its own note of it: once at the desk, and noted."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.connected import own_desk_of
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Stack, running
from tests.acceptance.test_connected_desk import E42, PERSON
from tests.cases import some
from tests.doubles.own_desk import PATIENCE_SECONDS

# What a dead worker had taken is due when its lease ends; the tests do not wait for that.
DUE = "UPDATE deliveries SET next_at = now() WHERE status = 'pending'"


@pytest.mark.parametrize(("text", "kind"), some([(E42, "reply"), (PERSON, "handoff")], 2))
async def test_worker_killed_while_the_desk_answers_posts_once(
    migrated_database: Callable[[], str], tmp_path: Path, text: str, kind: str
) -> None:
    """The next worker looks, finds the key, and writes down that it is there."""
    url = migrated_database()
    tenant = await tenant_on(url)
    with running(Stack(url, tmp_path)) as stack:
        stack.api()
        first = stack.worker()
        with own_desk_of(stack, tenant) as connected:
            desk = connected.desk
            desk.faults = ["hold"]
            desk.open("42", text)
            assert desk.held.wait(PATIENCE_SECONDS)
            first.kill()
            desk.released.set()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(DUE)
            stack.worker()
            stack.worker()
            sent = connected.settled("42", kind)
            assert (sent["status"], sent["attempts"]) == ("sent", 2)
            keys = [m["key"] for m in desk.tickets["42"].messages]
            assert keys.count(sent["key"]) == 1
