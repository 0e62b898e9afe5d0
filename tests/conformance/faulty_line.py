"""What every harness over HTTP can do to the next calls: the proxy before its desk does it."""

from tests.doubles.fault_proxy import Fault, FaultProxy


class FaultyLine:
    """The part of a harness that breaks calls; in `slow_seconds` the connector has given up."""

    __slots__ = ()

    proxy: FaultProxy
    slow_seconds: float

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

    def limit_rate(self, seconds: float) -> None:
        """By what stands before the desk, if it has no limits of its own."""
        self.proxy.fault = Fault("limited", seconds=seconds)

    def answer_slowly(self) -> None:
        """Hold the next answer back."""
        self.proxy.fault = Fault("slow", seconds=self.slow_seconds)
