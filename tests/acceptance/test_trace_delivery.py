"""When traces leave a worker, and what a LangSmith that is away may cost: nothing but traces."""

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.held_model import HeldModel
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Process, Stack, running
from tests.acceptance.waiting import until
from tests.cases import some
from tests.conftest import Tenant
from tests.doubles.langsmith_capture import LangSmithCapture, metadata
from tests.doubles.server import serving, silent_server

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
FLUSH_SECONDS = 1
# A client left to itself waits ten seconds for an answer, three times, before it lets go.
STOP_SECONDS = 8
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def stack(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An API; each test starts a worker of its own."""
    with running(Stack(own_url, Path(tmp_path_factory.mktemp("api")))) as started:
        started.api()
        yield started


@pytest.fixture
async def tenant(own_url: str) -> Tenant:
    """A tenant on the database."""
    return await tenant_on(own_url, articles=False)


@contextlib.contextmanager
def worker(stack: Stack, folder: Path, **env: str) -> Iterator[Process]:
    """A worker with these settings on the stack's database."""
    url = stack.env["DESKGRAPH_DATABASE_URL"]
    with running(Stack(url, folder, **env)) as alone:
        yield alone.worker()


def tracing_to(endpoint: str) -> dict[str, str]:
    """The settings of a worker that traces."""
    return {
        "DESKGRAPH_LANGSMITH_API_KEY": "ls-key",
        "DESKGRAPH_LANGSMITH_ENDPOINT": endpoint,
        "DESKGRAPH_TRACE_FLUSH_SECONDS": str(FLUSH_SECONDS),
    }


def test_nothing_is_sent_without_a_key(starter: Client, stack: Stack, tmp_path: Path) -> None:
    """Not even when LangSmith's own variables stand in the environment."""
    langsmith = LangSmithCapture()
    with serving(langsmith.app) as endpoint:
        ambient = {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_API_KEY": "ls-key",
            "LANGSMITH_ENDPOINT": endpoint,
            "DESKGRAPH_LANGSMITH_ENDPOINT": endpoint,
        }
        with worker(stack, tmp_path, **ambient) as process:
            assert starter.start("cus_ann", TWICE)["status"] == "interrupted"
            assert process.stop() == 0
    assert langsmith.requests == []


def test_stop_right_after_a_run_loses_no_trace(
    starter: Client, stack: Stack, tmp_path: Path
) -> None:
    """SIGTERM flushes, also to a slow LangSmith: all is there once the process is gone."""
    langsmith = LangSmithCapture()
    langsmith.delay_seconds = 1.5
    with serving(langsmith.app) as endpoint:
        patient = tracing_to(endpoint) | {"DESKGRAPH_TRACE_FLUSH_SECONDS": "20"}
        with worker(stack, tmp_path, **patient) as process:
            # While the first run's traces are on their way, the second's wait in the queue.
            starter.start("cus_ann", TWICE, "T-1")
            run = starter.start("cus_ann", TWICE, "T-2")
            assert process.stop() == 0
    root = langsmith.root(run["trace_id"])
    assert root is not None
    assert all(node["end_time"] for node in langsmith.children(root))
    assert len(langsmith.children(root)) == 4


def test_drained_run_is_no_error(starter: Client, stack: Stack, tmp_path: Path) -> None:
    """A run that a stopping worker hands back says so in its trace."""
    langsmith, model = LangSmithCapture(), HeldModel()
    model.hold("Classification")
    with (
        serving(langsmith.app) as endpoint,
        worker(stack, tmp_path, **tracing_to(endpoint), **model.env) as process,
    ):
        run = starter.start("cus_ann", TWICE, wait=0)
        assert model.arrived.wait(PATIENCE_SECONDS)
        process.signal(signal.SIGTERM)
        process.wait_for_line("drain_begins")
        model.release()
        assert process.stop() == 0
    model.close()
    [root] = [r for r in langsmith.runs.values() if metadata(r)["run_id"] == run["id"]
              and r["trace_id"] == r["id"]]  # fmt: skip
    assert (metadata(root)["run_outcome"], root.get("error")) == ("handed_back", None)
    with worker(stack, tmp_path):
        # On a busy machine the jobs of other tests come first.
        until(lambda: starter.run(run["id"])["status"] == "interrupted", 3 * PATIENCE_SECONDS)


def test_trace_of_a_killed_worker_is_ended_by_the_one_that_recovers_its_run(
    starter: Client, stack: Stack, tmp_path: Path
) -> None:
    """The killed one's root and node do not stay open; the run goes on in a trace of its own."""
    langsmith, model = LangSmithCapture(), HeldModel()
    model.hold("Classification")
    with serving(langsmith.app) as endpoint:
        env = {**tracing_to(endpoint), **model.env}
        with worker(stack, tmp_path, **env) as process:
            run = starter.start("cus_ann", TWICE, wait=0)
            assert model.arrived.wait(PATIENCE_SECONDS)
            lost = starter.run(run["id"], wait=0)["trace_id"]
            # The starts of the root and of its node have left by then.
            until(lambda: any(r.get("parent_run_id") == lost for r in [*langsmith.runs.values()]))
            assert langsmith.root(lost) is None
            process.kill()
        model.release()
        with worker(stack, tmp_path, **env):
            root = langsmith.wait_for_root(lost)
            until(lambda: starter.run(run["id"])["status"] == "interrupted", 3 * PATIENCE_SECONDS)
            done = starter.run(run["id"])
            langsmith.wait_for_root(done["trace_id"])
    model.close()
    [node] = langsmith.children(root)
    assert node["name"] == "classify"
    for ended in (root, node):
        assert ended["end_time"]
        assert ended["error"].startswith("WorkerLost")
    assert done["trace_id"] != lost
    assert metadata(langsmith.runs[lost])["run_id"] == run["id"]


TROUBLES = ("never answers", "refuses", "refuses the key", "is gone")


@pytest.mark.parametrize("trouble", some(TROUBLES, 4))
def test_langsmith_in_trouble_costs_traces_only(
    starter: Client, stack: Stack, tmp_path: Path, trouble: str
) -> None:
    """Runs go on as ever, and a stop waits for the flush's bound, not for LangSmith."""
    langsmith = LangSmithCapture()
    langsmith.status = 401 if trouble == "refuses the key" else 503
    with serving(langsmith.app) as refusing, silent_server() as silent:
        endpoints = {"never answers": silent, "is gone": "http://127.0.0.1:9"}
        endpoint = endpoints.get(trouble, refusing)
        with worker(stack, tmp_path, **tracing_to(endpoint)) as process:
            for number in range(3):
                run = starter.start("cus_ann", TWICE, f"T-{number}", wait=STOP_SECONDS)
                assert run["status"] == "interrupted"
            began = time.monotonic()
            assert process.stop() == 0
            assert time.monotonic() - began < STOP_SECONDS
    assert "traces_lost" in process.log.read_text()
    assert langsmith.runs == {}


def test_api_stops_whatever_langsmith_does(own_url: str, tmp_path: Path) -> None:
    """An API makes no traces, and waits for none."""
    with (
        silent_server() as silent,
        running(Stack(own_url, tmp_path, **tracing_to(silent))) as alone,
    ):
        process = alone.api()
        began = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS
