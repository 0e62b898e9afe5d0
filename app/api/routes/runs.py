"""/v1/runs and /v1/threads: start, read and cancel runs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response, status

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.callback_url import check_callback_url
from app.api.http.dependencies import Backend, BackendDep, Reader, RunWaiterDep, Session, Writer
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.http.run_filters import Filters
from app.api.streaming.run_waiter import RunWaiter
from app.api.views.approvals import show_message
from app.api.views.runs import list_runs as show_list
from app.api.views.runs import show_run, show_step
from app.db.runs.filters import RunFilters
from app.db.runs.queries import read_run, runs_of_tenant
from app.db.runs.steps import messages_of_ticket, steps_of_run
from app.db.tables.runs import Run
from app.errors import (
    IdempotencyMismatchError,
    InvalidCursorError,
    NotFoundError,
    RunFinishedError,
)
from app.lifecycle import FINAL, RunStatus
from app.observability.trace_parent import HEADER, read_parent
from app.services.conversations.takeover import handled
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun, thread_of

router = APIRouter(prefix="/v1", tags=["runs"], route_class=GuardedRoute)

Wait = Annotated[
    float, Query(ge=0, le=30, description="Seconds to wait for the run to finish or pause.")
]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=500)]
ExpandRuns = Annotated[
    list[schemas.ExpandRun],
    Query(max_length=20, description="What the runs in the list carry besides; may be repeated."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[!-~]+$"),
]
TraceHeader = Annotated[
    str | None,
    Header(
        alias=HEADER,
        description="Your own run in LangSmith, under which the trace is to stand. Ignored without "
        "the scope `traces:join`, and when it is not well formed.",
    ),
]
MAX_MESSAGES = 200


@router.post(
    "/runs",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=schemas.RunOut,
    responses=documented_responses(202, openapi_examples.QUEUED, IdempotencyMismatchError),
)
async def start_run(
    body: schemas.StartRun,
    response: Response,
    backend: BackendDep,
    run_waiter: RunWaiterDep,
    key: Writer,
    idempotency_key: IdempotencyKey = None,
    langsmith_trace: TraceHeader = None,
    wait: Wait = 0,
) -> schemas.RunOut:
    """Handle a customer message. The same Idempotency-Key and body answer the same run."""
    if body.callback_url is not None:
        await check_callback_url(backend.settings, body.callback_url)
    # Without headers as before they were known, so that repeats of older requests are still known.
    without = None if body.ticket.headers else {"headers"}
    ticket = body.ticket.model_dump(mode="json", exclude=without)
    parent = read_parent(langsmith_trace) if "traces:join" in key.scopes else None
    place = parent and parent.place
    new = NewRun(ticket, idempotency_key, body.metadata, body.callback_url, place)
    async with backend.sessions.raw_connection() as connection:
        run = await start_and_cancel.start(connection, key.tenant_id, key.id, new)
    response.headers["Location"] = f"/v1/runs/{run.id}"
    if wait:
        await run_waiter.wait(run.id, wait)
    return await _show(backend, key.tenant_id, run.id)


@router.get(
    "/runs",
    response_model=schemas.RunPage,
    response_model_exclude_unset=True,
    responses=documented_responses(
        200, openapi_examples.page(openapi_examples.LISTED_RUN), InvalidCursorError
    ),
)
async def list_runs(
    session: Session,
    backend: BackendDep,
    key: Reader,
    filters: Filters,
    expand: ExpandRuns = [],  # noqa: B006, FastAPI copies it
    cursor: Cursor = None,
    limit: Limit = 20,
) -> schemas.RunPage:
    """The tenant's runs, newest first, over all threads."""
    rows, following = await backend.cursors.page(
        session,
        runs_of_tenant(key.tenant_id, filters),
        Run.id,
        scope=["runs", key.tenant_id, *filters.scope()],
        cursor=cursor,
        limit=limit,
        newest_first=True,
        read=UUID,
    )
    shown = await show_list(session, rows, backend.settings, expand, backend.links)
    return schemas.RunPage(items=shown, next_cursor=following)


