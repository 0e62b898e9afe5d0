"""`deskgraph stats`: the figures of the API as tables, each problem with a run to look at."""

import json

import pytest

from app.db.core.connections import Sessions
from tests.conftest import Tenant
from tests.integration.command_line import deskgraph
from tests.integration.figures import History, good_and_bad

pytestmark = pytest.mark.no_articles


async def test_tables_name_what_failed_and_a_run(
    database_url: str, sessions: Sessions, tenant: Tenant
) -> None:
    """Every subject without a name of one; the run of a failed node stands beside it."""
    await good_and_bad(History(sessions, tenant))
    done = await deskgraph(database_url, "stats", "--tenant", tenant.id, "--window", "1h")
    assert done.exit_code == 0, done.output
    for said in ("PaymentsAwayError", "circuit_open", "gpt-5-mini", "acted", "plan", "queue"):
        assert said in done.stdout, said
    lines = await deskgraph(
        database_url, "stats", "nodes", "--tenant", tenant.id, "--window", "1h", "--json"
    )
    [line] = lines.stdout.splitlines()
    [error] = json.loads(line)["stats"]["total"]["errors"]
    assert error["kind"] == "PaymentsAwayError"
    assert error["run_id"] in done.stdout


@pytest.mark.parametrize(
    ("wrong", "named"),
    [(["kings"], "approvals"), (["--window", "1y"], "30d"), (["--tenant", "nowhere"], "nowhere")],
)
async def test_what_there_is_not_is_refused(
    database_url: str, wrong: list[str], named: str
) -> None:
    """With what there is."""
    done = await deskgraph(database_url, "stats", *wrong)
    assert done.exit_code == 2
    assert named in done.output
