"""What takes too long ends as `timeout` or with a person, and what was done stays visible."""

import asyncio
from dataclasses import replace

import pytest

from app.api.views import show_run
from app.lifecycle import RunStatus
from app.wiring import Service
from graphs.state import SupportState
from graphs.support import build_support_graph
from tests.conftest import Tenant
from tests.integration.workplace import Workplace
from tools.models import JsonObject


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


async def endless(state: SupportState) -> JsonObject:
    """A node without an end and without a time limit."""
    await asyncio.Event().wait()
    return {}


def with_endless_check(place: Workplace) -> Workplace:
    """The same place, where checking a draft never ends and an execution may take a second."""
    builder = build_support_graph()
    del builder.nodes["check"]
    builder.add_node("check", endless)
    graph = builder.compile(checkpointer=place.service.saver, name="support")
    settings = place.service.settings.model_copy(update={"run_timeout_seconds": 1.0})
    return Workplace(replace(place.service, graph=graph, settings=settings), place.tenant)


async def test_timeout_of_a_run_shows_what_was_done(place: Workplace) -> None:
    """The refund is an effect of the run, the reply was never sent, and the thread is free."""
    paused = await place.advance(await place.start())
    ended = await with_endless_check(place).decide(paused)
    assert (ended.status, ended.outcome) == (RunStatus.TIMEOUT, None)
    assert ended.error == {"type": "timeout", "message": "The run took too long."}
    async with place.service.sessions() as session:
        shown = await show_run(session, ended, place.service.settings)
    assert [effect.tool for effect in shown.effects] == ["refund_payment"]
    assert (await place.steps(ended))[-1].status == "error", "the step that did not end"
    assert (await place.advance(await place.start("Thank you"))).status is not RunStatus.PENDING
