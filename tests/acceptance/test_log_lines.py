"""The log of real processes: each line is JSON, says whose it is, and holds no customer's text."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.db.core.connections import Sessions, make_engine
from app.db.tables.sandbox import SandboxPayment
from tests.acceptance import forked
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import FORKS, Client, Stack, free_port, running
from tests.acceptance.test_connected_zammad import SETTINGS
from tests.acceptance.test_tracing import MARKED, MARKERS, TWICE, start_marked
from tests.acceptance.waiting import until
from tests.cases import some
from tests.conftest import Tenant, copy_articles
from tests.doubles.langsmith_capture import LangSmithCapture
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving

SECRETS = {"token": "zk-credential-7Qm2xV"}


def lines_of(log: Path) -> list[Any]:
    """Every line of a log, parsed; one that is no JSON fails here with its text."""
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.fixture
async def tenant(own_url: str) -> Tenant:
    """A tenant whose payments hold markers."""
    made = await tenant_on(own_url, articles=False)
    engine = make_engine(own_url, 1)
    try:
        async with Sessions(engine).begin() as session:
            held = update(SandboxPayment).where(SandboxPayment.tenant_id == made.id)
            await session.execute(held.values(description=f"Pro plan for {MARKED}"))
            await copy_articles(session, made.id)
    finally:
        await engine.dispose()
    return made


@pytest.fixture(scope="module")
def models() -> OpenAIDouble:
    """The provider."""
    return OpenAIDouble()


@pytest.fixture(scope="module")
def stack(
    own_url: str, tmp_path_factory: pytest.TempPathFactory, models: OpenAIDouble
) -> Iterator[Stack]:
    """A service that logs as much as it can, with a tracer and a model server."""
    folder = Path(tmp_path_factory.mktemp("logged"))
    with (
        serving(models.app) as provider,
        serving(LangSmithCapture().app) as langsmith,
        running(
            Stack(
                own_url,
                folder,
                DESKGRAPH_LOG_LEVEL="DEBUG",
                DESKGRAPH_METRICS_PORT="0",
                DESKGRAPH_OPENAI_API_KEY="openai-key",
                DESKGRAPH_OPENAI_BASE_URL=f"{provider}/v1",
                DESKGRAPH_LANGSMITH_API_KEY="ls-key",
                DESKGRAPH_LANGSMITH_ENDPOINT=langsmith,
            )
        ) as started,
    ):
        started.api()
        started.worker()
        yield started


def test_no_line_holds_what_a_customer_wrote_or_a_secret(
    stack: Stack, starter: Client, admin: Client, approver: Client, models: OpenAIDouble
) -> None:
    """Tickets, articles, tool results, exceptions and credentials; failure, pause and success."""
    models.reset()
    article = {"id": "marked", "title": "Charged twice", "content": f"Charged twice? Ask {MARKED}."}
    admin.http.post("/v1/articles", json={"articles": [article]}).raise_for_status()
    # Zammad itself is not there: the test of the connection fails with the token in hand.
    settings = {**SETTINGS, "base_url": "http://127.0.0.1:9"}
    asked = {"kind": "zammad", "name": MARKED[:100], "settings": settings, "credentials": SECRETS}
    made = admin.http.post("/v1/connections", json=asked)
    assert made.status_code == 201, made.text
    tried = admin.http.post(f"/v1/connections/{made.json()['id']}/test").raise_for_status().json()
    assert not tried["ok"]
    models.failures["Classification"] = 1
    models.failure_message = f"cannot read {MARKED}"
    paused = start_marked(starter)
    assert paused["status"] == "interrupted"
    approver.decide(paused, "approve", comment=f"Fine, {MARKED}").raise_for_status()
    assert starter.run(paused["id"])["status"] == "success"
    models.failures["Classification"] = 99
    failed = start_marked(starter)
    assert failed["outcome"] == "escalated"
    models.reset()
    wrong = starter.http.post("/v1/runs", json={"ticket": MARKED})
    assert wrong.status_code == 422

    worker = stack.processes[1].log

    def settled() -> list[Any]:
        return [line for line in lines_of(worker) if line["event"] == "run_settled"]

    until(lambda: {line["run_id"] for line in settled()} == {paused["id"], failed["id"]})
    for process in stack.processes:
        written = process.log.read_bytes()
        lines = lines_of(process.log)
        assert lines
        for kind, marker in {**MARKERS, **SECRETS}.items():
            assert marker.encode() not in written, kind
        assert TWICE.encode() not in written
        assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    of_run = [line for line in settled() if line["run_id"] == paused["id"]]
    assert len(of_run) == 2
    for line in of_run:
        assert (line["thread_id"], line["attempt"]) == (paused["thread_id"], of_run.index(line) + 1)
        assert line["trace_id"]
    calls = [line for line in lines_of(worker) if line["event"] == "model_call_failed"]
    assert {line["node"] for line in calls} == {"classify"}
    assert {line["run_id"] for line in calls} == {paused["id"], failed["id"]}
    requests = [line for line in lines_of(stack.processes[0].log) if line["event"] == "request"]
    assert requests
    assert all(line["request_id"] for line in requests)


def test_node_of_a_run_is_named_on_no_line_of_another(stack: Stack, starter: Client) -> None:
    """What a node binds ends with it: the run's own lines, and those of the next run, have none."""
    starter.start("cus_ann", TWICE)
    lines = lines_of(stack.processes[1].log)
    assert all("node" not in line for line in lines if line["event"] == "run_settled")


