"""What people read about a failure is ours: no statement, no value, no word of a customer."""

from typing import Any

import psycopg
import pytest
from langgraph.errors import NodeError
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError

from app.db.core.availability import statement_failed
from app.errors import CheckpointGoneError
from app.execution.run_error import run_error, timed_out, unknown_outcome, workers_lost
from app.models.failures import failure_of
from graphs.findings import failed_finding, failure_text
from graphs.llm.errors import BudgetSpentError, ModelOutputError, ModelUnavailableError
from graphs.support import node_failed
from tests.fakes import World
from tools.errors import InvalidArgsError, RefusedError, UnavailableError

WORDS = "my PIN is 4711"


class Strict(BaseModel):
    """Takes only a number."""

    n: int


def invalid() -> Exception:
    """pydantic's own error, which repeats the value."""
    try:
        Strict.model_validate({"n": WORDS})
    except ValueError as error:
        return error
    raise AssertionError("the value does not fit")


FOREIGN: list[tuple[Exception, str]] = [
    (psycopg.errors.UndefinedColumn(f"no column: LINE 1: VALUES ('{WORDS}')"),
     "database_refused"),
    (IntegrityError("INSERT INTO t VALUES (%s)", {"body": WORDS}, psycopg.Error(WORDS)),
     "database_refused"),
    (KeyError(WORDS), "internal"),
    (ValueError(WORDS), "internal"),
    (invalid(), "internal"),
    (RuntimeError(f"LINE 1: VALUES ('{WORDS}')"), "internal"),
]  # fmt: skip
OURS: list[tuple[Exception, str]] = [
    (statement_failed(psycopg.errors.UndefinedColumn(WORDS)), "database_refused"),
    (CheckpointGoneError("pruned"), "checkpoint_gone"),
    (UnavailableError("the provider does not answer"), "tool_failed"),
    (ModelOutputError("Reply: text: too short"), "model_failed"),
]


@pytest.mark.parametrize(
    ("failure", "kind"), [*FOREIGN, *OURS], ids=lambda value: type(value).__name__
)
def test_error_of_a_run_is_a_stable_type_and_what_to_do(failure: Exception, kind: str) -> None:
    """Whatever was raised: its class at most, and where to look next."""
    error = run_error(failure)
    assert set(error) == {"type", "message"}
    assert error["type"] == kind
    for foreign in (WORDS, "INSERT", "VALUES", "LINE"):
        assert foreign not in error["message"]
    assert "Replay" in error["message"]
    assert len(error["message"]) < 300


def test_every_end_of_ours_says_what_to_do_next() -> None:
    """A limit, lost workers, calls whose end was not seen."""
    ended = [timed_out(300), workers_lost(3), unknown_outcome(["refund:pay_1", "refund:pay_2"])]
    assert [error["type"] for error in ended] == ["timeout", "workers_lost", "unknown_outcome"]
    for error, words in zip(ended, ["Replay", "Replay", "Look up"], strict=True):
        assert words in error["message"]
    assert "refund:pay_1, refund:pay_2" in ended[-1]["message"]
    assert len(unknown_outcome(["k" * 90] * 100)["message"]) < 1000


@pytest.mark.parametrize("failure", [failure for failure, _ in FOREIGN], ids=repr)
def test_foreign_text_reaches_no_hand_off(failure: Exception) -> None:
    """Of an exception that is not ours a node and a specialist leave the class."""
    command: Any = node_failed({}, NodeError("act", failure))
    name = type(failure).__name__
    assert command.update["escalation"]["detail"] == f"act failed: {name}"
    assert failed_finding(failure)["failed"] == name


@pytest.mark.parametrize(
    "failure",
    [
        RefusedError("pay_1 is refunded"),
        BudgetSpentError("The budget is spent."),
        statement_failed(psycopg.errors.UndefinedColumn(WORDS)),
    ],
)
def test_own_text_is_kept(failure: Exception) -> None:
    """It says which payment, which limit, which SQLSTATE; a person needs it."""
    assert failure_text(failure) == f"{type(failure).__name__}: {failure}"
    assert WORDS not in failure_text(failure)


class ProviderError(Exception):
    """An error of an OpenAI-compatible client, whose text is the provider's."""

    def __init__(self, status: int | None, code: object) -> None:
        super().__init__(f"Invalid prompt: {WORDS}")
        self.status_code, self.code = status, code


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "context_length_exceeded", "ProviderError 400 context_length_exceeded"),
        (429, None, "ProviderError 429"),
        (500, WORDS, "ProviderError 500"),
        (None, 7, "ProviderError"),
    ],
)
def test_provider_is_quoted_by_class_status_and_code_only(
    status: int | None, code: object, said: str
) -> None:
    """Its message may repeat the question; what names the fault stays."""
    failure = failure_of(ProviderError(status, code))
    assert str(failure) == said
    assert failure_text(failure) == f"{type(failure).__name__}: {said}"


async def test_refused_arguments_are_named_not_quoted() -> None:
    """The names of the tool's own schema say where; a key that a ticket planted is not said."""
    refund = {"payment_id": "pay_1", "amount_minor": WORDS, "currency": "USD", WORDS: 1}
    with pytest.raises(InvalidArgsError) as refusal:
        await World().toolbox("act").call("refund_payment", refund, step_id="s1")
    assert "amount_minor, reason" in str(refusal.value)
    assert WORDS not in str(refusal.value)


def test_model_error_without_a_text_is_its_class() -> None:
    """No empty tail after the colon."""
    assert failure_text(ModelUnavailableError("Timeout")) == "ModelUnavailableError: Timeout"
