"""What every harness over HTTP can do to the next calls: the proxy before its desk does it."""

from app.connectors.http import TIMEOUT_SECONDS, HttpClient
from tests.doubles.fault_proxy import Fault, FaultProxy

# How long the connector waits for the one answer that comes too late, and when that comes. All
# other answers have the time that they have in the service: a busy machine may need it.
GIVEN_UP_SECONDS, SLOW_SECONDS = 0.5, 1.0


class FaultyLine:
    """The part of a harness that breaks calls."""

    __slots__ = ()

    proxy: FaultProxy
    http: HttpClient

    def lose_answer(self, after: int) -> None:
        """Cut the line after the answer."""
        self.proxy.fault = Fault("lost", after)

    def garble_answer(self, after: int) -> None:
        """A page instead of JSON."""
        self.proxy.fault = Fault("garbled", after)

    @property
    def fault_waits(self) -> bool:
        """Whether no request had it."""
        return self.proxy.fault is not None

    def forget_faults(self) -> None:
        """None from here on."""
        self.proxy.fault = None
        if self.http.timeout_seconds == GIVEN_UP_SECONDS:
            self.http.timeout_seconds = TIMEOUT_SECONDS

    def limit_rate(self, seconds: float) -> None:
        """By what stands before the desk, if it has no limits of its own."""
        self.proxy.fault = Fault("limited", seconds=seconds)

    def answer_slowly(self) -> None:
        """Hold the next answer back until the connector no longer waits."""
        self.proxy.fault = Fault("slow", seconds=SLOW_SECONDS)
        self.http.timeout_seconds = GIVEN_UP_SECONDS
