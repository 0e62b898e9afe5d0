"""A step whose writes were kept and whose checkpoint was not: the run goes on from there."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.runtime import RunControl
from sqlalchemy import text

from app.db.runs.steps import steps_of_run
from app.db.tables.runs import Run
from app.execution.execute import execute
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from graphs.support import build_support_graph
from tests.integration.conftest import Begin
from tools.ports import Caller

pytestmark = pytest.mark.no_articles


class CutSaver(AsyncPostgresSaver):
    """Loses its database after so many checkpoints."""

    left: int

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        """See AsyncPostgresSaver."""
        self.left -= 1
        if self.left < 0:
            raise psycopg.OperationalError("the server closed the connection")
        return await super().aput(*args, **kwargs)


def cut_after(service: Service, checkpoints: int) -> Service:
    """The same service with such a saver."""
    whole = service.graph.checkpointer
    assert isinstance(whole, AsyncPostgresSaver)
    saver = CutSaver(whole.conn)
    saver.left = checkpoints
    return replace(service, graph=build_support_graph().compile(checkpointer=saver))


async def attempt(service: Service, caller: Caller, number: int) -> Run:
    """The run, in the hands of that attempt."""
    async with service.sessions.begin() as session:
        run = await session.get_one(Run, caller.run_id)
        run.attempt = number
    return run


@pytest.mark.parametrize("kept", range(5))
async def test_run_cut_between_a_step_and_its_checkpoint_still_ends_with_its_reply(
    service: Service, begin: Begin, kept: int
) -> None:
    """However many checkpoints there were, the next execution does what is left, not nothing."""
    caller = await begin(ticket=f"T-{kept}")
    with pytest.raises(psycopg.OperationalError):
        await execute(cut_after(service, kept), await attempt(service, caller, 1), RunControl())

    ending = await execute(service, await attempt(service, caller, 2), RunControl())
    assert ending.status is RunStatus.SUCCESS
    assert ending.outcome == "escalated"
    assert ending.result is not None
    assert ending.result["reply"]["text"]
    async with service.sessions() as session:
        steps = await steps_of_run(session, caller.tenant_id, caller.run_id)
    assert {step.status for step in steps if step.attempt == 2} == {"success"}


async def test_each_step_shows_the_whole_state_although_its_row_holds_what_is_new(
    service: Service, begin: Begin
) -> None:
    """The ticket is stored with the first step alone, and stands in the input of every one."""
    caller = await begin(ticket="T-whole")
    await execute(service, await attempt(service, caller, 1), RunControl())
    stored = text("SELECT count(*) FROM steps WHERE run_id = :run AND input ? 'ticket'")
    async with service.sessions() as session:
        steps = await steps_of_run(session, caller.tenant_id, caller.run_id)
        holding = await session.scalar(stored, {"run": caller.run_id})
        # What is shown is no change of the rows.
        assert not session.dirty
    assert len(steps) > 2
    assert holding == 1
    assert all(step.input and step.input["ticket"]["body"] for step in steps)
    first, last = steps[0].input or {}, steps[-1].input or {}
    assert first["triage"] is None
    assert last["triage"] == (steps[0].output or {})["triage"]
