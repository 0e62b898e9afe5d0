"""What an OpenTelemetry collector gets of a run: the tree that LangSmith gets, as spans."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.acceptance.held_model import HeldModel
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.test_trace_delivery import PATIENCE_SECONDS, STOP_SECONDS
from tests.acceptance.test_tracing import MARKED, MARKERS, TWICE, start_marked
from tests.acceptance.waiting import until
from tests.cases import some
from tests.conftest import Tenant
from tests.doubles.langsmith_capture import LangSmithCapture
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.otel_collector import Got, OtelCollector
from tests.doubles.server import serving, silent_server

CLIENT_KIND = 3


@pytest.fixture
async def tenant(own_url: str) -> Tenant:
    """A tenant on it."""
    return await tenant_on(own_url, articles=False)


@pytest.fixture(scope="module")
def collector() -> OtelCollector:
    """What was sent, by all tests of this module."""
    return OtelCollector()


@pytest.fixture(scope="module")
def langsmith() -> LangSmithCapture:
    """What was sent there."""
    return LangSmithCapture()


@pytest.fixture(scope="module")
def all_models() -> OpenAIDouble:
    """The provider of this module."""
    return OpenAIDouble()


@pytest.fixture
def models(all_models: OpenAIDouble) -> OpenAIDouble:
    """A provider that answers well, until a test says otherwise."""
    all_models.reset()
    return all_models


@pytest.fixture(scope="module")
def stack(
    own_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    collector: OtelCollector,
    langsmith: LangSmithCapture,
    all_models: OpenAIDouble,
) -> Iterator[Stack]:
    """A service that sends traces to both."""
    with (
        serving(collector.app) as endpoint,
        serving(langsmith.app) as smith,
        serving(all_models.app) as provider,
        running(
            Stack(
                own_url,
                Path(tmp_path_factory.mktemp("otel")),
                DESKGRAPH_OTEL_ENDPOINT=f"{endpoint}/v1/traces",
                DESKGRAPH_OTEL_HEADERS='{"authorization": "Basic abc"}',
                DESKGRAPH_LANGSMITH_API_KEY="ls-key",
                DESKGRAPH_LANGSMITH_ENDPOINT=smith,
                DESKGRAPH_ENVIRONMENT="staging",
                DESKGRAPH_OPENAI_API_KEY="openai-key",
                DESKGRAPH_OPENAI_BASE_URL=f"{provider}/v1",
            )
        ) as started,
    ):
        started.api()
        started.worker()
        yield started


def whole(collector: OtelCollector, langsmith: LangSmithCapture, trace_id: str) -> list[Got]:
    """The spans of a trace, once there are as many as LangSmith has runs, all of which ended."""
    langsmith.wait_for_root(trace_id)

    def runs() -> list[Any]:
        return [run for run in list(langsmith.runs.values()) if run.get("trace_id") == trace_id]

    until(lambda: all(run.get("end_time") for run in runs()))
    until(lambda: len(collector.of_trace(trace_id)) >= len(runs()))
    return collector.of_trace(trace_id)


def span_id(run_id: str) -> str:
    """That of a run."""
    return f"{UUID(run_id).int & ((1 << 64) - 1):016x}"


def test_tree_is_that_of_langsmith(
    starter: Client, models: OpenAIDouble, collector: OtelCollector, langsmith: LangSmithCapture
) -> None:
    """Each run is a span under the same parent, with its operation by the conventions."""
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    spans = whole(collector, langsmith, run["trace_id"])
    runs = {span_id(one["id"]): one for one in langsmith.runs.values()
            if one.get("trace_id") == run["trace_id"]}  # fmt: skip
    assert {span.id for span in spans} == set(runs)
    for span in spans:
        twin = runs[span.id]
        parent = twin.get("parent_run_id")
        assert span.parent == (span_id(parent) if parent else "")
        assert span.nanoseconds >= 0
        about = span.attributes
        assert about["gen_ai.conversation.id"] == run["thread_id"]
        assert (about["deskgraph.run_id"], about["deskgraph.ticket_id"]) == (run["id"], "T-1")
        assert {"env:staging", "trigger:message"} <= set(about["deskgraph.tags"])
        assert span.resource["service.name"] == "deskgraph"
        assert span.resource["deployment.environment.name"] == "staging"
    [root] = [span for span in spans if not span.parent]
    assert root.name == "invoke_workflow support_agent"
    assert root.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert root.attributes["deskgraph.run_outcome"] == "interrupted"
    tools = [s for s in spans if s.attributes.get("gen_ai.operation.name") == "execute_tool"]
    assert "execute_tool read_payments" in [span.name for span in tools]
    assert all(json.loads(span.attributes["gen_ai.tool.call.result"]) for span in tools)
    assert {headers["authorization"] for headers in collector.headers} == {"Basic abc"}


def test_model_calls_have_tokens_and_cost(
    starter: Client, models: OpenAIDouble, collector: OtelCollector, langsmith: LangSmithCapture
) -> None:
    """Their sums are those of the run, and a reader sees question and answer."""
    run = starter.start("cus_ann", TWICE)
    spans = whole(collector, langsmith, run["trace_id"])
    calls = [s for s in spans if s.attributes.get("gen_ai.operation.name") == "chat"]
    assert len(calls) == 2
    used = 0
    for call in calls:
        about = call.attributes
        assert call.kind == CLIENT_KIND
        assert call.name == f"chat {about['gen_ai.request.model']}"
        assert about["gen_ai.provider.name"] == "openai"
        used += about["gen_ai.usage.input_tokens"] + about["gen_ai.usage.output_tokens"]
        asked = json.loads(about["gen_ai.input.messages"])
        assert {message["role"] for message in asked} <= {"system", "user"}
        assert TWICE in about["gen_ai.input.messages"]
        [answer] = json.loads(about["gen_ai.output.messages"])
        assert (answer["role"], answer["parts"][0]["type"]) == ("assistant", "text")
    assert used == run["tokens"] > 0
    cost = sum(call.attributes["deskgraph.cost_usd"] for call in calls)
    assert cost == pytest.approx(run["cost_usd"], rel=1e-9)


def test_pause_is_no_error_and_a_failed_try_is_one(
    starter: Client,
    approver: Client,
    models: OpenAIDouble,
    collector: OtelCollector,
    langsmith: LangSmithCapture,
) -> None:
    """The first try of `classify` and its call are errors, with the class; nothing else is."""
    models.failures["Classification"] = 1
    run = starter.start("cus_ann", TWICE)
    approver.decide(run, "approve").raise_for_status()
    done = starter.run(run["id"])
    spans = whole(collector, langsmith, run["trace_id"])
    failed = [span for span in spans if span.is_error]
    assert failed
    assert all(span.attributes["error.type"] for span in failed)
    nodes = [span for span in spans if span.name == "classify"]
    assert sorted((s.attributes["deskgraph.try"], s.is_error) for s in nodes) == [
        (1, True),
        (2, False),
    ]
    [pause] = [span for span in spans if span.name == "approve"]
    assert not pause.is_error
    assert "__interrupt__" in json.loads(pause.attributes["deskgraph.output"])
    [resumed] = [s for s in whole(collector, langsmith, done["trace_id"]) if not s.parent]
    assert resumed.name == "invoke_workflow support_agent.resume"
    assert resumed.attributes["deskgraph.run_outcome"] == "success"


@pytest.mark.parametrize("content", some(["redacted", "none", "full"], 3))
def test_personal_data_leaves_only_by_the_policy(
    starter: Client,
    admin: Client,
    approver: Client,
    models: OpenAIDouble,
    collector: OtelCollector,
    langsmith: LangSmithCapture,
    content: str,
) -> None:
    """As for LangSmith: failure, pause and success, and no marker in any byte."""
    put = {"trace_content": content}
    admin.http.put("/v1/policy", json=put, headers={"If-Match": "*"}).raise_for_status()
    models.failures["Classification"] = 1
    models.failure_message = f"cannot read {MARKED}"
    before = len(collector.sent)
    run = start_marked(starter)
    approver.decide(run, "approve").raise_for_status()
    done = starter.run(run["id"])
    assert (run["status"], done["status"]) == ("interrupted", "success")
    spans = [s for r in (run, done) for s in whole(collector, langsmith, r["trace_id"])]
    sent = collector.sent[before:].decode(errors="replace")
    left = {kind for kind, marker in MARKERS.items() if marker in sent}
    assert left == ({*MARKERS} - {"key"} if content == "full" else set())
    assert ("I was charged twice" in sent) == (content != "none")
    assert all(span.attributes["gen_ai.conversation.id"] == run["thread_id"] for span in spans)


@pytest.mark.thorough
def test_spans_of_a_killed_worker_are_sent_by_the_one_that_recovers_its_run(
    migrated_database: Callable[[], str], tmp_path: Path
) -> None:
    """Its root and the node that it was at, as errors; the node's input is there, masked."""
    url = migrated_database()
    own = asyncio.run(tenant_on(url, articles=False))
    got, model = OtelCollector(), HeldModel()
    model.hold("Classification")
    with serving(got.app) as served:
        env = {"DESKGRAPH_OTEL_ENDPOINT": f"{served}/v1/traces", **model.env}
        with running(Stack(url, tmp_path, **env)) as alone:
            alone.api()
            process = alone.worker()
            caller = alone.client(own.starter)
            run = caller.start("cus_ann", f"{TWICE}. I am {MARKERS['email']}", wait=0)
            assert model.arrived.wait(PATIENCE_SECONDS)
            lost = caller.run(run["id"], wait=0)["trace_id"]
            process.kill()
            model.release()
            alone.worker()
            until(lambda: len(got.of_trace(lost)) == 2)
    model.close()
    [root] = [span for span in got.of_trace(lost) if not span.parent]
    [node] = [span for span in got.of_trace(lost) if span.parent]
    assert (node.name, node.parent) == ("classify", root.id)
    for span in (root, node):
        assert span.is_error
        assert span.attributes["error.type"] == "WorkerLost"
        assert span.attributes["deskgraph.run_id"] == run["id"]
    assert TWICE in node.attributes["deskgraph.input"]
    assert MARKERS["email"].encode() not in got.sent


