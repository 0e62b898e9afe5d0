"""A trained triage is held to what people decide: a drop is logged, counted and shown."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, update
from structlog.testing import capture_logs

from app.db.core.connections import Sessions
from app.db.tables.runs import Run
from app.db.tenants.triage_models import activate, add_model, count_dropped
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.services.conversations.feedback import Rating, rate
from app.services.tenants.triage_watch import Watch, watch_of
from app.worker.triage_watch import watch
from graphs.trained.figures import TELLING
from tests.conftest import Tenant
from tests.integration.api import serving_api
from tests.integration.command_line import deskgraph
from tests.integration.conftest import Begin
from tests.tls import TLS

pytestmark = pytest.mark.no_articles

MEASURED = 0.98


class Desk:
    """A tenant whose model triages tickets, and its people, who agree or correct."""

    def __init__(self, sessions: Sessions, tenant: Tenant, begin: Begin) -> None:
        self.sessions, self.tenant, self.begin = sessions, tenant, begin
        self.tickets = 0

    async def train(self) -> int:
        """A model that counts; its weights are not read here."""
        values = {"weights": b"", "threshold": 0.9, "figures": {"all": {}}, "source": "file"}
        async with self.sessions.begin() as session:
            version = await add_model(session, self.tenant.id, values)
            await activate(session, self.tenant.id, version)
        return version

    async def triaged(self, *, routed: bool = True, version: int = 1) -> tuple[UUID, str]:
        """A ticket that was answered after the model chose its intent."""
        self.tickets += 1
        trained = {
            "version": version, "intent": "technical", "accuracy": MEASURED, "routed": routed,
        }  # fmt: skip
        result = {"triage": {"intents": ["technical"], "trained": trained}}
        ended = {"outcome": "answered", "status": RunStatus.SUCCESS, "finished_at": func.now()}
        ticket = f"T-{self.tickets}"
        caller = await self.begin(f"cus_{self.tickets}", ticket, result=result, **ended)
        return caller.run_id, ticket

    async def agree(self, **said: Any) -> None:
        """A customer rates the answer of such a ticket well."""
        _, ticket = await self.triaged(**said)
        async with self.sessions.begin() as session:
            await rate(session, self.tenant.id, "Uma", Rating(ticket, "stars", 5, ""))

    async def correct(self, **said: Any) -> None:
        """A person replays such a ticket with another intent."""
        first, ticket = await self.triaged(**said)
        again = await self.begin("cus_again", f"{ticket}-again")
        replayed = {
            "replay_of": first,
            "replay_from": {"state": {"triage": {"intents": ["billing"]}}},
        }
        async with self.sessions.begin() as session:
            await session.execute(update(Run).where(Run.id == again.run_id).values(**replayed))

    async def watch(self, version: int = 1) -> Watch:
        """How the model does by now."""
        async with self.sessions() as session:
            return await watch_of(session, self.tenant.id, version)


@pytest.fixture
async def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """With a model, and nothing decided."""
    desk = Desk(sessions, tenant, begin)
    assert await desk.train() == 1
    return desk


async def test_what_people_decide_of_its_tickets_counts(desk: Desk) -> None:
    """Of this model's own choices; what no one judged, or another triaged, says nothing."""
    assert await desk.watch() == Watch(1, 0, 0, 0.0)
    await desk.agree()
    await desk.agree()
    await desk.correct()
    await desk.triaged()
    await desk.agree(routed=False)
    await desk.correct(version=2)
    found = await desk.watch()
    assert (found.decided, found.right) == (3, 2)
    assert found.measured == pytest.approx(MEASURED)
    assert not found.dropped, "three tickets prove nothing"


async def test_drop_is_logged_once_and_counted(
    desk: Desk, service: Service, sessions: Sessions, database_url: str
) -> None:
    """The log names the tenant, the metric counts it, and the command exits with 1."""
    for _ in range(3):
        await desk.correct()
    for _ in range(TELLING - 4):
        await desk.agree()
    assert desk.tenant.id not in await watch(sessions)
    words = ["train", "--tenant", desk.tenant.id, "--check"]
    few = await deskgraph(database_url, *words)
    assert (few.exit_code, f"{TELLING} are needed" in few.stdout) == (0, True), few.output
    before = await dropped_by_metrics(service)
    await desk.correct()
    with capture_logs() as logs:
        assert desk.tenant.id in await watch(sessions)
        assert desk.tenant.id not in await watch(sessions)
    mine = [line for line in logs if line.get("tenant_id") == desk.tenant.id]
    assert [line["event"] for line in mine] == ["trained_triage_dropped"]
    assert (mine[0]["decided"], mine[0]["right"]) == (TELLING, TELLING - 4)
    assert await dropped_by_metrics(service) == before + 1
    shown = await deskgraph(database_url, *words)
    assert (shown.exit_code, "That is a drop" in shown.stderr) == (1, True), shown.output
    for_scripts = await deskgraph(database_url, *words, "--json")
    assert json.loads(for_scripts.stdout)["dropped"] is True


async def test_model_that_is_as_good_as_measured_has_not_dropped(
    desk: Desk, sessions: Sessions
) -> None:
    """One correction among thirty is within chance of 98 in 100; a new model begins at zero."""
    for _ in range(29):
        await desk.agree()
    await desk.correct()
    assert (await desk.watch()).decided == 30
    assert desk.tenant.id not in await watch(sessions)
    version = await desk.train()
    assert (await desk.watch(version)).decided == 0
    async with sessions() as session:
        before = await count_dropped(session)
    assert desk.tenant.id not in await watch(sessions)
    async with sessions() as session:
        assert await count_dropped(session) == before


async def test_check_needs_a_tenant_and_a_model(database_url: str, tenant: Tenant) -> None:
    """Each is named; nothing is trained."""
    none = await deskgraph(database_url, "train", "--tenant", tenant.id, "--check")
    assert (none.exit_code, "has no trained model" in none.output) == (1, True)
    unknown = await deskgraph(database_url, "train", "--tenant", "acne", "--check")
    assert (unknown.exit_code, "no tenant 'acne'" in unknown.output) == (2, True)


async def dropped_by_metrics(service: Service) -> float:
    """The gauge as Prometheus reads it."""
    async with serving_api(service) as url, httpx.AsyncClient(base_url=url, verify=TLS) as client:
        text = (await client.get("/metrics")).text
    [line] = [m for m in text.splitlines() if m.startswith("deskgraph_trained_triage_dropped ")]
    return float(line.split()[1])
