"""What LangSmith gets to see of a run, and what it must not see."""

import asyncio
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from sqlalchemy import select, update

from app.commands.keys import issue_key
from app.db.core.connections import Sessions, make_engine
from app.db.tables.figures import ModelCall
from app.db.tables.sandbox import SandboxPayment
from tests.acceptance.own_database import tenant_on
from tests.acceptance.scraping import scrape, url_of
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import until
from tests.cases import some
from tests.conftest import Tenant, copy_articles
from tests.doubles.langsmith_capture import PROJECT_ID, WORKSPACE_ID, LangSmithCapture, metadata
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving

# Each is personal or secret, and stands in a ticket, an article, a payment and an error.
MARKERS = {
    "email": "zyx.private@hidden.example",
    "phone": "+49 171 5550199",
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "key": "sk-proj-Zx81mKq02LpQ7vNc55tYbR3wUe9aHd4G",
    "name": "Zyxanna",
    "surname": "Qworpel",
}
MARKED = "Zyxanna Qworpel, " + ", ".join(
    MARKERS[kind] for kind in ("email", "phone", "card", "iban", "key")
)
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
PROJECT = "support-desk"


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
                DESKGRAPH_LANGSMITH_WEB_URL="https://smith.example",
                DESKGRAPH_OPENAI_API_KEY="openai-key",
                DESKGRAPH_OPENAI_BASE_URL=f"{provider}/v1",
                DESKGRAPH_METRICS_PORT="0",
            )
        ) as started,
    ):
        started.api()
        started.worker()
        yield started


def whole_trace(langsmith: LangSmithCapture, trace_id: str) -> list[Any]:
    """All runs of a trace, once each of them has ended."""
    langsmith.wait_for_root(trace_id)

    def runs() -> list[Any]:
        return [run for run in list(langsmith.runs.values()) if run.get("trace_id") == trace_id]

    # What a node left may come after what its root left.
    until(lambda: all(run.get("end_time") for run in runs()))
    return runs()


@pytest.fixture
def paused(starter: Client, models: OpenAIDouble) -> Any:
    """A run that waits for a decision."""
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    return run


def feedback_on(langsmith: LangSmithCapture, trace_id: str, key: str) -> Any:
    """The feedback of that key on a trace; a worker sends it a moment later."""
    until(lambda: key in langsmith.feedback_on(trace_id))
    return langsmith.feedback_on(trace_id)[key]


@pytest.mark.parametrize(
    ("verdict", "value", "score"), some([("approve", "approved", 1), ("reject", "rejected", 0)], 2)
)
def test_decision_is_feedback_on_the_trace_that_asked(
    paused: Any,
    starter: Client,
    approver: Client,
    langsmith: LangSmithCapture,
    verdict: str,
    value: str,
    score: float,
) -> None:
    """Not on the one that goes on; what the reviewer wrote is redacted as traces are."""
    comment = "Ask zyx.private@hidden.example"
    approver.decide(paused, verdict, comment=comment).raise_for_status()
    done = starter.run(paused["id"])
    found = feedback_on(langsmith, paused["trace_id"], "approval")
    assert (found["value"], found["score"]) == (value, score)
    assert found["comment"] == "Ask [email]"
    assert found["session_id"] == PROJECT_ID
    assert found["id"] == str(uuid5(UUID(paused["trace_id"]), "approval"))
    about = found["feedback_source"]["metadata"]
    assert about["run_id"] == paused["id"]
    assert about["approval_id"] == paused["approvals"][0]["id"]
    assert "approval" not in langsmith.feedback_on(done["trace_id"])


def test_edited_plan_is_a_correction(
    paused: Any, approver: Client, langsmith: LangSmithCapture
) -> None:
    """The steps as the reviewer left them."""
    [step] = paused["approvals"][0]["steps"]
    edit = {"id": step["id"], "args": {"amount_minor": 100}}
    approver.decide(paused, "edit", steps=[edit]).raise_for_status()
    found = feedback_on(langsmith, paused["trace_id"], "approval")
    assert (found["value"], found["score"]) == ("edited", 1)
    [left] = found["correction"]["steps"]
    assert left["args"]["amount_minor"] == 100


