"""`deskgraph dev` and the commands around it, as a newcomer runs them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import psycopg
import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.db.core.embedded import embedded_postgres
from tests.acceptance import forked
from tests.acceptance.stack import FORKS, Client
from tests.cases import some

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


def environment(data_dir: Path) -> dict[str, str]:
    """The surroundings of a newcomer: no database, no key."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DESKGRAPH_")}
    return {**clean, "DESKGRAPH_DATA_DIR": str(data_dir)}


class Dev:
    """A running `deskgraph dev --json`, forked as the processes of a stack are."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.ready: dict[str, str] = json.loads(self._start())

    def _start(self) -> str:
        """Start it; the line that it prints when it is ready."""
        out = self.data_dir.with_suffix(f".out{time.monotonic_ns()}")
        errors = out.with_suffix(".errors")
        asked = (["dev", "--json", "--port", "0"], environment(self.data_dir), out, errors)
        self.process = FORKS.Process(target=forked.command, args=asked, daemon=True)
        self.process.start()
        while not (out.exists() and out.read_text().endswith("\n")):
            assert self.process.is_alive(), errors.read_text()
            time.sleep(0.02)
        return out.read_text()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process.pid is not None, "it was started"
        return self.process.pid

    @property
    def postgres(self) -> psutil.Process:
        """The embedded server: a direct child."""
        [server] = [p for p in psutil.Process(self.pid).children() if "postgres" in p.name()]
        return server

    def client(self, name: str) -> Client:
        """A caller with one of the printed keys."""
        return Client(self.ready["url"], self.ready[f"{name}_key"])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; its exit code."""
        os.kill(self.pid, how)
        return self._end()

    def _end(self) -> int:
        self.process.join(60)
        assert self.process.exitcode is not None, "it does not end"
        return self.process.exitcode


class TypedDev(Dev):
    """As a newcomer starts it: an interpreter of its own, which imports everything."""

    def _start(self) -> str:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "dev", "--json", "--port", "0"],
            env=environment(self.data_dir),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.popen.stdout is not None
        return self.popen.stdout.readline()

    @property
    def pid(self) -> int:
        """Its number."""
        return self.popen.pid

    def _end(self) -> int:
        return self.popen.wait(timeout=60)


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int | None
    stdout: str
    stderr: str


def deskgraph(data_dir: Path, *arguments: str, **env: str) -> Ended:
    """Run one command to its end, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        asked = (list(arguments), {**environment(data_dir), **env}, out, errors)
        # No daemon of its parent: it may start a server.
        process = FORKS.Process(target=forked.command, args=asked)
        process.start()
        process.join(120)
        process.kill()  # if it still runs
        return Ended(process.exitcode, out.read_text(), errors.read_text())


def called(dev: Dev, *arguments: str) -> Result:
    """Run one command in this process, beside a running `dev`; only an exit may end it."""
    unset: dict[str, str | None] = {k: None for k in os.environ if k.startswith("DESKGRAPH_")}
    env = {**unset, "DESKGRAPH_DATA_DIR": str(dev.data_dir)}
    done = CliRunner().invoke(app, arguments, env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


@pytest.mark.parametrize("started", some([Dev, TypedDev], 2))
def test_dev_keeps_its_data_and_leaves_nothing_running(tmp_path: Path, started: type[Dev]) -> None:
    """Start, pause a run, stop by SIGTERM, start again after SIGKILL: the run still waits.

    Each start ends the keys of the start before.
    """
    first = started(tmp_path)
    assert set(first.ready) == {
        "url",
        "starter_key",
        "approver_key",
        "admin_key",
        "database_url",
        "console_url",
    }
    run = first.client("starter").start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    server = first.postgres
    assert first.stop() == 0
    assert not server.is_running()

    second = Dev(tmp_path)
    server = second.postgres
    second.stop(signal.SIGKILL)
    psutil.wait_procs([server], timeout=30)
    assert not server.is_running(), "the server outlived its killed parent"

    third = Dev(tmp_path)
    with psycopg.connect(third.ready["database_url"]) as connection:
        live = "SELECT count(*) FROM api_keys WHERE tenant_id = 'demo' AND revoked_at IS NULL"
        assert connection.execute(live).fetchone() == (4,), "three that are printed, and the link's"
    for printed in (first, second):
        assert (
            Client(third.ready["url"], printed.ready["admin_key"])
            .http.get("/v1/policy")
            .status_code
            == 401
        )
    kept = third.client("starter").run(run["id"])
    assert kept["status"] == "interrupted"
    link = third.ready["console_url"]
    assert "Sign in as dev reviewer" in httpx.get(link).text
    own = {"Sec-Fetch-Site": "same-origin"}
    assert [httpx.post(link, headers=own).status_code for _ in range(2)] == [303, 401]
    assert third.client("approver").decide(kept, "approve").status_code == 202
    assert third.client("starter").run(run["id"])["outcome"] == "acted"
    assert third.stop(signal.SIGINT) == 0


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A running `dev` for the commands that find it by its data folder."""
    running = Dev(tmp_path_factory.mktemp("dev"))
    yield running
    running.stop()


