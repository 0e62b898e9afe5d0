"""Everything about one run, read for an operator: what the API shows, and what it does not."""

from datetime import datetime
from typing import Any
from uuid import UUID

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.schemas import RunOut, RunStepOut
from app.api.schemas.callbacks import CallbackOut
from app.api.views.callbacks import show_callback
from app.api.views.runs import show_run, show_step
from app.db.core.connections import Sessions, direct_url, plain_dsn
from app.db.effects.ledger import entries_of_run
from app.db.events.queries import BEGINNING, LAST_SEQ, events_between
from app.db.runs.steps import steps_of_run
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.events import Event, Position
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey
from app.db.tables.webhooks import Callback
from app.db.webhooks.queries import callbacks_of_tenant
from app.settings import Settings
from graphs.state import TrainedTriage
from graphs.support import build_support_graph

MAX_EVENTS = 1000
# Also those that a reader of the stream cannot see yet: here no order is promised.
EVERY_EVENT = Position(LAST_SEQ, LAST_SEQ)


class LedgerOut(BaseModel):
    """A row of the ledger, in whatever state its effect is."""

    tool: str
    key: str
    status: str
    step_id: str | None
    approval_id: UUID | None
    amount_minor: int | None
    currency: str | None
    args: dict[str, Any]
    result: dict[str, Any] | None
    progress: dict[str, Any] | None
    error: str | None
    started_at: datetime
    finished_at: datetime | None


class EventOut(BaseModel):
    """An event of the run's stream; `id` is its place there."""

    id: str
    type: str
    data: dict[str, Any]
    created_at: datetime


class CheckpointOut(BaseModel):
    """The run's last checkpoint, and the nodes that run when the run goes on from it."""

    id: str
    next: list[str]
    created_at: datetime | None


class RunReport(BaseModel):
    """A run with all that is stored about it. `run`, `steps`, `callbacks` are the API's shapes."""

    tenant_id: str
    ticket: dict[str, Any]
    started_by: str
    worker_id: int | None
    losses: int
    graph_version: str | None
    callback_url: str | None
    trained: TrainedTriage | None
    run: RunOut
    steps: list[RunStepOut]
    ledger: list[LedgerOut]
    events: list[EventOut]
    callbacks: list[CallbackOut]
    checkpoint: CheckpointOut | None


async def report_of(sessions: Sessions, settings: Settings, run: Run) -> RunReport:
    """Read everything about the run in one snapshot, and its last checkpoint after it."""
    async with sessions.begin() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        rows = await _rows(session, settings, run)
    return RunReport(
        tenant_id=run.tenant_id,
        ticket=run.ticket,
        worker_id=run.worker_id,
        losses=run.losses,
        graph_version=run.graph_version,
        callback_url=run.callback_url,
        trained=(run.result.get("triage") or {}).get("trained"),
        checkpoint=await _last_checkpoint(settings, run),
        **rows,
    )


async def _rows(session: AsyncSession, settings: Settings, run: Run) -> dict[str, Any]:
    tenant = run.tenant_id
    key = select(ApiKey).where(ApiKey.tenant_id == tenant, ApiKey.id == run.started_by)
    starter = (await session.scalars(key)).one()
    callbacks = callbacks_of_tenant(tenant, run_id=run.id).order_by(Callback.number)
    events = await events_between(session, BEGINNING, EVERY_EVENT, MAX_EVENTS, [tenant], run.id)
    return {
        "started_by": f"{starter.name} ({starter.id})",
        "run": await show_run(session, run, settings),
        "steps": [show_step(step) for step in await steps_of_run(session, tenant, run.id)],
        "ledger": [_ledger(row) for row in await entries_of_run(session, tenant, run.id)],
        "events": [_event(event) for event in events],
        "callbacks": [show_callback(row) for row in await session.scalars(callbacks)],
    }


async def _last_checkpoint(settings: Settings, run: Run) -> CheckpointOut | None:
    """Of this run: later runs of the ticket write to the same thread."""
    async with AsyncPostgresSaver.from_conn_string(plain_dsn(direct_url(settings))) as saver:
        graph = build_support_graph().compile(checkpointer=saver)
        history = graph.aget_state_history(
            {"configurable": {"thread_id": str(run.thread_id)}},
            filter={"run_id": str(run.id)},
            limit=1,
        )
        async for snapshot in history:
            at = snapshot.created_at
            return CheckpointOut(
                id=snapshot.config["configurable"]["checkpoint_id"],
                next=list(snapshot.next),
                created_at=datetime.fromisoformat(at) if at else None,
            )
    return None


def _ledger(row: LedgerEntry) -> LedgerOut:
    return LedgerOut.model_validate(row, from_attributes=True)


def _event(event: Event) -> EventOut:
    return EventOut(
        id=str(event.position), type=event.type, data=event.data, created_at=event.created_at
    )