def newest_rating_is(langsmith: LangSmithCapture, trace_id: str, rating_id: str) -> bool:
    """Whether that rating is the one on the trace."""
    about = feedback_on(langsmith, trace_id, "csat")["feedback_source"]["metadata"]
    return bool(about["feedback_id"] == rating_id)


def test_rating_is_found_from_either_side(
    paused: Any, starter: Client, approver: Client, langsmith: LangSmithCapture
) -> None:
    """The run and its thread show it, and so does the newest trace; a later one replaces it."""
    approver.decide(paused, "approve").raise_for_status()
    done = starter.run(paused["id"])
    for score in (4, 2):
        rating = {"score": score, "comment": "Call me: +49 171 5550199"}
        given = starter.http.post("/v1/threads/T-1/feedback", json=rating).raise_for_status().json()
        until(partial(newest_rating_is, langsmith, done["trace_id"], given["id"]))
    found = feedback_on(langsmith, done["trace_id"], "csat")
    assert (found["score"], found["value"]) == (0.25, "2 stars")
    assert found["comment"] == "Call me: [phone]"
    shown = starter.run(paused["id"])["feedback"]
    assert [rating["score"] for rating in shown] == [4, 2]
    thread = starter.http.get("/v1/threads/T-1?expand=feedback").raise_for_status().json()
    assert thread["runs"][-1]["feedback"] == shown
    assert metadata(langsmith.wait_for_root(done["trace_id"]))["run_id"] == paused["id"]


def test_escalation_is_feedback(starter: Client, langsmith: LangSmithCapture) -> None:
    """A ticket that went to a person says why."""
    run = starter.start("cus_ann", "I want to speak to a human, now!", "T-5")
    assert run["outcome"] == "escalated"
    found = feedback_on(langsmith, run["trace_id"], "escalated")
    assert (found["score"], found["value"]) == (1, run["escalation"]["reason"])


def test_run_and_steps_link_to_their_traces(
    paused: Any, starter: Client, langsmith: LangSmithCapture
) -> None:
    """Each step to its own node, once LangSmith has said which project it is."""
    place = f"https://smith.example/o/{WORKSPACE_ID}/projects/p/{PROJECT_ID}/r/"
    until(lambda: starter.run(paused["id"])["trace_url"] is not None)
    assert starter.run(paused["id"])["trace_url"] == f"{place}{paused['trace_id']}?poll=true"
    steps = starter.http.get(f"/v1/runs/{paused['id']}/steps").raise_for_status().json()["items"]
    nodes = langsmith.children(langsmith.wait_for_root(paused["trace_id"]))
    assert [step["trace_url"] for step in steps] == [
        f"{place}{node['id']}?poll=true" for node in nodes
    ]


def test_share_of_a_tenant_leaves_runs_out(
    starter: Client, admin: Client, langsmith: LangSmithCapture
) -> None:
    """With a share of 0 no byte of a run leaves, nor feedback on it, and it has no link."""
    put = {"trace_share": 0}
    admin.http.put("/v1/policy", json=put, headers={"If-Match": "*"}).raise_for_status()
    run = starter.start("cus_ann", TWICE, "T-left-out")
    assert run["trace_url"] is None
    steps = starter.http.get(f"/v1/runs/{run['id']}/steps").raise_for_status().json()["items"]
    assert {step["trace_url"] for step in steps} == {None}
    rating = {"score": 1, "comment": ""}
    starter.http.post("/v1/threads/T-left-out/feedback", json=rating).raise_for_status()
    assert starter.run(run["id"])["feedback"][0]["score"] == 1
    admin.http.put("/v1/policy", json={}, headers={"If-Match": "*"}).raise_for_status()
    # What came later has arrived, so what came before would have, too.
    later = starter.start("cus_ann", TWICE, "T-later")
    langsmith.wait_for_root(later["trace_id"])
    assert run["id"].encode() not in langsmith.sent
    assert langsmith.feedback_on(run["trace_id"]) == {}


CALLER = "20261130T061500000000Z0197c9b0-1111-7000-8000-000000000001"
PLACE = f"{CALLER}.20261130T061501000000Z0197c9b0-2222-7000-8000-000000000002"
PROJECT_OF_OTHERS = "langsmith-project=elsewhere,langsmith-metadata=%7B%22tenant_id%22%3A%22x%22%7D"