@pytest.mark.thorough
def test_two_do_not_share_a_data_folder(dev: Dev) -> None:
    """The second one says what to do, and harms nothing."""
    second = deskgraph(dev.data_dir, "dev", "--port", "0")
    assert second.returncode == 1
    assert "DESKGRAPH_DATA_DIR" in second.stderr
    assert dev.client("starter").http.get("/readyz").status_code == 200


# Long texts that once held the event loop for longer than a worker's lease.
LONG = {
    "digits": "1", "figures": "1,", "marks": "\u0315\u0300", "quotes": "„", "lines": "\n",
    "manners": "we have gladly gladly gladly ", "questions": "what why how ",
}  # fmt: skip


@pytest.mark.parametrize("part", some(LONG.values(), 4), ids=LONG)
def test_long_ticket_stops_no_worker(dev: Dev, request: pytest.FixtureRequest, part: str) -> None:
    """It is read at the first attempt: no worker lost its lease, none took the run over."""
    body = f"I was charged twice, please refund {part * 50_000}"[:50_000]
    id_ = f"T-{request.node.callspec.id}"
    run = dev.client("starter").start("cus_ann", body, id_)
    # Empty lines at the end are no part of the new text, and then the wish is clear.
    paused = (run["status"], len(run["approvals"])) == ("interrupted", 1)
    assert paused if part == "\n" else run["outcome"] == "escalated" and run["reply"]["text"]
    with psycopg.connect(dev.ready["database_url"]) as connection:
        query = "SELECT attempt, losses FROM runs WHERE id = %s"
        assert connection.execute(query, [run["id"]]).fetchone() == (1, 0)


def test_demo_shows_what_becomes_of_ten_tickets(dev: Dev) -> None:
    """Four wait for a person, four are answered, two go to a person."""
    shown = deskgraph(dev.data_dir, "demo", COLUMNS="160")
    assert shown.returncode == 0, shown.stderr
    assert "\n4 runs wait for an approver" in shown.stdout
    for word in ("interrupted", "answered", "escalated", "upload-error-e42"):
        assert word in shown.stdout


def test_keys_are_created_listed_and_revoked_at_once(dev: Dev) -> None:
    """A new key works, shows in the list without its secret, and stops working when revoked."""
    made = called(dev, "keys", "create", "--name", "ci", "--scope", "runs:read",
                "--approve-limit", "USD=5000")  # fmt: skip
    token = made.stdout.strip()
    key_id, secret = token.split("_", 2)[1:]
    client = Client(dev.ready["url"], token)
    assert client.http.get("/v1/runs").status_code == 200

    listed = called(dev, "keys", "list", "--json")
    [row] = [r for r in map(json.loads, listed.stdout.splitlines()) if r["id"] == key_id]
    assert (row["name"], row["approve_limits"]) == ("ci", {"USD": 5000})
    assert secret not in listed.stdout
    assert called(dev, "keys", "revoke", key_id).exit_code == 0
    assert client.http.get("/v1/runs").status_code == 401
    again = called(dev, "keys", "revoke", key_id)
    assert (again.exit_code, "no live key" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create", "--name", "x", "--scope", "everything"),
        ("keys", "create", "--name", "x", "--scope", "runs:read", "--approve-limit", "1 USD"),
        ("keys", "create", "--name", "x", "--scope", "runs:read", "--tenant", "nobody"),
        ("articles", "import", "/nowhere"),
        ("policy", "set", "/nowhere"),
        ("demo", "--url", "http://127.0.0.1:9", "--key", "dg_a_b"),
    ],
)
def test_wrong_arguments_are_explained(dev: Dev, arguments: tuple[str, ...]) -> None:
    """A non-zero exit and a sentence, never a traceback."""
    refused = called(dev, *arguments)
    assert refused.exit_code in (1, 2)
    assert refused.stderr.strip()


