"""/console/runs: what became of each message, step by step; cancel it."""

from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import Backend, BackendDep, Session
from app.api.views.runs import show_run
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, Viewer, ViewerDep
from app.console.views.card import text_view
from app.console.views.run import bars, head
from app.console.views.run_filters import (
    FIELDS,
    SAID,
    address,
    filters_of,
    given,
    nodes,
    others,
)
from app.db.audit.actor import act_as, by_key
from app.db.effects.handoffs import names_of_agents
from app.db.effects.ledger import effects_of_runs
from app.db.runs.queries import find_by_idempotency_key, get_run, runs_of_tenant
from app.db.runs.steps import messages_of_ticket, steps_of_run
from app.db.tables.runs import Run, Step
from app.errors import InvalidRequestError, NotFoundError
from app.lifecycle import FINAL, RunStatus
from app.services.connections.ticket_page import ticket_page
from app.services.conversations import takeover
from app.services.runs import start_and_cancel
from app.services.runs.diff import diff, sides
from app.services.runs.replay import real_key
from graphs.state import Outcome

router = APIRouter(prefix="/console/runs", route_class=ConsoleRoute)

PAGE, MESSAGES = 25, 50


@router.get("")
async def list_runs(
    request: Request,
    session: Session,
    backend: BackendDep,
    viewer: ViewerDep,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The tenant's runs, newest first."""
    viewer.need("runs:read")
    found = given(request.query_params)
    rows, following = await backend.cursors.page(
        session,
        runs_of_tenant(viewer.tenant_id, filters_of(found)),
        Run.id,
        scope=["console runs", viewer.tenant_id, found],
        cursor=cursor or None,
        limit=PAGE,
        newest_first=True,
        read=UUID,
    )
    return page(
        request,
        "runs.html",
        runs=rows,
        filters={name: found.get(name, "") for name in FIELDS},
        others=others(found),
        hidden={name: value for name, value in found.items() if name not in FIELDS},
        statuses=[one.value for one in RunStatus],
        outcomes=get_args(Outcome),
        nodes=nodes(),
        marks=SAID,
        next_url=address(found, cursor=following) if following else "",
    )


@router.get("/{run_id}")
async def show(
    request: Request, session: Session, backend: BackendDep, viewer: ViewerDep, run_id: UUID
) -> Response:
    """One run: what it read, did and said, and how long each step took."""
    viewer.need("runs:read")
    run = await get_run(session, viewer.tenant_id, run_id)
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return await run_page(request, session, backend, viewer, run)


async def run_page(
    request: Request,
    session: AsyncSession,
    backend: Backend,
    viewer: Viewer,
    run: Run,
    status: int = 200,
    *,
    wrong: str = "",
) -> Response:
    """The page of a run; `wrong` says why what was sent from it was not taken."""
    steps = await steps_of_run(session, viewer.tenant_id, run.id)
    messages = await messages_of_ticket(session, viewer.tenant_id, run.ticket_id, MESSAGES)
    asked = [m for m in messages if m.run_id == run.id and m.author == "customer"]
    return page(
        request,
        "run.html",
        status,
        wrong=wrong,
        run=run,
        shown=await show_run(session, run, backend.settings, backend.links),
        facts=head(run),
        steps=bars(steps),
        effects=await effects_of_runs(session, viewer.tenant_id, [run.id]),
        asked=[text_view(message) for message in asked],
        others=[message for message in messages if message not in asked],
        names=await names_of_agents(session, viewer.tenant_id),
        desk=await ticket_page(session, viewer.tenant_id, run.ticket_id),
        held=await takeover.handled(session, viewer.tenant_id, run.ticket_id),
        difference=await _difference(session, run, steps),
        rehearsed=await _rehearsed(session, run),
        may_rehearse=viewer.can("runs:write") and run.status in FINAL,
        may_cancel=viewer.can("runs:write") and run.status not in FINAL,
    )


async def _rehearsed(session: AsyncSession, run: Run) -> dict[str, Any] | None:
    """Of a rehearsal: what was changed for it, and the run that did it for real; else None."""
    if not run.dry_run or run.replay_from is None:
        return None
    state = run.replay_from.get("state") or {}
    real = await find_by_idempotency_key(session, run.tenant_id, real_key(run.id))
    return {"guidance": state.get("guidance") or [], "real": real}


async def _difference(session: AsyncSession, run: Run, steps: list[Step]) -> Any:
    """How a replay differs from the run that it replays; None for any other run."""
    base = run.replay_of and await get_run(session, run.tenant_id, run.replay_of)
    if not base:
        return None
    before = await steps_of_run(session, run.tenant_id, base.id)
    return diff(*sides(base, before, run, steps))


@router.post("/{run_id}")
async def change(backend: BackendDep, viewer: ViewerDep, form: FormDep, run_id: UUID) -> Response:
    """Cancel the run."""
    viewer.need("runs:write")
    if form.get("act") != "cancel":
        raise InvalidRequestError("Choose what to do with the run.")
    async with backend.sessions.begin() as session:
        await act_as(session, by_key(viewer.key.id))
        await start_and_cancel.cancel(session, backend.enqueue, viewer.tenant_id, run_id)
    return RedirectResponse(f"/console/runs/{run_id}", 303, HEADERS)
