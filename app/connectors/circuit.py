"""The circuit breaker of one connection: what counts as a failure of an outside system."""

from dataclasses import dataclass

from app.log import get_logger
from tools.circuit_breaker import CircuitBreaker
from tools.errors import UnavailableError

log = get_logger(__name__)

# So many calls in a row without an answer; then one call tries every few seconds.
LIMIT, PAUSE_SECONDS = 5, 10.0
# While a call tries, the others come back after this.
SOON_SECONDS = 1.0


@dataclass(slots=True)
class ConnectionCircuit(CircuitBreaker):
    """Opens when the system does not answer, or answers with 5xx. One that says how long it wants
    to be left alone is there, and is left alone."""

    def refusal(self) -> UnavailableError:
        """Nothing was called, so nothing happened there."""
        wait = self.open_seconds or SOON_SECONDS
        return UnavailableError(
            "not called, since it has not answered for a while", retry_after=wait
        )

    def judge(self, error: Exception, *, tries: bool) -> None:
        """Refused credentials and settings say nothing about whether it is there."""
        if not isinstance(error, UnavailableError):
            return
        if error.retry_after:
            self.leave_alone(error.retry_after)
        else:
            self.fail(tries=tries)


def new_circuit(connection_id: str) -> ConnectionCircuit:
    """A closed circuit, which says in the log when it opens and closes."""

    def changed(is_open: bool) -> None:
        say = log.warning if is_open else log.info
        say("connection_circuit", connection=connection_id, open=is_open)

    return ConnectionCircuit(LIMIT, PAUSE_SECONDS, changed)
