"""A step's row holds of its input what the rows before do not; what is read is all of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import select

from app.db.tables.runs import Run, Step
from app.execution.wiring import Graph, Service
from tests.conftest import Tenant
from tests.integration.workplace import TWICE, Workplace

TWO_THINGS = f"{TWICE}. Also my upload fails with error E42, how do I fix it?"


@dataclass(eq=False)
class WatchedGraph:
    """The service's graph, and what each of its nodes was given."""

    inner: Any
    given: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        """All else is the graph's own."""
        return getattr(self.inner, name)

    async def astream(self, *given: Any, **options: Any) -> AsyncIterator[Any]:
        """Note what goes by."""
        async for mode, chunk in self.inner.astream(*given, **options):
            if mode == "tasks" and "triggers" in chunk:
                self.given[chunk["id"]] = json.loads(json.dumps(chunk["input"]))
            yield mode, chunk


def watched(service: Service, tenant: Tenant) -> tuple[Workplace, dict[str, Any]]:
    """A place to work in, and what its nodes will have been given, by task."""
    graph = WatchedGraph(service.graph)
    return Workplace(replace(service, graph=cast("Graph", graph)), tenant), graph.given


async def nodes_of(place: Workplace, run: Run, given: dict[str, Any]) -> list[str]:
    """The run's nodes in order, once each is shown with what it was given."""
    steps = await place.steps(run)
    for step in steps:
        assert step.input == given[step.task_id], step.node
    return [step.node for step in steps]


async def test_every_step_shows_what_its_node_was_given(service: Service, tenant: Tenant) -> None:
    """Two specialists at once, a gate, a wish, effects: also after the run went on."""
    place, given = watched(service, tenant)
    run = await place.advance(await place.start(TWO_THINGS))
    assert run.status == "interrupted"
    run = await place.decide(run, "respond", "Please refund the older one.")
    run = await place.decide(run)
    assert (run.status, run.outcome) == ("success", "acted")
    nodes = await nodes_of(place, run, given)
    assert {"billing", "technical", "approve", "act", "send"} <= set(nodes)
    assert nodes.count("classify") == 2


async def test_rehearsal_shows_its_inputs(service: Service, tenant: Tenant) -> None:
    """It answers its own gate, and goes on in the same attempt."""
    place, given = watched(service, tenant)
    run = await place.advance(await place.start())
    again = await place.replay(run, "plan", dry_run=True)
    assert "approve" in await nodes_of(place, again, given)


async def test_row_repeats_neither_an_input_nor_an_output(service: Service, tenant: Tenant) -> None:
    """What a specialist found is in its own row, and not in that of the node after it."""
    place = Workplace(service, tenant)
    run = await place.advance(await place.start("My upload fails with error E42. How do I fix it?"))
    async with service.sessions() as session:
        query = select(Step.input).where(Step.run_id == run.id, Step.node == "plan")
        stored = await session.scalar(query)
    assert not {"ticket", "questions", "findings"} & set(stored or {})
