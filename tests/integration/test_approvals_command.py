"""`deskgraph approvals` for scripts: the same rules as over HTTP, by the key that decides."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import Result

from app.api.schemas import ApprovalOut
from app.commands.approvals import DECIDED
from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from app.db.tables.runs import Run
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.api import serving_api
from tests.integration.command_line import deskgraph
from tests.integration.conftest import Begin
from tests.integration.paused import Desk
from tests.unit.test_policy import step

pytestmark = pytest.mark.no_articles

LARGE, SMALL = "refund-pay_1", "refund-pay_2"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person at a command line who knows where the API is and holds a key."""

    database_url: str
    api: str
    key: str

    async def type(self, *arguments: str) -> Result:
        """Run `deskgraph approvals ...`."""
        env = {"DESKGRAPH_API_KEY": self.key}
        at = ("--url", self.api)
        return await deskgraph(self.database_url, "approvals", *arguments, *at, **env)

    async def listed(self) -> list[dict[str, Any]]:
        """What `list --json` prints."""
        found = await self.type("list", "--json")
        assert found.exit_code == 0, found.output
        return [json.loads(line) for line in found.stdout.splitlines()]

    async def decide(self, approval: dict[str, Any], *options: str) -> Result:
        """Decide what was read."""
        return await self.type("decide", approval["id"], "--digest", approval["digest"], *options)


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with runs that wait."""
    return Desk(sessions, tenant, begin)


@pytest.fixture
async def api(service: Service) -> AsyncIterator[str]:
    """Where the API is; its log lines do not mix with what a command prints."""
    with capture_logs():
        async with serving_api(service) as url:
            yield url


@pytest.fixture
def reviewer(database_url: str, api: str, tenant: Tenant) -> Reviewer:
    """With the tenant's approver key."""
    return Reviewer(database_url, api, tenant.approver)


async def holder(desk: Desk, reviewer: Reviewer, *scopes: str, **limits: int) -> Reviewer:
    """Another person with a key of these scopes and limits."""
    async with desk.sessions.begin() as session:
        key = await issue_key(session, desk.tenant.id, "Kim", list(scopes), limits or None)
    return Reviewer(reviewer.database_url, reviewer.api, key)


async def test_list_has_what_expires_first_on_top(desk: Desk, reviewer: Reviewer) -> None:
    """What waits, by its expiry and not by its age, in the shape of the API."""
    late = await desk.pause(ticket="T-1")
    early = await desk.pause(ticket="T-2", expires_in_seconds=600)
    rows = await reviewer.listed()
    assert [row["run_id"] for row in rows] == [str(early.id), str(late.id)]
    assert all(set(row) == set(ApprovalOut.model_fields) for row in rows)
    table = (await reviewer.type("list")).stdout.splitlines()
    assert [rows[0]["id"] in table[2], rows[1]["id"] in table[3]] == [True, True]
    assert "0 of 1" in table[2]


async def test_nothing_waits_is_said(reviewer: Reviewer) -> None:
    """An empty list is a sentence for people, and no line for scripts."""
    assert "Nothing waits" in (await reviewer.type("list")).stdout
    assert await reviewer.listed() == []


