"""The circuit of a model: opens after failures in a row, and closes by one call that tries."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.llm.circuit_breaker import Circuit
from graphs.llm.errors import ModelRefusedError, ModelSkippedError, ModelUnavailableError
from tools.circuit_breaker import MAX_RETRY_AFTER


@dataclass
class Time:
    """A clock that a test moves; `said` is what the circuit said."""

    now: float = 0.0
    said: list[bool] = field(default_factory=list)

    def circuit(self, limit: int = 3) -> Circuit:
        """Opens after `limit` failures, for ten seconds."""
        return Circuit(limit, 10.0, on_change=self.said.append, clock=lambda: self.now)


def down(retry_after: float | None = None) -> ModelUnavailableError:
    """The provider did not answer."""
    return ModelUnavailableError("down", retry_after)


def call(
    circuit: Circuit, error: Exception | None = None, meanwhile: Callable[[], object] = bool
) -> bool:
    """One call that ends so; False when the circuit did not let it through."""
    try:
        with circuit.call():
            meanwhile()
            if error:
                raise error
    except ModelSkippedError:
        return False
    except (ModelUnavailableError, ModelRefusedError):
        pass
    return True


def test_failures_in_a_row_open_it_and_one_success_closes_it() -> None:
    """Three failures with a success between leave it closed; three in a row do not."""
    time = Time()
    circuit = time.circuit()
    for error in (down(), down(), None, down(), down()):
        assert call(circuit, error)
    assert not circuit.is_open
    call(circuit, down())
    assert circuit.is_open
    assert not call(circuit)
    time.now = 10.0
    assert call(circuit)
    assert (circuit.is_open, time.said) == (False, [True, False])


def test_half_open_lets_one_call_through_at_a_time() -> None:
    """While one tries, the others are refused; its failure opens the circuit for another pause."""
    time = Time()
    circuit = time.circuit(1)
    refused: list[bool] = []
    call(circuit, down())
    time.now = 10.0
    assert call(circuit, down(), meanwhile=lambda: refused.append(not call(circuit)))
    assert refused == [True]
    time.now = 19.9
    assert not call(circuit)
    time.now = 20.0
    assert call(circuit)
    assert time.said == [True, False]


def test_cancelled_try_leaves_the_next_one_its_turn() -> None:
    """A drain in the middle of the call that tries does not leave the circuit open for ever."""
    time = Time()
    circuit = time.circuit(1)
    call(circuit, down())
    time.now = 10.0
    with pytest.raises(asyncio.CancelledError), circuit.call():
        raise asyncio.CancelledError
    assert call(circuit)
    assert not circuit.is_open


def test_call_that_fails_after_it_opened_holds_it_open_no_longer() -> None:
    """What was on its way when it opened does not move the time of the next try."""
    time = Time()
    circuit = time.circuit(1)

    def another() -> None:
        call(circuit, down())
        time.now = 9.0

    call(circuit, down(), meanwhile=another)
    time.now = 10.0
    assert call(circuit)


@pytest.mark.parametrize(("for_all", "opens"), [(True, True), (False, False)])
def test_only_a_refusal_of_every_question_opens_it(for_all: bool, opens: bool) -> None:
    """A wrong key opens it; one question that the provider does not like does not."""
    circuit = Time().circuit()
    for _ in range(3):
        call(circuit, ModelRefusedError("no", for_all=for_all))
    assert circuit.is_open == opens


def test_retry_after_is_believed_within_bounds() -> None:
    """The longest wish counts, and a slip of a header no longer than the bound."""
    time = Time()
    circuit = time.circuit(99)
    for wish in (5.0, 2.0):
        call(circuit, down(wish))
    time.now = 1.0
    assert circuit.wait_seconds == 4.0
    call(circuit, down(10**9))
    assert circuit.wait_seconds == MAX_RETRY_AFTER


@given(
    ends=st.lists(st.tuples(st.floats(0, 4), st.booleans()), max_size=60), limit=st.integers(1, 5)
)
def test_failing_calls_are_bounded_by_pauses(ends: list[tuple[float, bool]], limit: int) -> None:
    """Between two successes, calls that get through are `limit` and one a pause."""
    time = Time()
    circuit = time.circuit(limit)
    through, since = 0, 0.0
    for passed, fails in ends:
        time.now += passed
        let = call(circuit, down() if fails else None)
        if let and not fails:
            through, since = 0, time.now
            assert not circuit.is_open
        through += let and fails
        assert through <= limit + (time.now - since) // 10
