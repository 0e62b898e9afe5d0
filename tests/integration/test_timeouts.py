"""What takes too long ends as `timeout` or with a person, and what was done stays visible."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.api.views.runs import show_run
from app.execution.run_error import timed_out
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.observability.step_log import FAILURE_HANDLER
from graphs.state import SupportState
from graphs.support import build_support_graph, node_failed
from tests.conftest import Tenant
from tests.integration.workplace import Workplace
from tools.models import JsonObject

pytestmark = pytest.mark.no_articles


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


async def endless(state: SupportState) -> JsonObject:
    """A node without an end and without a time limit."""
    await asyncio.Event().wait()
    return {}


def with_endless(place: Workplace, node: str, **limits: Any) -> Workplace:
    """The same place, where that node never ends; without limits of its own, the run has one."""
    builder = build_support_graph()
    del builder.nodes[node]
    builder.nodes.pop(f"{FAILURE_HANDLER}{node}", None)
    builder.add_node(node, endless, **limits)
    graph = builder.compile(checkpointer=place.service.saver, name="support")
    seconds = 60.0 if limits else 1.0
    settings = place.service.settings.model_copy(update={"run_timeout_seconds": seconds})
    return Workplace(replace(place.service, graph=graph, settings=settings), place.tenant)


async def test_timeout_of_a_run_shows_what_was_done(place: Workplace) -> None:
    """The refund is an effect of the run, the reply was never sent, and the thread is free."""
    paused = await place.advance(await place.start())
    endless_place = with_endless(place, "check")
    ended = await endless_place.decide(paused)
    while ended.status is RunStatus.PENDING:
        # On a slow machine half of the time is over before the endless node: it is handed back.
        ended = await endless_place.advance(ended)
    assert (ended.status, ended.outcome) == (RunStatus.TIMEOUT, None)
    assert ended.error == timed_out(1.0)
    async with place.service.sessions() as session:
        shown = await show_run(session, ended, place.service.settings)
    assert [effect.tool for effect in shown.effects] == ["refund_payment"]
    assert (await place.steps(ended))[-1].status == "error", "the step that did not end"
    assert (await place.advance(await place.start("Thank you"))).status is not RunStatus.PENDING


async def test_timeout_of_a_node_shows_on_its_step_and_brings_a_person(place: Workplace) -> None:
    """The refund stands, the draft that never came is a `timeout`, the ticket is handed over."""
    paused = await place.advance(await place.start())
    limits: Any = {"timeout": 0.2, "error_handler": node_failed, "destinations": ("escalate",)}
    ended = await with_endless(place, "respond", **limits).decide(paused)
    assert (ended.status, ended.outcome) == (RunStatus.SUCCESS, "escalated")
    async with place.service.sessions() as session:
        shown = await show_run(session, ended, place.service.settings)
    done = [effect.tool for effect in shown.effects]
    assert done == ["refund_payment", "create_handoff", "send_reply"]
    [drafting] = [step for step in await place.steps(ended) if step.node == "respond"]
    assert drafting.status == "error"
    assert (drafting.error or {})["type"] == "timeout"
