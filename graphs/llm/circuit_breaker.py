"""The circuit breaker of one model endpoint: what counts as a failure of a model."""

from dataclasses import dataclass

from graphs.llm.errors import ModelRefusedError, ModelSkippedError, ModelUnavailableError
from tools.circuit_breaker import CircuitBreaker


@dataclass(slots=True)
class Circuit(CircuitBreaker):
    """Opens when the model does not answer, or refuses whatever it is asked."""

    def refusal(self) -> ModelSkippedError:
        """The model is not asked."""
        return ModelSkippedError("circuit_open")

    def judge(self, error: Exception, *, tries: bool) -> None:
        """One question that the provider does not like says nothing about the others."""
        if isinstance(error, ModelUnavailableError):
            self.leave_alone(error.retry_after or 0.0)
            self.fail(tries=tries)
        elif isinstance(error, ModelRefusedError) and error.for_all:
            self.fail(tries=tries)
