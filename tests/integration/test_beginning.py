"""What an execution knows before its first node."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from app.db.core.connections import Sessions
from app.db.runs.beginning import beginning_of
from app.db.tables.runs import Run
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.api import caller, serving_api
from tests.integration.threads import QUESTION, Desk, key_of, worker_on


@pytest.fixture
async def desk(service: Service, tenant: Tenant) -> AsyncIterator[Desk]:
    """The tenant's desk behind HTTP."""
    runner = worker_on(service)
    key = await key_of(runner, tenant)
    async with serving_api(service) as url, caller(url, key) as client:
        yield Desk(runner, tenant, client)


async def run_of(sessions: Sessions, run_id: str) -> Run:
    """The run's row."""
    async with sessions() as session:
        return (await session.scalars(select(Run).where(Run.id == run_id))).one()


async def test_first_message_begins_with_nothing_and_a_second_knows_the_ticket(
    sessions: Sessions, desk: Desk
) -> None:
    """Its thread has no checkpoint and no message: the next run finds both."""
    first = await run_of(sessions, await desk.start(QUESTION))
    async with sessions.raw_connection() as connection:
        begins = await beginning_of(connection, first)
    assert (begins.wrote_before, begins.known_thread, begins.stored) == (False, False, False)
    assert (begins.may_mail, begins.payments, begins.trained) == (False, False, None)
    shown = await desk.advance(str(first.id))
    assert shown["status"] == "success"
    second = await run_of(sessions, await desk.start(QUESTION))
    async with sessions.raw_connection() as connection:
        begins = await beginning_of(connection, second)
    assert (begins.wrote_before, begins.known_thread, begins.stored) == (True, True, True)


async def test_another_ticket_of_the_customer_has_a_thread_of_its_own(
    sessions: Sessions, desk: Desk
) -> None:
    """They wrote before, and nothing is known of the ticket."""
    await desk.write(QUESTION)
    other = await run_of(sessions, await desk.start(QUESTION, "T-2"))
    async with sessions.raw_connection() as connection:
        begins = await beginning_of(connection, other)
    assert (begins.wrote_before, begins.known_thread, begins.stored) == (True, False, False)
