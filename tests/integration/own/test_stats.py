"""The statistics: exact, the same from rows and from rolled up hours; each leads to its runs."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text, update

from app.db.core.connections import Sessions
from app.db.figures import rollup
from app.db.figures.facts import ROLLED_UP
from app.db.figures.queries import rolled_up_to
from app.db.runs import retention
from app.db.tables.figures import HourlyFigure
from app.db.tables.runs import Step
from app.execution.wiring import Service
from app.worker.figures import roll_up
from tests.conftest import Tenant, make_tenant
from tests.integration.figures import History
from tests.integration.place import client

pytestmark = pytest.mark.no_articles
NOW = datetime.now(UTC)
NODES = ("classify", "billing", "respond")


@pytest.fixture
def history(sessions: Sessions, tenant: Tenant) -> History:
    """Of one tenant."""
    return History(sessions, tenant)


@pytest.fixture
async def api(service: Service, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """A caller with a key of the tenant."""
    async with client(service, tenant.starter) as speaks:
        yield speaks


async def read(api: httpx.AsyncClient, path: str) -> Any:
    """A good answer."""
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def without_times(found: Any) -> Any:
    """The figures alone: windows end at the time of the call."""
    if isinstance(found, list):
        return [without_times(item) for item in found]
    if not isinstance(found, dict):
        return found
    times = ("since", "until", "before_since")
    return {
        name: without_times(value)
        for name, value in found.items()
        if name not in times and not (name == "runs" and isinstance(value, str))
    }


async def a_busy_month(history: History) -> None:
    """Runs over 40 days with steps, calls and decisions of every kind; always the same ones."""
    chance = random.Random(7)  # noqa: S311  # no secret
    for _ in range(120):
        # None at the edge of a window, which moves on while a test runs.
        at = NOW - timedelta(hours=chance.randrange(40 * 24) + 0.5)
        outcome = chance.choice(["answered", "acted", "escalated", "ignored"])
        hit = {"cache_hit": True} if chance.random() < 0.2 else {}
        run_id = await history.run(at, outcome=outcome, result=hit)
        for node in NODES:
            bad = chance.random() < 0.1
            error = {"type": chance.choice(["TimeoutError", "KeyError"]), "message": "m"}
            took = chance.randrange(1, 3000)
            failed = {"status": "error", "error": error} if bad else {}
            await history.step(run_id, at, node=node, duration_ms=took, **failed)
            reason = {"fallback": True, "reason": "circuit_open"} if bad else {}
            await history.call(run_id, at, node=node, duration_ms=took, **reason)


async def test_rolled_up_hours_give_the_same_figures(
    sessions: Sessions, history: History, api: httpx.AsyncClient
) -> None:
    """Of every subject and window; rolling up again, whole or in part, changes nothing."""
    await a_busy_month(history)
    paths = [
        f"/v1/stats/{subject}?window={window}"
        for subject in ("nodes", "models", "runs", "answers", "approvals", "connections")
        for window in ("1h", "24h", "7d", "30d")
    ]
    before = [without_times(await read(api, path)) for path in paths]
    assert before[3]["total"]["attempts"] > 100
    await roll_up(sessions)
    async with sessions() as session:
        done = [await rolled_up_to(session, history.tenant.id, name) for name in ROLLED_UP]
        hours = select(func.count()).where(HourlyFigure.tenant_id == history.tenant.id)
        assert await session.scalar(hours)
    assert all(upto and NOW - upto < timedelta(hours=2) for upto in done)
    assert [without_times(await read(api, path)) for path in paths] == before
    async with sessions.begin() as session:
        earlier = {"tenant": history.tenant.id, "back": NOW - timedelta(days=9)}
        await session.execute(
            text("UPDATE figures_rolled_up SET upto = :back WHERE tenant_id = :tenant"), earlier
        )
    await roll_up(sessions)
    assert [without_times(await read(api, path)) for path in paths] == before


async def test_percentiles_are_those_of_postgres(
    sessions: Sessions, history: History, api: httpx.AsyncClient
) -> None:
    """The nearest rank, also over hours that were rolled up apart."""
    await a_busy_month(history)
    await roll_up(sessions)
    found = (await read(api, "/v1/stats/nodes?window=30d"))["nodes"]
    query = text(
        "SELECT node, percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms)"
        " FROM steps WHERE tenant_id = :tenant AND started_at > now() - interval '30 days'"
        " GROUP BY node ORDER BY node"
    )
    async with sessions() as session:
        expected = [
            (node, *values)
            for node, values in await session.execute(query, {"tenant": history.tenant.id})
        ]
    names = ("p50_ms", "p95_ms", "p99_ms")
    assert [(row["node"], *(row["took"][name] for name in names)) for row in found] == expected


async def test_hour_of_a_running_step_is_not_rolled_up(
    sessions: Sessions, history: History
) -> None:
    """It ends later and belongs to the hour it began in; the hours before it are rolled up."""
    at = NOW - timedelta(hours=5)
    run_id = await history.run(at)
    await history.step(run_id, at, status="running", duration_ms=None)
    await roll_up(sessions)
    async with sessions() as session:
        upto = await rolled_up_to(session, history.tenant.id, "nodes")
    assert upto == at.replace(minute=0, second=0, microsecond=0)


async def test_problems_name_a_run_and_lead_to_all(
    history: History, api: httpx.AsyncClient
) -> None:
    """The list behind each number holds the sample, and no run without the problem."""
    at = NOW - timedelta(minutes=20)
    good = await history.run(at)
    await history.step(good, at)
    await history.call(good, at)
    bad = await history.run(
        at, status="error", outcome=None, error={"type": "KeyError", "message": "m"}, losses=1,
        result={"verdicts": [{"supported": False}]},
    )  # fmt: skip
    await history.step(bad, at, status="error", error={"type": "KeyError", "message": "m"})
    await history.call(bad, at, error="APITimeoutError", answered=None)
    await history.call(bad, at, fallback=True, reason="circuit_open", answered="gpt-5-mini")
    nodes = (await read(api, "/v1/stats/nodes?window=1h"))["total"]
    models = (await read(api, "/v1/stats/models?window=1h"))["total"]
    runs = (await read(api, "/v1/stats/runs?window=1h"))["total"]
    marks = [mark for mark in runs["marks"] if mark["count"]]
    problems = [*nodes["errors"], *models["errors"], *models["fallbacks"], *runs["errors"], *marks]
    assert [problem["kind"] for problem in problems] == [
        "KeyError", "APITimeoutError", "circuit_open", "KeyError", "refused", "lost",
    ]  # fmt: skip
    for problem in problems:
        listed = await read(api, problem["runs"])
        assert [run["id"] for run in listed["items"]] == [problem["run_id"]] == [str(bad)]
    assert (nodes["attempts"], nodes["failed"], nodes["success_rate"]) == (2, 1, 0.5)
    assert (models["calls"], models["failed"]) == (3, 1)
    dear = await read(api, "/v1/runs?cost_from=0.0011")
    assert dear["items"] == []


async def test_shares_of_answers_and_what_opened_again(
    history: History, api: httpx.AsyncClient
) -> None:
    """A question after an answer opens the ticket again; thanks, and other tickets, do not."""
    at = NOW - timedelta(minutes=30)
    await history.run(at, ticket_id="T-1")
    later = at + timedelta(minutes=5)
    again = await history.run(later, ticket_id="T-1", outcome="escalated")
    await history.run(at, ticket_id="T-2", outcome="acted")
    await history.run(later, ticket_id="T-2", outcome="ignored")
    await history.run(later, replay_of=again)
    found = (await read(api, "/v1/stats/answers?window=1h"))["total"]
    shares = {share["kind"]: share["share"] for share in found["outcomes"]}
    assert found["runs"] == 4
    assert shares["answered"] == shares["acted"] == shares["escalated"] == 0.25
    assert (found["reopened"]["count"], found["reopened"]["run_id"]) == (1, str(again))
    listed = await read(api, found["reopened"]["runs"])
    assert [run["id"] for run in listed["items"]] == [str(again)]


async def test_three_times_of_a_run(history: History, api: httpx.AsyncClient) -> None:
    """From arrival to the first start, with people, and the rest."""
    at = NOW - timedelta(minutes=1)
    run_id = await history.run(
        at,
        created_at=at - timedelta(seconds=100),
        started_at=at - timedelta(seconds=90),
        finished_at=at,
    )
    await history.approval(run_id, at - timedelta(seconds=80), waited=60)
    found = (await read(api, "/v1/stats/runs?window=1h"))["total"]
    times = [found[name]["p50_ms"] for name in ("queue", "human", "active", "took")]
    assert times == [10_000, 60_000, 30_000, 100_000]


async def test_decisions_too_fast_to_be_read(history: History, api: httpx.AsyncClient) -> None:
    """Within three seconds of the question, or of the same person's last decision."""
    at = NOW - timedelta(minutes=30)
    run_id = await history.run(at)
    slow = await read(api, "/v1/stats/approvals?window=1h")
    assert slow["total"]["rubber_stamp"] is False
    for number in range(10):
        asked = at + timedelta(seconds=10 * number)
        await history.approval(run_id, asked, waited=2 if number < 2 else 8)
    # Asked long before, and decided one second after the last one.
    await history.approval(run_id, at, waited=99)
    found = (await read(api, "/v1/stats/approvals?window=1h"))["total"]
    assert (found["ended"], found["decisions"], found["fast"]["count"]) == (11, 11, 3)
    assert found["rubber_stamp"] is True
    listed = await read(api, found["fast"]["runs"])
    assert [run["id"] for run in listed["items"]] == [str(run_id)]