@pytest.mark.parametrize("may", [True, False])
async def test_only_a_key_that_may_puts_a_trace_under_its_own(
    stack: Stack, own_url: str, tenant: Tenant, langsmith: LangSmithCapture, may: bool
) -> None:
    """Of what it sends the place alone is taken: no project and no metadata."""
    scopes = ["runs:write", "runs:read", *(["traces:join"] if may else [])]
    engine = make_engine(own_url, 1)
    async with Sessions(engine).begin() as session:
        caller = stack.client(await issue_key(session, tenant.id, "caller", scopes))
    await engine.dispose()
    caller.http.headers.update({"langsmith-trace": PLACE, "baggage": PROJECT_OF_OTHERS})
    run = await asyncio.to_thread(caller.start, "cus_ann", TWICE, "T-joined")
    root = await asyncio.to_thread(langsmith.wait_for_root, run["trace_id"])
    joined = (PLACE[-36:], CALLER[-36:], f"{PLACE}.")
    own = (None, run["trace_id"], "")
    parent, trace_id, place = joined if may else own
    assert root.get("parent_run_id") == parent
    assert root["trace_id"] == trace_id
    assert root["dotted_order"].startswith(place)
    assert (root["session_name"], metadata(root)["tenant_id"]) == (PROJECT, tenant.id)
    assert metadata(root)["run_outcome"] == "interrupted"
    assert {node["trace_id"] for node in langsmith.children(root)} == {trace_id}


def test_root_is_named_by_the_run_and_filed_under_the_project(
    paused: Any, langsmith: LangSmithCapture
) -> None:
    """The trace's id stands on the run; its root carries ticket, run and project."""
    root = langsmith.wait_for_root(paused["trace_id"])
    assert (root["name"], root["trace_id"]) == ("support_agent", paused["trace_id"])
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
    assert [root["name"] for root in (started, resumed)] == [
        "support_agent",
        "support_agent.resume",
    ]
    assert {metadata(root)["thread_id"] for root in (started, resumed)} == {paused["thread_id"]}
    assert [metadata(root).get("run_outcome") for root in (started, resumed)] == [
        "interrupted",
        "success",
    ]
    assert "outcome:interrupted" in started["tags"]
    assert metadata(resumed)["trigger"] == "approval"
    assert metadata(resumed)["approval_id"] == paused["approvals"][0]["id"]


def test_nodes_are_named_children_of_the_root(paused: Any, langsmith: LangSmithCapture) -> None:
    """A reader of the trace sees the workflow's own words."""
    root = langsmith.wait_for_root(paused["trace_id"])
    nodes = langsmith.children(root)
    assert [node["name"] for node in nodes][-4:] == ["classify", "billing", "plan", "approve"]
    routers = [run for run in langsmith.children(nodes[-2]) if run["run_type"] != "tool"]
    assert [router["name"] for router in routers] == ["by_plan"]


def test_every_run_says_where_it_belongs(paused: Any, langsmith: LangSmithCapture) -> None:
    """Threads and filters of LangSmith see a run's parts, too, by ids and by few tags."""
    runs = whole_trace(langsmith, paused["trace_id"])
    expected = {
        "thread_id": paused["thread_id"],
        "ticket_id": "T-1",
        "run_id": paused["id"],
        "root_run_id": paused["trace_id"],
        "attempt": 1,
        "trigger": "message",
        "policy_version": 0,
        "environment": "production",
        "revision": version("deskgraph"),
        "trace_content": "redacted",
    }
    for run in runs:
        assert expected.items() <= metadata(run).items(), run["name"]
        assert {"tenant_id", "graph_version"} <= metadata(run).keys()
        assert {"channel:api", "env:production", "trigger:message"} <= set(run["tags"])
    asked = [metadata(run) for run in runs if run["run_type"] == "llm"]
    assert {call["tier"] for call in asked} == {"fast"}
    versions = [call["prompt_version"] for call in asked]
    assert len(set(versions)) == len(versions) == 2


def test_tools_are_runs_under_their_node(paused: Any, langsmith: LangSmithCapture) -> None:
    """What was asked of the payment provider, and what it said, stand under `billing`."""
    whole_trace(langsmith, paused["trace_id"])
    root = langsmith.wait_for_root(paused["trace_id"])
    [billing] = [node for node in langsmith.children(root) if node["name"] == "billing"]
    tools = [run for run in langsmith.children(billing) if run["run_type"] == "tool"]
    assert "read_payments" in [tool["name"] for tool in tools]
    assert all(tool["outputs"]["output"] is not None for tool in tools)