def test_articles_are_imported_from_markdown_and_jsonl(dev: Dev, tmp_path: Path) -> None:
    """An imported article answers what it declares; the same id again replaces it."""
    asked = "When is zorbing allowed?"
    (tmp_path / "zorbing.md").write_text(
        f"---\nquestions:\n- {asked}\n---\n"
        "# Zorbing in the Fernboard office\n\nZorbing is allowed on Fridays after lunch.\n"
    )
    assert called(dev, "articles", "import", str(tmp_path)).exit_code == 0
    run = dev.client("starter").start("cus_lou", asked, "T-zorb")
    assert run["reply"]["citations"] == ["zorbing"]

    lines = tmp_path / "more.jsonl"
    new = {"id": "zorbing", "title": "Zorbing", "questions": [asked],
           "content": "Zorbing is never allowed in the office."}  # fmt: skip
    lines.write_text(json.dumps(new) + "\n")
    assert called(dev, "articles", "import", str(lines)).exit_code == 0
    run = dev.client("starter").start("cus_lou", asked, "T-zorb2")
    assert "never allowed" in run["reply"]["text"]

    lines.write_text('{"id": "x", "title": "no content"}\n')
    broken = called(dev, "articles", "import", str(lines))
    assert (broken.exit_code, "more.jsonl:1" in broken.stderr) == (2, True)


def test_policy_of_a_tenant_decides_what_needs_a_person(dev: Dev, tmp_path: Path) -> None:
    """Under the limit only the offline model still needs one; the run tells why, by which policy.

    That a refund of a trusted model goes through by itself is tried in openai/test_calls.py.
    """
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"refund_auto_limit": {"JPY": 12000}}))
    assert called(dev, "policy", "set", str(policy)).exit_code == 0
    shown = json.loads(called(dev, "policy", "show").stdout)
    assert shown["refund_auto_limit"] == {"JPY": 12000}
    run = dev.client("starter").start("cus_yui", "Please refund my Pro plan payment", "T-yen")
    assert (run["status"], run["policy_version"]) == ("interrupted", shown["version"])
    [waiting] = run["approvals"]
    assert waiting["reasons"] == ["the offline model proposed it"]
    assert dev.client("approver").decide(run, "approve").status_code == 202
    assert "5800 JPY" in dev.client("starter").run(run["id"])["reply"]["text"]

    old = json.loads(called(dev, "policy", "show", "--version", "0").stdout)
    assert (old["version"], old["refund_auto_limit"]) == (0, {})
    assert called(dev, "policy", "show", "--version", "99").exit_code == 2
    newest = called(dev, "policy", "history").stdout.splitlines()[0]
    stored = json.loads(newest)
    assert (stored["version"], stored["created_by"]) == (shown["version"], "cli")
    policy.write_text(json.dumps({"refund_auto_limit": {"JPY": 1.5}}))
    assert called(dev, "policy", "set", str(policy)).exit_code == 2


def test_commands_work_without_a_running_dev(tmp_path: Path) -> None:
    """They start the embedded server themselves, and stop it again."""
    migrated = deskgraph(tmp_path, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    token = deskgraph(tmp_path, "keys", "create", "--name", "me", "--scope", "runs:read",
                      "--tenant", "acme", "--create-tenant")  # fmt: skip
    assert token.stdout.startswith("dg_")


@pytest.mark.parametrize(
    "command",
    [[], ["dev"], ["api"], ["worker"], ["migrate"], ["demo"], ["graph"], ["keys"],
     ["keys", "create"], ["keys", "list"], ["keys", "revoke"], ["articles"],
     ["articles", "import"], ["policy"], ["policy", "show"], ["policy", "set"]],
)  # fmt: skip
def test_every_command_has_help(command: list[str]) -> None:
    """--help says what it is for."""
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output


def test_port_in_use_is_explained(dev: Dev, tmp_path: Path) -> None:
    """Exit code 1 and a sentence; nothing hangs, nothing is left running."""
    port = dev.ready["url"].rpartition(":")[2]
    refused = deskgraph(tmp_path, "dev", "--port", port)
    assert refused.returncode == 1
    assert "--port 0" in refused.stderr
    with embedded_postgres(tmp_path) as url:
        assert url, "the folder is free again"


@pytest.mark.parametrize(
    ("command", "env", "says"),
    [
        ("api", {}, "DESKGRAPH_DATABASE_URL"),
        ("worker", {}, "DESKGRAPH_DATABASE_URL"),
        ("api", {"DESKGRAPH_DATABASE_URL": "postgresql://x@127.0.0.1:9/x"}, "DESKGRAPH_SECRET_KEY"),
        ("worker", {"DESKGRAPH_POOL_SIZE": "many"}, "DESKGRAPH_POOL_SIZE"),
    ],
)
def test_missing_settings_are_named(
    tmp_path: Path, command: str, env: dict[str, str], says: str
) -> None:
    """Exit code 2, and the variable to set."""
    refused = deskgraph(tmp_path, command, **env)
    assert (refused.returncode, says in refused.stderr) == (2, True)
