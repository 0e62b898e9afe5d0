"""docs/howto/debug_a_run.md as it stands: from a ticket to the step, its trace and a replay."""

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import until
from tests.conftest import Tenant
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving
from tests.unit.test_docs import ROOT

# Each command of the page starts an interpreter. `make test` tries what the commands show in
# tests/acceptance/test_terminal.py, and the page's exercise in tests/unit/test_howto.py.
pytestmark = pytest.mark.thorough

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
PAGE = ROOT / "docs/howto/debug_a_run.md"
FENCE = re.compile(r"^   ```\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)
SCRIPTS = sysconfig.get_path("scripts")


@pytest.fixture
async def tenant(own_url: str) -> Tenant:
    """A tenant on it."""
    return await tenant_on(own_url, articles=False)


@pytest.fixture(scope="module")
def models() -> OpenAIDouble:
    """The provider."""
    return OpenAIDouble()


@pytest.fixture(scope="module")
def stack(
    own_url: str, tmp_path_factory: pytest.TempPathFactory, models: OpenAIDouble
) -> Iterator[Stack]:
    """The service of an operator who gets the complaint."""
    with serving(models.app) as provider:
        env = {"DESKGRAPH_OPENAI_API_KEY": "k", "DESKGRAPH_OPENAI_BASE_URL": f"{provider}/v1"}
        folder = Path(tmp_path_factory.mktemp("debugged"))
        with running(Stack(own_url, folder, **env)) as started:
            started.api()
            started.worker()
            yield started


def typed(block: str, stack: Stack, **variables: str) -> str:
    """What the commands of one block print; each must succeed."""
    known = {**os.environ, **stack.env, **variables, "URL": stack.url, "LOGS": str(stack.folder)}
    known["PATH"] = f"{SCRIPTS}{os.pathsep}{known['PATH']}"
    script = f"set -euo pipefail\n{re.sub(r'^   ', '', block, flags=re.MULTILINE)}"
    done = subprocess.run(
        ["bash", "-c", script], env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_page_leads_from_a_ticket_to_step_trace_and_replay(
    stack: Stack, starter: Client, tenant: Tenant, models: OpenAIDouble
) -> None:
    """`classify` gets no answer of the model; each block shows what the text before it promises."""
    models.failures["Classification"] = 99
    run = starter.start("cus_ann", TWICE, "T-77")
    assert run["outcome"] == "escalated"
    models.reset()
    find, show, steps, logs, trace, again = FENCE.findall(PAGE.read_text())
    own = {"TENANT": tenant.id, "STARTER": tenant.starter, "TICKET": "T-77", "CUSTOMER": "cus_ann"}
    assert typed(find, stack, **own).count(run["id"]) == 2
    own["RUN"] = run["id"]
    whole = typed(show, stack, **own)
    assert "classify" in whole
    assert json.loads(whole.splitlines()[-1])["escalation"]
    items = json.loads(typed(steps, stack, **own))["items"]
    [failed] = [step for step in items if step["error"]]
    assert (failed["node"], failed["input"]["ticket"]["body"]) == ("classify", TWICE)
    assert failed["model_calls"][0]["error"]

    def lines() -> list[Any]:
        return [json.loads(line) for line in typed(logs, stack, **own).splitlines()]

    until(lambda: "run_settled" in [line["event"] for line in lines()])
    assert {line["node"] for line in lines() if line["event"] == "model_call_failed"} == {
        "classify"
    }
    trace_id = starter.run(run["id"])["trace_id"]
    assert trace_id in typed(trace, stack, **own)
    assert {line["trace_id"] for line in lines() if "trace_id" in line} == {trace_id}
    replay, diff = re.split(r"\n(?=   curl)", again.rstrip("\n"))
    own["CHECKPOINT"] = failed["checkpoint_id"]
    repeated = json.loads(typed(replay, stack, **own))
    assert (repeated["dry_run"], repeated["replay_of"]) == (True, run["id"])
    own["REPLAY"] = repeated["id"]
    assert json.loads(typed(diff, stack, **own))