@router.get(
    "/runs/{run_id}",
    response_model=schemas.RunOut,
    responses=documented_responses(200, openapi_examples.RUN),
)
async def get_run(
    run_id: UUID, backend: BackendDep, run_waiter: RunWaiterDep, key: Reader, wait: Wait = 0
) -> schemas.RunOut:
    """A run as it stands, or as it stands when it finished or paused."""
    return await wait_for(backend, run_waiter, key.tenant_id, run_id, wait)


@router.get(
    "/runs/{run_id}/steps",
    response_model=schemas.RunStepPage,
    responses=documented_responses(200, openapi_examples.page(openapi_examples.RUN_STEP)),
)
async def list_steps(
    run_id: UUID, session: Session, backend: BackendDep, key: Reader
) -> schemas.RunStepPage:
    """Every node execution of a run, in the order they began."""
    run = await start_and_cancel.get(session, key.tenant_id, run_id)
    steps = await steps_of_run(session, key.tenant_id, run.id)
    shown = [show_step(step, backend.links) for step in steps]
    return schemas.RunStepPage(items=shown, next_cursor=None)


@router.post(
    "/runs/{run_id}/cancel",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=schemas.RunOut,
    responses=documented_responses(202, openapi_examples.RUN, RunFinishedError),
)
async def cancel_run(
    run_id: UUID, session: Session, backend: BackendDep, key: Writer
) -> schemas.RunOut:
    """Stop a run: no effect begins any more; one that runs lets go within a second."""
    run = await start_and_cancel.cancel(session, backend.enqueue, key.tenant_id, run_id)
    return await show_run(session, run, backend.settings, backend.links)


@router.get(
    "/threads/{ticket_id:outside_id}",
    response_model=schemas.ThreadOut,
    response_model_exclude_unset=True,
    responses=documented_responses(200, openapi_examples.THREAD),
)
async def get_thread(
    ticket_id: schemas.OutsideId,
    session: Session,
    backend: BackendDep,
    key: Reader,
    expand: ExpandRuns = [],  # noqa: B006, FastAPI copies it
) -> schemas.ThreadOut:
    """A ticket's newest messages and runs, oldest first."""
    query = runs_of_tenant(key.tenant_id, RunFilters(ticket_id=ticket_id)).where(
        Run.replay_of.is_(None)
    )
    newest = query.order_by(Run.id.desc()).limit(MAX_MESSAGES)
    rows = list(await session.scalars(newest))[::-1]
    held = await handled(session, key.tenant_id, ticket_id)
    if not rows and held.since is None:
        raise NotFoundError(f"No run knows a ticket {ticket_id}.")
    messages = await messages_of_ticket(session, key.tenant_id, ticket_id, MAX_MESSAGES)
    return schemas.ThreadOut(
        thread_id=thread_of(key.tenant_id, ticket_id),
        ticket_id=ticket_id,
        handled_by=held.by,
        handled_since=held.since,
        messages=[show_message(message) for message in messages],
        runs=await show_list(session, rows, backend.settings, expand, backend.links),
    )


async def wait_for(
    backend: Backend, run_waiter: RunWaiter, tenant_id: str, run_id: UUID, seconds: float
) -> schemas.RunOut:
    """The run once it finished or paused, or after `seconds`; no connection is held meanwhile."""
    # Only the tenant's own run is waited for: the time that it takes would reveal others.
    shown = await _show(backend, tenant_id, run_id)
    if seconds == 0 or shown.status in FINAL or shown.status is RunStatus.INTERRUPTED:
        return shown
    await run_waiter.wait(run_id, seconds)
    return await _show(backend, tenant_id, run_id)


async def _show(backend: Backend, tenant_id: str, run_id: UUID) -> schemas.RunOut:
    async with backend.sessions.raw_connection() as connection:
        run = start_and_cancel.found(await read_run(connection, tenant_id, run_id), run_id)
        return await show_run(connection, run, backend.settings, backend.links)
