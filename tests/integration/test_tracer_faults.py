"""What a tracer, its sender and a client that cannot send do to a run and to the process."""

import gc
import weakref
from uuid import uuid4

import pytest
from langchain_core.outputs import LLMResult
from pydantic import SecretStr, TypeAdapter
from uuid_utils.compat import uuid7

from app.observability.langsmith_client import LangSmithClient
from app.observability.prices import Prices
from app.observability.tool_runs import as_tool_run
from app.observability.trace_run import Execution, TracedRun, TraceFeedback
from app.observability.trace_sender import Sent
from app.observability.trace_text import MAX_ERROR_CHARS, TraceText
from app.observability.tracing import Traced, Tracing
from app.settings import Settings
from tests.doubles.langsmith_capture import LangSmithCapture
from tests.integration.test_tracer import MAIL, State, langsmith, traced, tracing

__all__ = ["langsmith", "tracing"]  # fixtures


class SilentError(Exception):
    """What cannot describe itself."""

    def __repr__(self) -> str:
        raise ValueError(MAIL)

    __str__ = __repr__


async def test_failure_that_cannot_describe_itself_is_the_runs_own(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """The run gets the tool's failure, none of the tracer's."""

    async def refused() -> None:
        raise SilentError

    async def work(state: State) -> State:
        with pytest.raises(SilentError):
            await as_tool_run("refund_payment", {}, refused)
        return {"text": "done"}

    _, runs, ended = await traced(tracing, langsmith, work)
    assert ended["text"] == "done"
    [tool] = [run for run in runs if run["run_type"] == "tool"]
    assert tool["error"].startswith("SilentError: ")


async def test_without_content_a_failure_is_its_class(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """Also of one whose description begins with something else."""

    async def work(state: State) -> State:
        TypeAdapter(dict[str, int]).validate_python({MAIL: MAIL})
        return state

    root, _, _ = await traced(tracing, langsmith, work, "none")
    assert root["error"] == "ValidationError"


async def test_failure_that_quotes_a_long_text_is_cut_when_it_is_masked(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """It would push the other runs of its request out."""

    async def work(state: State) -> State:
        raise LookupError(f"{MAIL} " * 100_000)

    root, _, _ = await traced(tracing, langsmith, work)
    assert root["error"].startswith("LookupError('[email] [email]")
    assert len(root["error"]) == MAX_ERROR_CHARS


def test_call_that_answers_after_its_execution_is_sent_once(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """It was sent as stopped, and stays so."""
    [sender] = tracing._senders
    [tracer] = tracing.callbacks(Traced("redacted", (), {}), Prices())
    root, call = uuid7(), uuid7()
    tracer.on_chain_start({}, {}, run_id=root, name="support_agent")
    tracer.on_chat_model_start({}, [[]], run_id=call, parent_run_id=root, name="model")
    tracer.on_chain_end({}, run_id=root)
    assert sender.flush(10) == 0
    tracer.on_llm_end(LLMResult(generations=[]), run_id=call)
    assert sender.flush(10) == 0
    assert langsmith.operations.count(f"post.{call}") == 1
    assert langsmith.runs[str(call)]["error"].startswith("Stopped")


def test_score_that_waits_for_its_project_keeps_no_state() -> None:
    """LangSmith may be down for hours, and each execution holds the states of its run."""
    nowhere = "http://127.0.0.1:9"
    client = LangSmithClient(
        Settings(_env_file=None, langsmith_api_key=SecretStr("k"), langsmith_endpoint=nowhere)
    )
    execution = Execution("redacted", (), "p", {"run_id": "r"}, [])
    root = TracedRun(uuid4(), execution, None, "support_agent", "chain", {}, {}, [])
    text = TraceText("redacted")
    client.send([Sent(root, text, TraceFeedback(root, "grounding", 1.0, "1 of 1 claims"))])
    assert not client._knows_project()
    held = weakref.ref(text)
    del text
    gc.collect()
    assert held() is None