@pytest.mark.parametrize("trouble", some(["never answers", "refuses", "is gone"], 3))
def test_collector_in_trouble_costs_traces_only(
    migrated_database: Callable[[], str], tmp_path: Path, trouble: str
) -> None:
    """Runs go on, the log says it, and a stop waits for the flush's bound and no longer."""
    refusing = OtelCollector()
    refusing.status = 401
    # Another worker of the database could take the runs.
    url = migrated_database()
    own = asyncio.run(tenant_on(url, articles=False))
    with serving(refusing.app) as served, silent_server() as silent:
        address = {"never answers": silent, "is gone": "http://127.0.0.1:9"}.get(trouble, served)
        env = {
            "DESKGRAPH_OTEL_ENDPOINT": f"{address}/v1/traces",
            "DESKGRAPH_TRACE_FLUSH_SECONDS": "1",
        }
        with running(Stack(url, tmp_path, **env)) as alone:
            alone.api()
            process = alone.worker()
            caller = alone.client(own.starter)
            for number in range(3):
                caller.start("cus_ann", TWICE, f"T-{number}")
            began = time.monotonic()
            assert process.stop() == 0
            assert time.monotonic() - began < STOP_SECONDS
    lost = [line for line in map(json.loads, process.log.read_text().splitlines())
            if line["event"] == "traces_lost"]  # fmt: skip
    assert {line["exporter"] for line in lost} == {"otel"}
