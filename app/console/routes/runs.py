"""/console/runs: what became of each message, step by step; cancel it, take its ticket over."""

from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.http.dependencies import BackendDep, Session
from app.api.views.runs import show_run
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, ViewerDep
from app.console.views.card import text_view
from app.console.views.run import bars, head
from app.db.effects.handoffs import agents_of
from app.db.effects.ledger import effects_of_runs
from app.db.runs.queries import get_run, runs_of_tenant
from app.db.runs.steps import messages_of_ticket, steps_of_run
from app.db.tables.runs import Run, Step
from app.errors import InvalidRequestError, NotFoundError
from app.lifecycle import FINAL, RunStatus
from app.services.conversations import takeover
from app.services.runs import start_and_cancel
from app.services.runs.diff import diff, sides
from app.services.runs.replay import NewReplay, replay
from graphs.state import Outcome

router = APIRouter(prefix="/console/runs", route_class=ConsoleRoute)

PAGE, MESSAGES = 25, 50
Filter = Annotated[str, Query(max_length=128)]
OUTCOMES = get_args(Outcome)


@router.get("")
async def list_runs(
    request: Request,
    session: Session,
    backend: BackendDep,
    viewer: ViewerDep,
    status: Literal["", "pending", "running", "interrupted", "success", "error", "timeout",
                    "cancelled"] = "",
    outcome: Filter = "",
    ticket: Filter = "",
    customer: Filter = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Response:  # fmt: skip
    """The tenant's runs, newest first."""
    viewer.need("runs:read")
    known: Any = outcome if outcome in OUTCOMES else None
    filters = {"status": status, "outcome": known or "", "ticket": ticket.strip(),
               "customer": customer.strip()}  # fmt: skip
    wanted = RunStatus(status) if status else None
    rows, following = await backend.cursors.page(
        session,
        runs_of_tenant(
            viewer.tenant_id, wanted, filters["ticket"] or None, filters["customer"] or None, known
        ),
        Run.id,
        scope=["console runs", viewer.tenant_id, filters],
        cursor=cursor or None,
        limit=PAGE,
        newest_first=True,
        read=UUID,
    )
    return page(
        request,
        "runs.html",
        runs=rows,
        filters=filters,
        statuses=[one.value for one in RunStatus],
        outcomes=OUTCOMES,
        next_url=_url({**filters, "cursor": following}) if following else "",
    )


def _url(filters: dict[str, str]) -> str:
    return f"/console/runs?{urlencode({name: value for name, value in filters.items() if value})}"


@router.get("/{run_id}")
async def show(
    request: Request, session: Session, backend: BackendDep, viewer: ViewerDep, run_id: UUID
) -> Response:
    """One run: what it read, did and said, and how long each step took."""
    viewer.need("runs:read")
    run = await get_run(session, viewer.tenant_id, run_id)
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.")
    steps = await steps_of_run(session, viewer.tenant_id, run.id)
    messages = await messages_of_ticket(session, viewer.tenant_id, run.ticket_id, MESSAGES)
    asked = [m for m in messages if m.run_id == run.id and m.author == "customer"]
    return page(
        request,
        "run.html",
        run=run,
        shown=await show_run(session, run, backend.settings, backend.links),
        facts=head(run),
        steps=bars(steps),
        effects=await effects_of_runs(session, viewer.tenant_id, [run.id]),
        asked=[text_view(message) for message in asked],
        others=[message for message in messages if message not in asked],
        names={agent["id"]: agent["name"] for agent in await agents_of(session, viewer.tenant_id)},
        held=await takeover.handled(session, viewer.tenant_id, run.ticket_id),
        difference=await _difference(session, run, steps),
        may_rehearse=viewer.can("runs:write") and run.status in FINAL,
        may_cancel=viewer.can("runs:write") and run.status not in FINAL,
    )


async def _difference(session: AsyncSession, run: Run, steps: list[Step]) -> Any:
    """How a replay differs from the run that it replays; None for any other run."""
    base = run.replay_of and await get_run(session, run.tenant_id, run.replay_of)
    if not base:
        return None
    before = await steps_of_run(session, run.tenant_id, base.id)
    return diff(*sides(base, before, run, steps))


@router.post("/{run_id}/rehearse")
async def rehearse(
    session: Session, backend: BackendDep, viewer: ViewerDep, form: FormDep, run_id: UUID
) -> Response:
    """Run it again from a step, with every effect simulated; nothing leaves."""
    viewer.need("runs:write")
    try:
        checkpoint_id = str(UUID(form.get("checkpoint_id", "")))
    except ValueError:
        raise InvalidRequestError("Choose a step to rehearse from.") from None
    new = NewReplay(run_id, checkpoint_id, {}, dry_run=True, idempotency_key=None)
    again = await replay(session, backend.enqueue, viewer.tenant_id, viewer.key.id, new)
    return RedirectResponse(f"/console/runs/{again.id}", 303, HEADERS)


@router.post("/{run_id}")
async def change(backend: BackendDep, viewer: ViewerDep, form: FormDep, run_id: UUID) -> Response:
    """Cancel the run, take its ticket over, or hand the ticket back to the bot."""
    act = form.get("act", "")
    viewer.need("runs:write" if act == "cancel" else "approvals:decide")
    async with backend.sessions.begin() as session:
        run = await start_and_cancel.get(session, viewer.tenant_id, run_id)
        ticket_id = run.ticket_id
        if act == "cancel":
            await start_and_cancel.cancel(session, backend.enqueue, viewer.tenant_id, run_id)
        elif act == "takeover":
            await takeover.take_over(session, viewer.tenant_id, ticket_id, viewer.key.name)
        elif act == "handback":
            await takeover.hand_back(session, viewer.tenant_id, ticket_id)
        else:
            raise InvalidRequestError("Choose what to do with the run.")
    if act == "takeover":
        await takeover.wait_for_begun_replies(backend.sessions, viewer.tenant_id, ticket_id)
    return RedirectResponse(f"/console/runs/{run_id}", 303, HEADERS)