@pytest.mark.parametrize(
    ("command", "env"),
    some([
        (["api", "--port", "0"], {"DESKGRAPH_SECRET_KEY": ""}),
        (["api", "--port", "0"], {"DESKGRAPH_POOL_SIZE": "many"}),
        (["api", "--port", "0"], {"DESKGRAPH_NO_SUCH": "x", "DESKGRAPH_HOST": "256.0.0.1"}),
        (["api", "--no-such-option"], {}),
        (["worker"], {"DESKGRAPH_DATABASE_URL": ""}),
        (["worker"], {"DESKGRAPH_EMBEDDINGS_FILE": "/no", "DESKGRAPH_EMBEDDINGS_SHA256": "0" * 64}),
        (["migrate"], {"DESKGRAPH_DATABASE_URL": "postgresql://x@127.0.0.1:9/x"}),
    ], 4),
    ids=lambda value: value[0] if isinstance(value, list) else "".join(value)[:40],
)  # fmt: skip
def test_start_that_fails_says_so_in_json(
    own_url: str, tmp_path: Path, command: list[str], env: dict[str, str]
) -> None:
    """A wrong setting, a missing one, an option, an address, a database that is not there."""
    with running(Stack(own_url, tmp_path, **env)) as alone:
        process = alone._start(command[0], *command)
        assert process.wait() != 0
    assert any(line["event"] == "printed" for line in lines_of(process.log))


def test_migration_is_logged_in_json(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """Its steps, Alembic's own lines among them."""
    with running(Stack(fresh_database(), tmp_path, DESKGRAPH_LOG_LEVEL="DEBUG")) as alone:
        process = alone._start("migrate", "migrate")
        assert process.wait() == 0
    said = [line.get("text") for line in lines_of(process.log)]
    assert "migrating tables" in said
    assert "The schema is up to date." in said


@pytest.mark.thorough
def test_dev_with_its_own_postgres_logs_in_json(tmp_path: Path) -> None:
    """Server, migrations, API and worker from an empty folder to a stop: what it prints, too."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DESKGRAPH_")}
    folder, log = tmp_path / "data", tmp_path / "dev.log"
    env = {**clean, "DESKGRAPH_DATA_DIR": str(folder), "DESKGRAPH_LOG_JSON": "true"}
    asked = (["dev", "--port", str(free_port())], env, log)
    process = FORKS.Process(target=forked.command, args=asked, daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + 90
        while not (log.exists() and "worker_started" in log.read_text()
                   and "console_url" in log.read_text()):  # fmt: skip
            assert process.is_alive(), log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        assert process.pid
        os.kill(process.pid, signal.SIGTERM)
        process.join(60)
        assert process.exitcode == 0
    finally:
        process.kill()
    lines = lines_of(log)
    assert {"api_started", "worker_started", "worker_stopped"} <= {
        line.get("event") for line in lines
    }
    assert [line["console_url"] for line in lines if "console_url" in line]
