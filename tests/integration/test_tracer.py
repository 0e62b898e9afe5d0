"""The tracer over real graphs, and the thread that sends, to a server that stands for LangSmith."""

from collections.abc import Iterator
from typing import Any, TypedDict
from uuid import uuid4, uuid5

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, interrupt
from langsmith.utils import get_env_var, tracing_is_enabled
from pydantic import BaseModel, SecretStr
from uuid_utils.compat import uuid7

from app.observability.prices import Prices, Tokens
from app.observability.tool_runs import as_tool_run
from app.observability.trace_run import node_run_id
from app.observability.tracing import Traced, Tracing
from app.settings import Settings
from graphs.policy import TraceContent
from graphs.suspend import AttemptLostError
from tests.acceptance.waiting import until
from tests.doubles.langsmith_capture import PROJECT_ID, LangSmithCapture, metadata
from tests.doubles.server import serving

MAIL = "ann@hidden.example"
ANSWER = AIMessage(
    "Hello",
    response_metadata={"model_name": "gpt-5-mini"},
    usage_metadata={"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100},
)


class State(TypedDict, total=False):
    """Of the graphs here."""

    text: str


@pytest.fixture(scope="module")
def langsmith() -> LangSmithCapture:
    """What was sent."""
    return LangSmithCapture()


@pytest.fixture(scope="module")
def tracing(langsmith: LangSmithCapture) -> Iterator[Tracing]:
    """Traces to the capture server."""
    with serving(langsmith.app) as endpoint:
        yield Tracing(
            Settings(
                _env_file=None, langsmith_api_key=SecretStr("ls-key"), langsmith_endpoint=endpoint
            )
        )


async def traced(
    tracing: Tracing, langsmith: LangSmithCapture, node: Any, content: TraceContent = "redacted"
) -> tuple[Any, list[Any], Any]:
    """Root and children of one execution of a graph of this node, and the graph's answer."""
    graph = StateGraph(State)
    graph.add_node("work", node, retry_policy=RetryPolicy(initial_interval=0, jitter=False))
    graph.add_edge(START, "work")
    graph.add_edge("work", END)
    trace_id = uuid4()
    about = Traced(content, ("Ann Miller",), {"ticket_id": "T-1"}, ["channel:api"])
    callbacks: list[BaseCallbackHandler] = [*tracing.callbacks(about, Prices())]
    config: Any = {
        "callbacks": callbacks, "run_id": trace_id, "run_name": "support_agent",
        "configurable": {"thread_id": "t"},
    }  # fmt: skip
    try:
        given: Any = {"text": f"Ann Miller, {MAIL}"}
        ended: Any = await graph.compile(checkpointer=InMemorySaver()).ainvoke(given, config)
    except Exception as error:  # noqa: BLE001  # how it ended is what is looked at
        ended = error

    def runs() -> list[Any]:
        return [r for r in list(langsmith.runs.values()) if r.get("trace_id") == str(trace_id)]

    until(lambda: bool(runs()) and all(run.get("end_time") for run in runs()))
    [root] = [run for run in runs() if run["id"] == str(trace_id)]
    return root, sorted(runs(), key=lambda run: str(run["dotted_order"]))[1:], ended


async def test_success_names_people_by_masks(tracing: Tracing, langsmith: LangSmithCapture) -> None:
    """Metadata and tags go on every run; names and addresses on none."""

    async def work(state: State) -> State:
        return {"text": state["text"] + "!"}

    root, children, ended = await traced(tracing, langsmith, work)
    assert ended["text"] == f"Ann Miller, {MAIL}!"
    assert (root["name"], metadata(root)["run_outcome"]) == ("support_agent", "success")
    assert "outcome:success" in root["tags"]
    for run in (root, *children):
        assert metadata(run)["ticket_id"] == "T-1"
        assert MAIL not in str(run)
        assert "Miller" not in str(run)
    assert root["outputs"]["text"] == "[name] [name], [email]!"


async def test_full_content_holds_texts_and_none_holds_no_text(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """As the policy says."""

    async def work(state: State) -> State:
        return {"text": "done"}

    root, _, _ = await traced(tracing, langsmith, work, "full")
    assert root["inputs"]["text"] == f"Ann Miller, {MAIL}"
    root, _, _ = await traced(tracing, langsmith, work, "none")
    assert (root.get("inputs") or {}, root.get("outputs") or {}) == ({}, {})


async def test_pause_is_no_error(tracing: Tracing, langsmith: LangSmithCapture) -> None:
    """It ends with what it asks."""

    async def work(state: State) -> State:
        return {"text": interrupt("May it?")}

    root, [node], _ = await traced(tracing, langsmith, work)
    assert (root.get("error"), node.get("error")) == (None, None)
    assert metadata(root)["run_outcome"] == "interrupted"
    assert node["outputs"] == {"__interrupt__": ["May it?"]}


async def test_lost_attempt_is_no_error(tracing: Tracing, langsmith: LangSmithCapture) -> None:
    """Another worker has the run by now."""

    async def work(state: State) -> State:
        raise AttemptLostError("lost")

    root, [node], _ = await traced(tracing, langsmith, work)
    assert node.get("error") is None
    assert metadata(root)["run_outcome"] == "lost"


async def test_failed_tries_are_numbered(tracing: Tracing, langsmith: LangSmithCapture) -> None:
    """A node that fails twice and then does not, and one that always fails."""
    left = [ConnectionError(MAIL), ConnectionError(MAIL)]

    async def flaky(state: State) -> State:
        if left:
            raise left.pop()
        return {"text": "done"}

    root, nodes, _ = await traced(tracing, langsmith, flaky)
    assert [metadata(node)["try"] for node in nodes] == [1, 2, 3]
    assert [bool(node.get("error")) for node in nodes] == [True, True, False]
    assert MAIL not in str(nodes)
    assert metadata(root)["run_outcome"] == "success"

    async def broken(state: State) -> State:
        raise ValueError(MAIL)

    root, [node], ended = await traced(tracing, langsmith, broken)
    assert isinstance(ended, ValueError)
    assert metadata(root)["run_outcome"] == "error"
    assert MAIL not in str((root, node))


async def test_tools_and_prices_of_model_calls(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """A tool is a run of its type, whose failure is one; a call's price is the prices' own."""

    async def found() -> list[str]:
        return ["pay_1"]

    async def refused() -> None:
        raise LookupError("gone")

    async def work(state: State) -> State:
        await as_tool_run("read_payments", {"customer_id": "cus_ann"}, found)
        with pytest.raises(LookupError):
            await as_tool_run("refund_payment", {}, refused)
        model = GenericFakeChatModel(messages=iter([ANSWER]))
        return {"text": str((await model.ainvoke("Hello?")).content)}

    _, runs, _ = await traced(tracing, langsmith, work)
    good, bad = [run for run in runs if run["run_type"] == "tool"]
    assert (good["name"], bool(good.get("error"))) == ("read_payments", False)
    assert (bad["name"], "gone" in str(bad.get("error"))) == ("refund_payment", True)
    [call] = [run for run in runs if run["run_type"] == "llm"]
    usage = metadata(call)["usage_metadata"]
    cost = Prices().cost_usd("gpt-5-mini", Tokens(1000, 0, 100))
    assert cost
    assert usage["total_cost"] == pytest.approx(float(cost))
    assert usage["total_cost"] == pytest.approx(usage["input_cost"] + usage["output_cost"])


@pytest.mark.parametrize(
    ("state", "keys"),
    [
        ({"outcome": "answered", "verdicts": [{"supported": True}, {"supported": False}]},
         {"grounding": (0.5, "1 of 2 claims")}),
        ({"outcome": "escalated", "escalation": {"reason": "angry"}},
         {"escalated": (1.0, "angry")}),
        ({"outcome": "answered"}, {}),
        ({"outcome": None, "verdicts": [{"supported": True}]}, {}),
    ],
)  # fmt: skip
def test_trace_brings_what_the_run_found_out_about_itself(
    tracing: Tracing, langsmith: LangSmithCapture, state: Any, keys: Any
) -> None:
    """As feedback with its project, by an id that a repetition has as well; no claim's text."""
    [sender] = tracing._senders
    [tracer] = tracing.callbacks(Traced("redacted", (), {"run_id": "r"}), Prices())
    root = uuid7()
    tracer.on_chain_start({}, {}, run_id=root, name="support_agent")
    tracer.on_chain_end(state, run_id=root)
    assert sender.flush(10) == 0
    found = langsmith.feedback_on(str(root))
    assert {key: (one["score"], one["value"]) for key, one in found.items()} == keys
    for key, one in found.items():
        assert (one["id"], one["session_id"]) == (str(uuid5(root, key)), PROJECT_ID)
        assert one["feedback_source"]["metadata"]["run_id"] == "r"


def test_run_is_sent_once_unless_it_takes_long(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """What goes on is shown with its input before its end; what an end left open is stopped."""
    [tracer] = tracing.callbacks(Traced("redacted", (), {}), Prices())
    slow, node, quick = uuid7(), uuid7(), uuid7()
    tracer.on_chain_start({}, {"text": MAIL}, run_id=slow, name="support_agent")
    about: Any = {"langgraph_node": "work", "langgraph_checkpoint_ns": "work:t"}
    tracer.on_chain_start({}, {}, run_id=node, parent_run_id=slow, name="work", metadata=about)
    tracer.on_chain_start({}, {}, run_id=quick, parent_run_id=node, name="by_plan")
    tracer.on_chain_end({}, run_id=quick)
    shown = str(node_run_id(slow, "t", 1))
    until(lambda: {str(slow), shown, str(quick)} <= set(langsmith.runs))
    begun = dict(langsmith.runs[str(slow)])
    assert (begun["inputs"], begun.get("end_time")) == ({"text": "[email]"}, None)
    assert langsmith.runs[str(quick)]["end_time"]
    tracer.on_chain_end({"text": "done"}, run_id=slow)
    until(lambda: langsmith.runs[shown].get("end_time"))
    assert langsmith.runs[shown]["error"].startswith("Stopped")
    assert langsmith.runs[str(slow)]["outputs"] == {"text": "done"}
    assert langsmith.operations.count(f"post.{quick}") == 1
    assert langsmith.operations.count(f"patch.{quick}") == 0
    assert langsmith.operations.count(f"patch.{slow}") == 1


async def test_langchains_own_parts_show_only_what_nothing_else_shows(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """A failed call is one error, and an answer that cannot be read is the wrapper's."""

    class Refusing(GenericFakeChatModel):
        def _generate(self, *_: Any, **__: Any) -> Any:
            raise ConnectionError("refused")

    def read(_: Any) -> Any:
        raise ValueError("unreadable")

    good, bad = GenericFakeChatModel(messages=iter([ANSWER])), Refusing(messages=iter([]))

    async def work(state: State) -> State:
        for model, failure in ((bad, ConnectionError), (good, ValueError)):
            with pytest.raises(failure):
                await (model | RunnableLambda(read, name="RunnableLambda")).ainvoke("Hello?")
        return {"text": "done"}

    _, runs, _ = await traced(tracing, langsmith, work)
    failed = [(run["name"], run["run_type"]) for run in runs if run.get("error")]
    assert failed == [("Refusing", "llm"), ("RunnableLambda", "chain")]
    assert len(runs) == len(["work", "Refusing", "GenericFakeChatModel", "RunnableLambda"])


class Broken(BaseModel):
    """What cannot say what it holds."""

    def model_dump(self, **_: Any) -> Any:
        """Refuse."""
        raise ValueError(MAIL)


def test_trace_that_cannot_be_made_ends_no_other(
    tracing: Tracing, langsmith: LangSmithCapture
) -> None:
    """The others of its batch arrive; what is flushed has arrived."""
    [sender] = tracing._senders
    [tracer] = tracing.callbacks(Traced("redacted", (), {}), Prices())
    first, second = uuid7(), uuid7()
    for run_id, given in ((first, Broken()), (second, MAIL)):
        tracer.on_chain_start({}, {"text": given}, run_id=run_id, name="work")
    assert sender.flush(10) == 0
    assert str(first) not in langsmith.runs
    assert langsmith.runs[str(second)]["inputs"] == {"text": "[email]"}


async def test_nothing_is_made_without_a_key(tracing: Tracing, langsmith: LangSmithCapture) -> None:
    """And nothing is flushed; a service with a key that is in the same process goes on."""
    off = Tracing(Settings(_env_file=None))
    assert not off.is_on
    assert off.callbacks(Traced("full", (), {}), Prices()) == []
    await off.close()

    async def work(state: State) -> State:
        return {"text": "done"}

    root, _, _ = await traced(tracing, langsmith, work)
    assert metadata(root)["run_outcome"] == "success"


def forget_environment() -> None:
    """Have langsmith read its variables again; its type does not say that they are kept."""
    kept: Any = get_env_var
    kept.cache_clear()


def test_environment_starts_no_other_tracer(
    tracing: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LangSmith's own switch would send texts as they are, to where its own settings say."""
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    forget_environment()
    assert get_env_var("TRACING") == "true"
    assert not tracing_is_enabled()
    forget_environment()