async def test_script_decides_exactly_what_it_read(desk: Desk, reviewer: Reviewer) -> None:
    """With the digest of the approval it is decided, by the name of the key; a second answer
    is refused with the name of the first.
    """
    run = await desk.pause()
    [approval] = await reviewer.listed()
    done = await reviewer.decide(approval, "--verdict", "approve", "--comment", "clear", "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert tuple(answer) == DECIDED
    assert (answer["approval_status"], answer["run_id"]) == ("approved", str(run.id))
    [decision] = await desk.decisions(await desk.approval(run))
    assert (decision.decided_by, decision.comment) == ("approver", "clear")
    again = await reviewer.decide(approval, "--verdict", "approve")
    assert (again.exit_code, "approved by approver" in again.stderr) == (1, True)
    assert await reviewer.listed() == []


async def test_stale_digest_decides_nothing(desk: Desk, reviewer: Reviewer) -> None:
    """A plan that is another one by now is refused, with what to do."""
    run = await desk.pause()
    [approval] = await reviewer.listed()
    stale = await reviewer.decide(approval | {"digest": "0" * 64}, "--verdict", "approve")
    assert (stale.exit_code, "decide` again" in stale.stderr) == (1, True)
    assert (await desk.approval(run)).status == "pending"


async def test_what_was_not_shown_is_not_confirmed(desk: Desk, reviewer: Reviewer) -> None:
    """Without a terminal the digest is required, whatever is piped in as an answer."""
    run = await desk.pause()
    [approval] = await reviewer.listed()
    env = {"DESKGRAPH_API_KEY": reviewer.key}
    for options in ((), ("--verdict", "approve"), ("--digest", approval["digest"])):
        refused = await deskgraph(
            reviewer.database_url, "approvals", "decide", approval["id"], *options,
            "--url", reviewer.api, typed="approve\n\ny\n", **env,
        )  # fmt: skip
        assert (refused.exit_code, "--digest" in refused.stderr) == (1, True)
    assert (await desk.approval(run)).status == "pending"


async def test_edits_lower_amounts_and_drop_steps(desk: Desk, reviewer: Reviewer) -> None:
    """`--set` changes what the approval says may change, `--drop` leaves a step out."""
    run = await desk.pause()
    [approval] = await reviewer.listed()
    change = ("--set", f"{SMALL}.amount_minor=2000", "--drop", LARGE)
    done = await reviewer.decide(approval, "--verdict", "edit", *change)
    assert done.exit_code == 0, done.output
    stored = await desk.approval(run)
    assert stored.status == "edited"
    assert stored.decision is not None
    [left] = stored.decision["steps"]
    assert (left["id"], left["args"]["amount_minor"]) == (SMALL, 2000)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--verdict", "approve", "--set", f"{SMALL}.amount_minor=1"], "--verdict edit"),
        (["--verdict", "edit"], "--set and --drop"),
        (["--verdict", "edit", "--set", "amount_minor"], "STEP.FIELD=VALUE"),
        (["--verdict", "edit", "--set", "nothing.amount_minor=1"], LARGE),
        (["--verdict", "edit", "--set", f"{SMALL}.currency=EUR"], "amount_minor may"),
        (["--verdict", "edit", "--set", f"{SMALL}.amount_minor=1e3"], "whole number"),
        (["--verdict", "edit", "--set", f"{SMALL}.amount_minor=4901"], "at most 4900"),
        (["--verdict", "edit", "--drop", "nothing"], LARGE),
        (["--verdict", "agree"], "approve"),
    ],
)
async def test_wrong_options_say_what_fits(
    desk: Desk, reviewer: Reviewer, options: list[str], says: str
) -> None:
    """Nothing is sent, and the message names what may be given."""
    run = await desk.pause()
    [approval] = await reviewer.listed()
    refused = await reviewer.decide(approval, *options)
    assert (refused.exit_code, says in " ".join(refused.stderr.split())) == (2, True)
    assert (await desk.approval(run)).status == "pending"


async def test_rules_are_those_of_the_api(desk: Desk, reviewer: Reviewer) -> None:
    """Scope, limit, the starter's own run: the API refuses, and the command says what to do."""
    run = await desk.pause()
    [approval] = await reviewer.listed()
    starter = await holder(desk, reviewer, "runs:read")
    reader = await starter.decide(approval, "--verdict", "approve")
    assert (reader.exit_code, "--scope approvals:decide" in reader.stderr) == (1, True)
    small = await holder(desk, reviewer, "approvals:decide", USD=100)
    limited = await small.decide(approval, "--verdict", "approve")
    assert (limited.exit_code, "over-limit" in limited.stderr) == (1, True)
    stranger = Reviewer(reviewer.database_url, reviewer.api, "dg_000000000000_x")
    unknown = await stranger.decide(approval, "--verdict", "approve")
    assert (unknown.exit_code, "DESKGRAPH_API_KEY" in unknown.stderr) == (1, True)
    assert await desk.decisions(await desk.approval(run)) == []


