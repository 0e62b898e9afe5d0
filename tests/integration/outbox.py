"""Runs with a callback URL, and what stands in the outbox for them."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from app.adapters.webhooks.ssrf_guard import Resolve
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.db.tables.webhooks import Callback
from app.db.webhooks import queries as webhook_queries
from app.execution import finish
from app.lifecycle import RunStatus
from app.worker.webhook_dispatcher import WebhookDispatcher
from tests.integration.paused import Desk

LEASE = timedelta(seconds=30)
DONE = Ending(RunStatus.SUCCESS, outcome="answered")


async def running(desk: Desk, url: str, ticket: str = "T-1") -> Run:
    """A run that a worker has, with a callback URL."""
    caller = await desk.begin(ticket=ticket, callback_url=url)
    return await desk.run(caller.run_id)


async def settle(desk: Desk, run: Run, ending: Ending = DONE) -> None:
    """Its execution ends."""
    async with desk.sessions.begin() as session:
        assert await finish.settle(session, enqueue_run, run, ending)


async def rows(desk: Desk) -> list[Callback]:
    """The tenant's callbacks, oldest first."""
    query = webhook_queries.callbacks_of_tenant(desk.tenant.id).order_by(Callback.id)
    async with desk.sessions() as session:
        return list(await session.scalars(query))


async def claim(desk: Desk) -> list[Callback]:
    """What a worker gets now, of this tenant."""
    async with desk.sessions.begin() as session:
        claimed = await webhook_queries.claim(session, LEASE, 1000)
    return [callback for callback in claimed if callback.tenant_id == desk.tenant.id]


async def make_due(desk: Desk) -> None:
    """Let the time of every wait be over."""
    query = update(Callback).where(Callback.tenant_id == desk.tenant.id)
    async with desk.sessions.begin() as session:
        await session.execute(query.values(next_at=func.now()))


async def attempt(desk: Desk, dispatcher: WebhookDispatcher) -> Callback:
    """One attempt of the tenant's only due callback, as it stands then."""
    await make_due(desk)
    [claimed] = await claim(desk)
    await dispatcher.deliver(claimed)
    return next(row for row in await rows(desk) if row.id == claimed.id)


async def seconds_to_go(desk: Desk, callback: Callback) -> float:
    """Until its next attempt, by the database's clock."""
    query = select(func.extract("epoch", Callback.next_at - func.now()))
    async with desk.sessions() as session:
        return float((await session.scalars(query.where(Callback.id == callback.id))).one())


def noted_body(row: Callback) -> Any:
    """What will be sent."""
    return json.loads(row.body)


def always(*addresses: str) -> Resolve:
    """A resolver with one answer."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve
