"""`deskgraph runs`: an operator sees what runs there are, and everything about one of them."""

import json
from typing import Any

import pytest

from app.commands.run_report import RunReport
from app.commands.run_screen import screen
from app.commands.runs import LINE, PIPED_SCREEN
from app.commands.terminal import console
from app.db.tables.runs import Run
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.command_line import deskgraph
from tests.integration.workplace import Workplace

# Clears the screen, ends a line early, turns the text around, and is markup to rich.
HOSTILE = "\x1b[2JStop\rOK \u202eevil \x9b31m [red]bold[/] :skull:"
ACTIVE = "\x1b\r\u202e\x9b"


@pytest.fixture
def workplace(service: Service, tenant: Tenant) -> Workplace:
    """Tickets of one tenant, advanced in this process."""
    return Workplace(service, tenant)


async def shown(url: str, workplace: Workplace, run: Run) -> Any:
    """The run's report as a script reads it."""
    found = await deskgraph(
        url, "runs", "show", str(run.id), "--tenant", workplace.tenant.id, "--json"
    )
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


async def test_list_is_newest_first_and_filters(database_url: str, workplace: Workplace) -> None:
    """One line a run, the newest first; every filter leaves what fits it, and another tenant's
    runs are never among them.
    """
    older = await workplace.start(ticket="T-1")
    newer = await workplace.start(ticket="T-2", customer="cus_bob")

    async def listed(*filters: str) -> list[str]:
        tenant = ("--tenant", workplace.tenant.id)
        found = await deskgraph(database_url, "runs", "list", *tenant, "--json", *filters)
        assert found.exit_code == 0, found.output
        rows = [json.loads(line) for line in found.stdout.splitlines()]
        assert all(tuple(row) == LINE for row in rows)
        return [row["id"] for row in rows]

    assert await listed() == [str(newer.id), str(older.id)]
    assert await listed("--limit", "1") == [str(newer.id)]
    assert await listed("--ticket", "T-1") == [str(older.id)]
    assert await listed("--customer", "cus_bob") == [str(newer.id)]
    assert await listed("--status", "success") == []
    table = await deskgraph(database_url, "runs", "list", "--tenant", workplace.tenant.id)
    lines = table.stdout.splitlines()
    assert [str(newer.id) in lines[2], str(older.id) in lines[3], len(lines)] == [True, True, 4]


async def test_show_holds_a_run_from_ticket_to_checkpoint(
    database_url: str, workplace: Workplace
) -> None:
    """A paused run shows why it waits and which node is next; once decided, who agreed, what the
    ledger holds, and that nothing is next.
    """
    run = await workplace.advance(await workplace.start())
    paused = await shown(database_url, workplace, run)
    assert set(paused) == set(RunReport.model_fields)
    assert paused["run"]["status"] == "interrupted"
    assert paused["checkpoint"]["next"] == ["approve"]
    assert paused["run"]["approvals"][0]["reasons"]
    assert paused["ledger"] == []

    done = await shown(database_url, workplace, await workplace.decide(run))
    assert done["checkpoint"]["next"] == []
    assert [row["status"] for row in done["ledger"]] == ["done", "done"]
    assert done["ledger"][0]["amount_minor"] == 4900
    screen = await deskgraph(
        database_url, "runs", "show", str(run.id), "--tenant", workplace.tenant.id
    )
    for words in ("charged twice", "billing", "Uma: approve", "49.00 USD", "refund:pay_1002",
                  "approval.decided", "the graph has ended", "success  acted"):  # fmt: skip
        assert words in screen.stdout, words
    assert "Nothing in: callbacks." in screen.stdout


def drawn(report: dict[str, Any]) -> str:
    """The screen of what `--json` printed."""
    out = console(PIPED_SCREEN)
    with out.capture() as written:
        for part in screen(RunReport.model_validate(report)):
            out.print(part)
    return written.get()


async def test_screen_and_json_tell_the_same(database_url: str, workplace: Workplace) -> None:
    """The screen is drawn from the object that scripts get, and from nothing else."""
    run = await workplace.advance(await workplace.start())
    paused = await shown(database_url, workplace, run)
    assert "refund-pay_1002" in drawn(paused)
    done = await shown(database_url, workplace, await workplace.decide(run))
    typed = await deskgraph(
        database_url, "runs", "show", str(run.id), "--tenant", workplace.tenant.id
    )
    assert drawn(done) == typed.stdout


async def test_checkpoint_is_of_this_run(database_url: str, workplace: Workplace) -> None:
    """Runs of a ticket share a thread; the older one keeps showing its own last checkpoint."""
    first = await workplace.advance(await workplace.start("How do I export my data?"))
    before = await shown(database_url, workplace, first)
    second = await workplace.advance(await workplace.start())
    after = await shown(database_url, workplace, first)
    assert after["checkpoint"] == before["checkpoint"]
    assert (await shown(database_url, workplace, second))["checkpoint"]["next"] == ["approve"]


async def test_customers_text_is_inert(database_url: str, workplace: Workplace) -> None:
    """What a terminal would obey is shown escaped, and no text of a row is markup."""
    run = await workplace.advance(await workplace.start(body=HOSTILE, ticket="T-1"))
    tenant = ("--tenant", workplace.tenant.id)
    for command in (["show", str(run.id)], ["show", str(run.id), "--json"], ["list"]):
        found = await deskgraph(database_url, "runs", *command, *tenant)
        assert not set(ACTIVE) & set(found.stdout)
    screen = await deskgraph(database_url, "runs", "show", str(run.id), *tenant)
    assert r"\x1b[2JStop\rOK \u202eevil \x9b31m [red]bold[/] :skull:" in screen.stdout


async def test_prefix_names_one_run_or_all_candidates(
    database_url: str, workplace: Workplace
) -> None:
    """Enough of an id is enough; a prefix of several runs names them, and one of none says where
    to look.
    """
    first, second = await workplace.start(ticket="T-1"), await workplace.start(ticket="T-2")
    tenant = ("--tenant", workplace.tenant.id)
    one = await deskgraph(database_url, "runs", "show", str(first.id)[:-4], *tenant)
    assert (one.exit_code, str(first.id) in one.stdout) == (0, True)
    both = await deskgraph(database_url, "runs", "show", str(first.id)[:8], *tenant)
    assert both.exit_code == 1
    assert str(first.id) in both.stderr
    assert str(second.id) in both.stderr
    none = await deskgraph(database_url, "runs", "show", "00000000", *tenant)
    assert (none.exit_code, "runs list" in none.stderr) == (1, True)
    other = await deskgraph(database_url, "runs", "show", str(first.id), "--tenant", "template")
    assert (other.exit_code, "--tenant" in other.stderr) == (1, True)


@pytest.mark.parametrize("typed", ["0123456", "run", "01a2015g", "0" * 33, ""])
async def test_what_is_no_id_is_refused(database_url: str, typed: str) -> None:
    """Fewer than 8 characters, or others than an id has, are refused before anything is read."""
    refused = await deskgraph(database_url, "runs", "show", typed)
    assert (refused.exit_code, "8 characters" in refused.stderr) == (2, True)


async def test_unknown_tenant_is_named(database_url: str) -> None:
    """A typing error is no empty list."""
    for command in (["list"], ["show", "00000000"]):
        found = await deskgraph(database_url, "runs", *command, "--tenant", "nowhere")
        assert (found.exit_code, "nowhere" in found.stderr) == (2, True)