async def test_first_of_two_reads_that_another_must_agree(desk: Desk, reviewer: Reviewer) -> None:
    """One yes leaves the approval open; that of another key closes it."""
    await desk.pause(required_approvers=2)
    [approval] = await reviewer.listed()
    first = await reviewer.decide(approval, "--verdict", "approve")
    assert (first.exit_code, "Another one decides" in first.stdout) == (0, True)
    [approval] = await reviewer.listed()
    assert "1 of 2" in (await reviewer.type("list")).stdout
    second = await holder(desk, reviewer, "approvals:decide")
    last = await second.decide(approval, "--verdict", "approve", "--json")
    answer = json.loads(last.stdout)
    assert (answer["approval_status"], answer["agreed"]) == ("approved", 2)


async def test_beginning_of_an_id_is_enough(desk: Desk, reviewer: Reviewer) -> None:
    """Where it names one approval that waits; else all it could mean are named."""
    runs: list[Run] = [await desk.pause(ticket=ticket) for ticket in ("T-1", "T-2")]
    one, other = await reviewer.listed()
    both = await reviewer.decide(one | {"id": one["id"][:8]}, "--verdict", "reject")
    assert both.exit_code == 1
    assert one["id"] in both.stderr
    assert other["id"] in both.stderr
    done = await reviewer.decide(one | {"id": one["id"][:-2]}, "--verdict", "reject")
    assert (done.exit_code, "rejected" in done.stdout) == (0, True)
    none = await reviewer.decide(one | {"id": "00000000"}, "--verdict", "reject")
    assert (none.exit_code, "approvals list" in none.stderr) == (1, True)
    assert len(runs) == 2


async def test_key_comes_from_a_file_or_the_environment_only(
    desk: Desk, reviewer: Reviewer, tmp_path: Path
) -> None:
    """No option takes the key, since arguments are shown in the list of processes."""
    await desk.pause()
    file = tmp_path / "key"
    file.write_text(f"{reviewer.key}\n")
    at = ("--url", reviewer.api)
    read = await deskgraph(
        reviewer.database_url, "approvals", "list", *at, "--api-key-file", str(file), "--json",
        DESKGRAPH_API_KEY="dg_wrong_one",
    )  # fmt: skip
    assert (read.exit_code, len(read.stdout.splitlines())) == (0, 1)
    env = {"DESKGRAPH_DATA_DIR": str(tmp_path)}
    without = await deskgraph(reviewer.database_url, "approvals", "list", *at, **env)
    assert (without.exit_code, "DESKGRAPH_API_KEY" in without.stderr) == (1, True)
    file.write_text("password")
    wrong = await deskgraph(
        reviewer.database_url, "approvals", "list", *at, "--api-key-file", str(file)
    )
    assert (wrong.exit_code, "keys create" in wrong.stderr) == (1, True)
    assert "password" not in wrong.output


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nowhere", "http://[::1"])
async def test_api_that_is_away_is_named(database_url: str, url: str) -> None:
    """The address that was tried, and the option that names another one."""
    env = {"DESKGRAPH_API_KEY": "dg_a_b"}
    found = await deskgraph(database_url, "approvals", "list", "--url", url, **env)
    assert (found.exit_code, url in found.stderr, "--url" in found.stderr) == (1, True, True)


async def test_text_of_a_plan_is_inert(desk: Desk, reviewer: Reviewer) -> None:
    """Neither a terminal nor rich obeys what stands in a step."""
    plan: Any = [{**step(4900), "risk": "\x1b[2Jmoves [bold]nothing[/] \u202e"}]
    await desk.pause(steps=plan)
    listed = await reviewer.type("list")
    assert r"\x1b[2Jmoves [bold]nothing[/] \u202e" in listed.stdout
    printed = await reviewer.type("list", "--json")
    assert not set("\x1b\u202e") & set(printed.stdout)