def test_cost_and_tokens_are_those_of_the_run(
    paused: Any, starter: Client, approver: Client, langsmith: LangSmithCapture
) -> None:
    """What LangSmith sums up over a run's traces is what the run itself says."""
    approver.decide(paused, "approve")
    done = starter.run(paused["id"])
    traces = (paused["trace_id"], done["trace_id"])
    used = [
        metadata(run)["usage_metadata"]
        for trace_id in traces
        for run in whole_trace(langsmith, trace_id)
        if run["run_type"] == "llm"
    ]
    assert sum(usage["total_tokens"] for usage in used) == done["tokens"] > 0
    assert sum(usage["total_cost"] for usage in used) == pytest.approx(done["cost_usd"], rel=1e-9)
    assert all(
        usage["input_cost"] + usage["output_cost"] == pytest.approx(usage["total_cost"])
        for usage in used
    )


def test_every_total_of_the_cost_is_the_same(
    stack: Stack,
    models: OpenAIDouble,
    starter: Client,
    approver: Client,
    langsmith: LangSmithCapture,
) -> None:
    """LangSmith, the run, its steps, their calls, the statistics and the metric agree."""
    _, worker = stack.processes
    metric = "deskgraph_model_cost_usd_total"
    before = scrape(url_of(worker)).total(metric)
    paused = starter.start("cus_ann", TWICE)
    approver.decide(paused, "approve")
    done = starter.run(paused["id"])

    def read(path: str) -> Any:
        return starter.http.get(path).raise_for_status().json()

    steps = read(f"/v1/runs/{done['id']}/steps")["items"]
    calls = [call for step in steps for call in step["model_calls"]]
    traced = {
        run["id"]: metadata(run)["usage_metadata"]["total_cost"]
        for trace_id in (paused["trace_id"], done["trace_id"])
        for run in whole_trace(langsmith, trace_id)
        if run["run_type"] == "llm"
    }
    runs, asked, nodes = (read(f"/v1/stats/{of}?window=1h")["total"] for of in
                           ("runs", "models", "nodes"))  # fmt: skip
    totals = [
        sum(traced.values()),
        sum(step["cost_usd"] for step in steps),
        sum(call["cost_usd"] for call in calls),
        runs["cost_usd"],
        asked["cost_usd"],
        nodes["cost_usd"],
        scrape(url_of(worker)).total(metric) - before,
    ]
    assert done["cost_usd"] > 0
    assert totals == [pytest.approx(done["cost_usd"], abs=1e-9)] * len(totals)
    assert len(calls) == len(traced) == asked["calls"]
    assert done["tokens"] == runs["tokens"] == asked["tokens"] == nodes["tokens"]


async def test_rows_of_calls_are_the_runs_of_langsmith(
    paused: Any, own_url: str, langsmith: LangSmithCapture
) -> None:
    """By their ids, so that either leads to the other."""
    traced = {
        str(run["id"])
        for run in whole_trace(langsmith, paused["trace_id"])
        if run["run_type"] == "llm"
    }
    sessions = Sessions(make_engine(own_url, 1))
    async with sessions() as session:
        rows = await session.scalars(select(ModelCall.id).where(ModelCall.run_id == paused["id"]))
        assert {str(row) for row in rows} == traced != set()


def test_replay_says_that_it_is_one(
    paused: Any, admin: Client, langsmith: LangSmithCapture
) -> None:
    """Its trace has a name of its own, and the run that it repeats."""
    steps = admin.http.get(f"/v1/runs/{paused['id']}/steps").raise_for_status().json()["items"]
    body = {"dry_run": True, "checkpoint_id": steps[0]["checkpoint_id"]}
    answer = admin.http.post(f"/v1/runs/{paused['id']}/replay?wait=20", json=body)
    replay = answer.raise_for_status().json()
    root = langsmith.wait_for_root(admin.run(replay["id"])["trace_id"])
    assert root["name"] == "support_agent.replay"
    assert metadata(root)["replay_of"] == paused["id"]
    assert metadata(root)["dry_run"] is True
    # It answers the gate itself and goes on: that is one trace, in which the gate is there twice.
    until(lambda: metadata(langsmith.runs[root["id"]])["run_outcome"] == "success")
    gates = [run for run in langsmith.children(root) if run["name"] == "approve"]
    until(lambda: all(run.get("end_time") for run in langsmith.children(root)))
    assert [metadata(run)["try"] for run in gates] == [1, 2]
    for run in (root, *langsmith.children(root)):
        assert langsmith.operations.count(f"post.{run['id']}") == 1, run["name"]


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
    assert [metadata(node)["try"] for node in (first, second)] == [1, 2]


