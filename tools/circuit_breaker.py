"""A circuit breaker: stops calls of an outside system that would fail, tests for recovery.

Models and connections each say by a subclass what counts as a failure. Ours because none fits:
aiobreaker is inactive since 2021, pybreaker lacks asyncio, and purgatory lets every waiting call
through when half-open and trips over calls that fail after it opened.

Source of the pattern: M. Nygard, "Release It!", 2nd edition, 2018, chapter 5.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# A header that asks for more is not believed: a slip there must not switch a system off for a day.
MAX_RETRY_AFTER = 300.0


def _ignore(_is_open: bool) -> None:
    """Ignore the change of a circuit."""


@dataclass(slots=True)
class CircuitBreaker:
    """closed -> open after `limit` failures in a row -> half-open, where one call tries.

    Times are seconds of `clock`; `on_change` gets True when it opens and False when it closes.
    """

    limit: int = 5
    pause_seconds: float = 30.0
    on_change: Callable[[bool], None] = _ignore
    clock: Callable[[], float] = time.monotonic
    _failures: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)
    _trying: bool = field(default=False, init=False)
    _not_before: float = field(default=0.0, init=False)

    def refusal(self) -> Exception:
        """What a call raises that an open circuit does not let through."""
        raise NotImplementedError

    def judge(self, error: Exception, *, tries: bool) -> None:
        """Count how a call failed, by `fail` or `leave_alone`, or not at all; `tries` is handed
        on."""
        raise NotImplementedError

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused just now."""
        if self._opened_at is None:
            return False
        return self._trying or self.clock() < self._opened_at + self.pause_seconds

    @property
    def open_seconds(self) -> float:
        """How long until a call may try again; 0 while it is closed, or while one tries."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self.pause_seconds - self.clock())

    @property
    def wait_seconds(self) -> float:
        """How long the system still wants to be left alone (Retry-After); 0 when it does not."""
        return max(0.0, self._not_before - self.clock())

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call: its end is counted. A cancelled call counts as nothing.

        Raises what `refusal` says when the circuit is open.
        """
        if self.is_open:
            raise self.refusal()
        tries = self._trying = self._opened_at is not None
        try:
            yield
            self._succeed()
        except Exception as error:
            self.judge(error, tries=tries)
            raise
        finally:
            if tries:
                self._trying = False

    def leave_alone(self, retry_after: float) -> None:
        """The system asked for so many seconds without a call, which is no failure by itself."""
        pause = min(max(retry_after, 0.0), MAX_RETRY_AFTER)
        self._not_before = max(self._not_before, self.clock() + pause)

    def fail(self, *, tries: bool) -> None:
        """A call failed; enough of them in a row open the circuit."""
        self._failures += 1
        # Calls that were on their way when it opened do not hold it open for longer.
        if tries or (self._opened_at is None and self._failures >= self.limit):
            newly = self._opened_at is None
            self._opened_at = self.clock()
            if newly:
                self.on_change(True)

    def _succeed(self) -> None:
        self._failures = 0
        if self._opened_at is not None:
            self._opened_at = None
            self.on_change(False)
