"""What LangSmith gets to see of a run, and what it must not see."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import until
from tests.conftest import Tenant
from tests.doubles.langsmith_capture import LangSmithCapture, metadata
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
PROJECT = "support-desk"


@pytest.fixture(scope="module")
def own_url(migrated_database: Callable[[], str]) -> str:
    """A database without other workers."""
    return migrated_database()


@pytest.fixture
async def tenant(own_url: str) -> Tenant:
    """A tenant on it."""
    return await tenant_on(own_url, articles=False)


@pytest.fixture(scope="module")
def langsmith() -> LangSmithCapture:
    """What was sent, by all tests of this module."""
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
    langsmith: LangSmithCapture,
    all_models: OpenAIDouble,
) -> Iterator[Stack]:
    """A service that traces."""
    folder = Path(tmp_path_factory.mktemp("traced"))
    with (
        serving(langsmith.app) as endpoint,
        serving(all_models.app) as provider,
        running(
            Stack(
                own_url,
                folder,
                DESKGRAPH_LANGSMITH_API_KEY="ls-key",
                DESKGRAPH_LANGSMITH_ENDPOINT=endpoint,
                DESKGRAPH_LANGSMITH_PROJECT=PROJECT,
                DESKGRAPH_OPENAI_API_KEY="openai-key",
                DESKGRAPH_OPENAI_BASE_URL=f"{provider}/v1",
            )
        ) as started,
    ):
        started.api()
        started.worker()
        yield started


@pytest.fixture
def paused(starter: Client, models: OpenAIDouble) -> Any:
    """A run that waits for a decision."""
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    return run


def test_root_is_named_by_the_run_and_filed_under_the_project(
    paused: Any, langsmith: LangSmithCapture
) -> None:
    """The trace's id stands on the run; its root carries ticket, run and project."""
    root = langsmith.wait_for_root(paused["trace_id"])
    assert (root["name"], root["trace_id"]) == ("support", paused["trace_id"])
    assert root["session_name"] == PROJECT
    assert metadata(root)["ticket_id"] == "T-1"
    assert metadata(root)["run_id"] == paused["id"]
    assert langsmith.keys == {"ls-key"}


def test_resume_is_a_fresh_trace_of_the_same_thread(
    paused: Any, starter: Client, approver: Client, langsmith: LangSmithCapture
) -> None:
    """Start and resume have a trace each, and LangSmith groups both by the thread."""
    approver.decide(paused, "approve")
    done = starter.run(paused["id"])
    assert done["outcome"] == "acted"
    traces = [paused["trace_id"], done["trace_id"]]
    started, resumed = (langsmith.wait_for_root(trace_id) for trace_id in traces)
    assert started["id"] != resumed["id"]
    assert {metadata(root)["thread_id"] for root in (started, resumed)} == {paused["thread_id"]}
    assert [metadata(root).get("run_outcome") for root in (started, resumed)] == [
        "interrupted",
        None,
    ]


def test_nodes_are_named_children_of_the_root(paused: Any, langsmith: LangSmithCapture) -> None:
    """A reader of the trace sees the workflow's own words."""
    root = langsmith.wait_for_root(paused["trace_id"])
    nodes = langsmith.children(root)
    assert [node["name"] for node in nodes][-4:] == ["classify", "billing", "plan", "approve"]
    [router] = langsmith.children(nodes[-2])
    assert router["name"] == "by_plan"


def test_pause_is_not_an_error(paused: Any, langsmith: LangSmithCapture) -> None:
    """The node that waits has ended, with what it asks as its output."""
    root = langsmith.wait_for_root(paused["trace_id"])
    # What a node left may come after what its root left.
    until(lambda: "__interrupt__" in (langsmith.children(root)[-1].get("outputs") or {}))
    approve = langsmith.children(root)[-1]
    [asked] = approve["outputs"]["__interrupt__"]
    shown = paused["approvals"][0]
    assert (asked["steps"], asked["gate"]) == (shown["steps"], shown["reasons"])
    assert (approve["name"], approve.get("error"), root.get("error")) == ("approve", None, None)


def test_failed_attempt_is_an_error(
    starter: Client, models: OpenAIDouble, langsmith: LangSmithCapture
) -> None:
    """A node that fails and is tried again shows both attempts, the first as an error."""
    models.failures["Classification"] = 1
    run = starter.start("cus_ann", TWICE)
    root = langsmith.wait_for_root(run["trace_id"])
    first, second = (n for n in langsmith.children(root) if n["name"] == "classify")
    assert models.failure_message in first["error"]
    assert second.get("error") is None


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-Zx81mKq02LpQ7vNc55tYbR3wUe9aHd4G",
        "AKIAIOSFODNN7EXAMPLE",
        "password: correct-horse-battery",
        "dg_0123456789ab_Zx81mKq02LpQ7vNc55tYbR3wUe9aHd4GZx81mKq02Lp",
    ],
)
def test_secrets_never_leave(
    starter: Client, models: OpenAIDouble, langsmith: LangSmithCapture, secret: str
) -> None:
    """What looks like a credential is masked in inputs, outputs and error texts."""
    models.failures["Classification"] = 1
    models.failure_message = f"cannot read {secret}"
    run = starter.start("cus_ann", f"{TWICE}. My access is {secret} by the way")
    langsmith.wait_for_root(run["trace_id"])
    assert TWICE.encode() in langsmith.sent
    assert b"cannot read" in langsmith.sent
    assert secret.removeprefix("password: ").encode() not in langsmith.sent
