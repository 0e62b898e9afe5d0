"""A run outlives a change of its graph, or goes to a person; it never loops."""

from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import text

from app.db.tables.runs import Run
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from graphs.nodes.approve import approve
from graphs.run.compatibility import graph_version
from graphs.support import build_support_graph, by_decision
from tests.conftest import Tenant
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles

GONE = object()


def without_gone(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields but those that are gone."""
    return {name: value for name, value in fields.items() if value is not GONE}


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


def with_older_gate(place: Workplace) -> Workplace:
    """The same place when the gate was another node, `consent`."""
    builder = build_support_graph()
    builder.add_node("consent", approve)
    builder.add_conditional_edges("consent", by_decision)
    del builder.branches["plan"]
    builder.add_edge("plan", "consent")
    graph = builder.compile(checkpointer=place.service.saver, name="support")
    service = replace(place.service, graph=graph, graph_version=graph_version(graph))
    return Workplace(service, place.tenant)


async def test_run_whose_next_node_is_gone_goes_to_a_person(place: Workplace) -> None:
    """An approved plan of the older graph is not carried out: a person reads why, once."""
    older = with_older_gate(place)
    paused = await older.advance(await older.start())
    assert (await older.steps(paused))[-1].node == "consent"
    assert paused.graph_version != place.service.graph_version
    done = await place.decide(paused)
    assert (done.status, done.outcome) == (RunStatus.SUCCESS, "escalated"), done.error
    assert done.result["escalation"]["reason"] == "graph_changed"
    assert "consent" in done.result["escalation"]["detail"]
    assert await place.count("sandbox_refunds") == 0
    assert await place.count("handoffs") == 1
    assert done.graph_version == older.service.graph_version, "what it began with"


async def test_paused_run_of_an_older_state_goes_on(place: Workplace) -> None:
    """Keys that the older graph did not know get their defaults, and the answer still fits."""
    paused = await place.advance(await place.start())
    await make_older(place, paused, "guidance", "round", "drafts", "tier")
    done = await place.decide(await place.run(paused.id))
    assert (done.status, done.outcome) == (RunStatus.SUCCESS, "acted"), done.error


async def test_run_without_a_ticket_goes_to_a_person(place: Workplace) -> None:
    """What cannot be made up is not made up."""
    paused = await place.advance(await place.start())
    await make_older(place, paused, "ticket")
    done = await place.decide(await place.run(paused.id))
    assert (done.status, done.outcome) == (RunStatus.SUCCESS, "escalated"), done.error
    assert done.result["escalation"]["reason"] == "graph_changed"


@pytest.mark.parametrize(
    ("key", "changed", "wrong"),
    [
        ("plan", {"changed": GONE}, "plan.changed: Field required"),
        ("plan", {"steps": GONE}, "plan.steps: Field required"),
        ("triage", {"anger": "high"}, "triage.anger: Input should be a valid number"),
        ("ticket", {"body": None}, "ticket.body: Input should be a valid string"),
        ("findings", {"billing": {"steps": []}}, "findings.billing.passages: Field required"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_run_whose_state_has_another_shape_goes_to_a_person(
    place: Workplace, key: str, changed: Any, wrong: str
) -> None:
    """Deep in a plan or a finding as well: nothing is guessed, nothing is done, it ends once."""
    paused = await place.advance(await place.start())
    await make_older(place, paused, **{key: changed})
    done = await place.decide(await place.run(paused.id))
    assert (done.status, done.outcome) == (RunStatus.SUCCESS, "escalated"), done.error
    assert done.result["escalation"]["reason"] == "graph_changed"
    assert wrong in done.result["escalation"]["detail"]
    assert (await place.count("sandbox_refunds"), await place.count("handoffs")) == (0, 1)


async def test_paused_run_of_the_same_shape_goes_on(place: Workplace) -> None:
    """Another graph wrote it, but every value is what is expected here."""
    paused = await place.advance(await place.start())
    await make_older(place, paused)
    done = await place.decide(await place.run(paused.id))
    assert (done.status, done.outcome) == (RunStatus.SUCCESS, "acted"), done.error


async def test_same_graph_has_the_same_version(place: Workplace) -> None:
    """Compiled again, or with another name, it is no other graph."""
    again = build_support_graph().compile(name="other")
    assert graph_version(again) == place.service.graph_version


async def make_older(place: Workplace, run: Run, *forgotten: str, **changed: Any) -> None:
    """Let another graph have written the run's last checkpoint: without keys, or with others."""
    saver = place.service.saver
    where = {"configurable": {"thread_id": str(run.thread_id), "checkpoint_ns": ""}}
    stored = await saver.aget_tuple(cast("Any", where))
    assert stored is not None
    assert stored.parent_config is not None
    values = stored.checkpoint["channel_values"]
    versions = stored.checkpoint["channel_versions"]
    other = {key: without_gone({**values[key], **fields}) for key, fields in changed.items()}
    newer = {
        key: saver.get_next_version(cast("Any", max(versions.values())), None) for key in other
    }
    left = {
        **stored.checkpoint,
        "channel_values": {k: v for k, v in (values | other).items() if k not in forgotten},
        "channel_versions": {k: v for k, v in (versions | newer).items() if k not in forgotten},
    }
    await saver.aput(stored.parent_config, cast("Any", left), stored.metadata, cast("Any", newer))
    async with place.service.sessions.begin() as session:
        change = text("UPDATE runs SET graph_version = 'older' WHERE id = :run")
        await session.execute(change, {"run": run.id})
