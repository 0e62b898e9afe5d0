"""A circuit breaker for one model endpoint: stops calls that would fail, tests for recovery.

Ours because none fits: aiobreaker is inactive since 2021, pybreaker lacks asyncio, and purgatory
lets every waiting call through when half-open and trips over calls that fail after it opened.

Source of the pattern: M. Nygard, "Release It!", 2nd edition, 2018, chapter 5.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from graphs.llm.errors import ModelRefusedError, ModelSkippedError, ModelUnavailableError

# A header that asks for more is not believed: a slip there must not switch a model off for a day.
MAX_RETRY_AFTER = 300.0


def _ignore(_is_open: bool) -> None:
    """Ignore the change of a circuit."""


@dataclass(slots=True)
class Circuit:
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

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused just now."""
        if self._opened_at is None:
            return False
        return self._trying or self.clock() < self._opened_at + self.pause_seconds

    @property
    def wait_seconds(self) -> float:
        """How long the provider still wants to be left alone (Retry-After); 0 when it does not."""
        return max(0.0, self._not_before - self.clock())

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call: its end is counted. A cancelled call counts as nothing.

        Raises:
            ModelSkippedError: the circuit is open.
        """
        if self.is_open:
            raise ModelSkippedError("circuit_open")
        tries = self._trying = self._opened_at is not None
        try:
            yield
            self._succeed()
        except ModelUnavailableError as error:
            self._fail(error.retry_after or 0.0, tries=tries)
            raise
        except ModelRefusedError as error:
            # One question that the provider does not like says nothing about the others.
            if error.for_all:
                self._fail(0.0, tries=tries)
            raise
        finally:
            if tries:
                self._trying = False

    def _succeed(self) -> None:
        self._failures = 0
        if self._opened_at is not None:
            self._opened_at = None
            self.on_change(False)

    def _fail(self, retry_after: float, *, tries: bool) -> None:
        pause = min(max(retry_after, 0.0), MAX_RETRY_AFTER)
        self._not_before = max(self._not_before, self.clock() + pause)
        self._failures += 1
        # Calls that were on their way when it opened do not hold it open for longer.
        if tries or (self._opened_at is None and self._failures >= self.limit):
            newly = self._opened_at is None
            self._opened_at = self.clock()
            if newly:
                self.on_change(True)
