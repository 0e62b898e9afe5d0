"""While traces cannot be sent, none is masked and written: that costs less than to send them."""

import threading
import time
from datetime import UTC, datetime

from uuid_utils.compat import uuid7

from app.observability.trace_run import Execution, TracedRun
from app.observability.trace_sender import BATCH, LOOK_SECONDS, Ended, Sent, TraceSender

RUNS = 3 * BATCH
# One by the clock, perhaps, and that of the flush.
TRIES = 2


class Receiver:
    """Takes what is sent, unless it is `away`."""

    def __init__(self, *, away: bool) -> None:
        self.lost: str | None = None
        self.away = away
        self.tried: list[int] = []
        self.called = threading.Event()

    def send(self, items: list[Sent]) -> None:
        """See TraceClient."""
        self.tried.append(len(items))
        self.called.set()


def ended_runs(count: int) -> list[TracedRun]:
    """Runs that are whole."""
    execution = Execution("full", (), "project", {}, [])
    root = TracedRun(uuid7(), execution, None, "support_agent", "chain", {}, {}, [])
    made = []
    for number in range(count):
        run = TracedRun(uuid7(), execution, root, str(number), "chain", {}, {}, [])
        run.outputs, run.end = {}, datetime.now(UTC)
        made.append(run)
    return made


def test_receiver_that_is_away_gets_one_batch_and_the_rest_waits() -> None:
    """What waits is not read before the receiver is asked again, which takes seconds."""
    receiver, runs = Receiver(away=True), ended_runs(RUNS)
    sender = TraceSender("away", receiver)
    for run in runs:
        sender.put(Ended(run))
    assert receiver.called.wait(20)
    time.sleep(3 * LOOK_SECONDS)
    assert len(receiver.tried) == 1
    assert receiver.tried[0] <= BATCH


def test_receiver_that_is_back_gets_all() -> None:
    """In the order in which runs ended, a batch after the other."""
    receiver = Receiver(away=False)
    sender = TraceSender("there", receiver)
    for run in ended_runs(RUNS):
        sender.put(Ended(run))
    assert sender.flush(20) == 0
    assert sum(receiver.tried) == RUNS
    assert max(receiver.tried) <= BATCH


def test_flush_does_not_wait_for_a_receiver_that_is_away() -> None:
    """One more try, and the rest is given up: the process may exit."""
    receiver = Receiver(away=True)
    sender = TraceSender("away at exit", receiver)
    for run in ended_runs(RUNS):
        sender.put(Ended(run))
    assert sender.flush(20) == 0
    assert 1 <= len(receiver.tried) <= TRIES