@pytest.mark.parametrize(
    "secret",
    some(
        [
            "sk-proj-Zx81mKq02LpQ7vNc55tYbR3wUe9aHd4G",
            "AKIAIOSFODNN7EXAMPLE",
            "password: correct-horse-battery",
            "dg_0123456789ab_Zx81mKq02LpQ7vNc55tYbR3wUe9aHd4GZx81mKq02Lp",
        ],
        4,
    ),
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


@pytest.fixture
async def marked(own_url: str, tenant: Tenant) -> None:
    """The tenant's payments and an article hold what must not leave."""
    engine = make_engine(own_url, 1)
    try:
        async with Sessions(engine).begin() as session:
            held = update(SandboxPayment).where(SandboxPayment.tenant_id == tenant.id)
            await session.execute(
                held.values(description=SandboxPayment.description + f" for {MARKED}")
            )
            await copy_articles(session, tenant.id)
    finally:
        await engine.dispose()


def start_marked(starter: Client) -> Any:
    """A ticket of a customer with a known name, with every marker in it."""
    customer = {"id": "cus_ann", "name": "Zyxanna Qworpel", "email": MARKERS["email"]}
    body = f"{TWICE}. I am {MARKED}"
    ticket = {"id": "T-9", "subject": f"Help {MARKED}", "body": body, "customer": customer}
    answer = starter.http.post("/v1/runs?wait=20", json={"ticket": ticket})
    return answer.raise_for_status().json()


@pytest.mark.parametrize("content", some(["redacted", "none", "full"], 3))
@pytest.mark.usefixtures("marked")
def test_personal_data_leaves_only_by_the_policy(
    starter: Client,
    admin: Client,
    approver: Client,
    models: OpenAIDouble,
    langsmith: LangSmithCapture,
    content: str,
) -> None:
    """A failed try, a pause and a success: no marker in any byte, while ids and counts survive."""
    put = {"trace_content": content}
    admin.http.put("/v1/policy", json=put, headers={"If-Match": "*"}).raise_for_status()
    article = {"id": "marked", "title": "Charged twice", "content": f"Charged twice? Ask {MARKED}."}
    admin.http.post("/v1/articles", json={"articles": [article]}).raise_for_status()
    models.failures["Classification"] = 1
    models.failure_message = f"cannot read {MARKED}"
    before = len(langsmith.sent)
    run = start_marked(starter)
    approver.decide(run, "approve", comment=f"Ask {MARKED}").raise_for_status()
    done = starter.run(run["id"])
    assert (run["status"], done["status"]) == ("interrupted", "success")
    rating = {"score": 1, "comment": f"Not what {MARKED} wanted"}
    starter.http.post("/v1/threads/T-9/feedback", json=rating).raise_for_status()
    notes = [feedback_on(langsmith, run["trace_id"], "approval"),
             feedback_on(langsmith, done["trace_id"], "csat")]  # fmt: skip
    assert [note["score"] for note in notes] == [1, 0]
    assert all(("comment" in note) == (content != "none") for note in notes)
    traces = [whole_trace(langsmith, found["trace_id"]) for found in (run, done)]
    sent = langsmith.sent[before:].decode()
    left = {kind for kind, marker in MARKERS.items() if marker in sent}
    assert left == ({*MARKERS} - {"key"} if content == "full" else set())
    assert ("I was charged twice" in sent) == (content != "none")
    assert ("cannot read" in sent) == (content != "none")
    for found in (part for trace in traces for part in trace):
        assert metadata(found)["thread_id"] == run["thread_id"]
    used = [metadata(part) for trace in traces for part in trace if part["run_type"] == "llm"]
    assert sum(call["usage_metadata"]["total_tokens"] for call in used if "usage_metadata" in call)