async def test_figures_are_a_tenants_own(
    history: History, api: httpx.AsyncClient, sessions: Sessions
) -> None:
    """Nothing of another tenant counts, whatever is rolled up."""
    async with sessions.begin() as session:
        others = History(sessions, await make_tenant(session, articles=False))
    for at in (NOW - timedelta(minutes=1), NOW - timedelta(days=2)):
        for whose in (history, others, others):
            run_id = await whose.run(at)
            await whose.step(run_id, at)
    await roll_up(sessions)
    assert (await read(api, "/v1/stats/nodes?window=7d"))["total"]["attempts"] == 2
    assert (await read(api, "/v1/stats/nodes?window=1h"))["total"]["attempts"] == 1


async def test_old_calls_and_figures_are_pruned(sessions: Sessions, history: History) -> None:
    """Calls of finished runs, and hours, as long ago as the policy says."""
    old, new = NOW - timedelta(days=50), NOW - timedelta(days=1)
    for at in (old, new):
        run_id = await history.run(at)
        await history.call(run_id, at)
    await roll_up(sessions)
    async with sessions.begin() as session:
        tenant = history.tenant.id
        assert await retention.delete_model_calls(session, tenant, 30, 10) == 1
        assert await retention.delete_model_calls(session, tenant, 30, 10) == 0
        assert await retention.delete_figures(session, tenant, 30, 10) >= 1
        left = await session.scalars(
            select(HourlyFigure.hour).where(HourlyFigure.tenant_id == tenant)
        )
        assert all(hour > NOW - timedelta(days=31) for hour in left)


async def test_only_one_worker_rolls_up(sessions: Sessions, history: History) -> None:
    """The other one goes on without waiting."""
    await history.run(NOW - timedelta(days=1))
    async with sessions.begin() as session:
        assert await rollup.alone(session)
        assert await roll_up(sessions) == 0


async def test_removed_rows_leave_rolled_up_figures(
    sessions: Sessions, history: History, api: httpx.AsyncClient
) -> None:
    """What a step came to stays in the figures when an erasure takes its words."""
    at = NOW - timedelta(days=2)
    run_id = await history.run(at)
    await history.step(run_id, at)
    await roll_up(sessions)
    async with sessions.begin() as session:
        await session.execute(update(Step).where(Step.run_id == run_id).values(node="other"))
    [node] = (await read(api, "/v1/stats/nodes?window=7d"))["nodes"]
    assert node["node"] == "billing"
