"""Only the attempt that holds a run writes its checkpoints; a run that lost it ends quietly."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.types import ERROR
from sqlalchemy import text

from app.db.runs import queries as run_queries
from app.db.runs import transitions, workers
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.execution import finish
from app.execution.wiring import Graph, Service
from app.lifecycle import RunStatus
from app.worker.heartbeat import recover_orphans
from tests.conftest import Tenant
from tests.integration.claims import claim_one
from tests.integration.workplace import Workplace
from tools.errors import RunLostError

pytestmark = pytest.mark.no_articles


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


async def claimed(place: Workplace, worker: int, **wanted: Any) -> Run:
    """A run that the worker holds."""
    run = await place.start(**wanted)
    async with place.service.sessions.begin() as session:
        held = await claim_one(session, run.id, worker)
    assert held is not None
    return held


async def test_lost_attempt_fails_alone_in_a_shared_commit(place: Workplace) -> None:
    """Ten runs write at once, one of them is another attempt's: the other nine are durable."""
    held = [await claimed(place, 805, ticket=f"T-{n}", customer=f"c-{n}") for n in range(10)]
    lost = held[4]
    async with place.service.sessions.begin() as session:
        assert await transitions.settle(session, lost.id, lost.attempt, Ending(RunStatus.PENDING))
    saver = place.service.saver

    async def put(run: Run) -> object:
        thread = {"thread_id": str(run.thread_id), "checkpoint_ns": ""}
        owner = {"run_id": str(run.id), "attempt": run.attempt}
        config: Any = {"configurable": thread, "metadata": owner}
        return await saver.aput(config, empty_checkpoint(), {}, {})

    ends = await asyncio.gather(*map(put, held), return_exceptions=True)
    assert [run for run, end in zip(held, ends, strict=True) if isinstance(end, Exception)] == [
        lost
    ]
    assert isinstance(ends[4], RunLostError)


async def test_checkpoint_of_a_lost_attempt_is_refused_whole(
    place: Workplace,
) -> None:
    """Neither the checkpoint nor a write of it is there afterwards."""
    run, saver = await claimed(place, 801), place.service.saver
    thread = {"thread_id": str(run.thread_id), "checkpoint_ns": ""}
    owner = {"run_id": str(run.id), "attempt": run.attempt}
    first = empty_checkpoint()
    config = await saver.aput({"configurable": thread, "metadata": owner}, first, {}, {})
    async with place.service.sessions.begin() as session:
        assert await transitions.settle(session, run.id, run.attempt, Ending(RunStatus.PENDING))
    late = {**empty_checkpoint(), "channel_values": {"ticket": {"a": 1}}}
    with pytest.raises(RunLostError):
        await saver.aput({"configurable": thread, "metadata": owner}, late, {}, {"ticket": "1"})  # type: ignore[arg-type]
    with pytest.raises(RunLostError):
        await saver.aput_writes({**config, "metadata": owner}, [(ERROR, "x")], "task")
    kept = await saver.aget_tuple({"configurable": thread})
    assert kept is not None
    assert (kept.checkpoint["id"], kept.pending_writes) == (first["id"], [])
    async with place.service.sessions() as session:
        blobs = text("SELECT count(*) FROM checkpoint_blobs WHERE thread_id = :thread")
        assert await session.scalar(blobs, {"thread": thread["thread_id"]}) == 0


@dataclass(eq=False)
class HeldGraph:
    """The service's graph; each execution waits for a gate of its own before it begins."""

    inner: Any
    gates: list[asyncio.Event]
    arrived: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        """All else is the graph's own."""
        return getattr(self.inner, name)

    async def astream(self, *given: Any, **options: Any) -> AsyncIterator[Any]:
        """Wait, then begin."""
        self.arrived.append(given)
        await self.gates[len(self.arrived) - 1].wait()
        async for item in self.inner.astream(*given, **options):
            yield item

    async def until_arrived(self, executions: int) -> None:
        """So many have begun."""
        while len(self.arrived) < executions:  # noqa: ASYNC110  # no event to wait for
            await asyncio.sleep(0.01)


async def test_lost_attempt_that_ends_late_leaves_the_next_one_of_its_worker_alone(
    place: Workplace,
) -> None:
    """The same worker has the run again: the older one's end does not take it away."""
    graph = HeldGraph(place.service.graph, [asyncio.Event(), asyncio.Event()])
    service = replace(place.service, graph=cast("Graph", graph))
    runner, run = Workplace(service, place.tenant).runner(804), await place.start()
    older = asyncio.create_task(runner.advance(run.id))
    await graph.until_arrived(1)
    async with place.service.sessions.begin() as session:
        held = await run_queries.get_run(session, run.tenant_id, run.id, lock=True)
        assert held is not None
        await finish.bring_back(session, enqueue_run, held, max_losses=5)
    newer = asyncio.create_task(runner.advance(run.id))
    await graph.until_arrived(2)
    graph.gates[0].set()
    await older
    assert runner.active[run.id].attempt == held.attempt + 1, "a cancel still finds it"
    graph.gates[1].set()
    await newer
    assert (await place.run(run.id)).status is RunStatus.INTERRUPTED


async def test_worker_is_missed_only_when_its_lease_is_over(place: Workplace) -> None:
    """While the lock is held elsewhere, a fresh lease keeps its runs; an old one does not."""
    run, worker = await claimed(place, 802), 802
    async with (
        place.service.sessions() as frozen,
        place.service.sessions.raw_connection() as liveness,
    ):
        await frozen.execute(text("SELECT pg_advisory_lock(:id)"), {"id": worker})
        async with place.service.sessions.begin() as session:
            await workers.renew(session, worker)
        await recover_orphans(place.runner(803), liveness)
        assert (await place.run(run.id)).worker_id == worker
        async with place.service.sessions.begin() as session:
            old = text("UPDATE workers SET beat_at = now() - interval '26 seconds' WHERE id = :id")
            await session.execute(old, {"id": worker})
        await recover_orphans(place.runner(803), liveness)
        taken = await place.run(run.id)
        assert (taken.status, taken.worker_id, taken.losses) == (RunStatus.PENDING, None, 1)
        await frozen.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": worker})
