"""/console/runs/{id}/rehearse and /for-real: a run again from a step, simulated and then done."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.api.http.dependencies import BackendDep, Session
from app.console.console_route import ConsoleRoute
from app.console.forms import Form
from app.console.routes.runs import run_page
from app.console.templating import HEADERS
from app.console.viewer import FormDep, ViewerDep
from app.errors import InvalidRequestError
from app.services.runs import start_and_cancel
from app.services.runs.replay import NewReplay, for_real, replay

router = APIRouter(prefix="/console/runs", route_class=ConsoleRoute)

MAX_GUIDANCE = 2000


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
    new = NewReplay(run_id, checkpoint_id, _state(form), dry_run=True, idempotency_key=None)
    again = await replay(session, backend.enqueue, viewer.tenant_id, viewer.key.id, new)
    return RedirectResponse(f"/console/runs/{again.id}", 303, HEADERS)


def _state(form: Form) -> dict[str, Any]:
    """What the rehearsal changes: a wish to the specialists. Raises InvalidRequestError."""
    guidance = form.get("guidance", "").strip()
    if len(guidance) > MAX_GUIDANCE:
        raise InvalidRequestError(f"The wish may have {MAX_GUIDANCE} characters.")
    return {"guidance": [guidance]} if guidance else {}


@router.post("/{run_id}/for-real")
async def do_for_real(
    request: Request,
    session: Session,
    backend: BackendDep,
    viewer: ViewerDep,
    form: FormDep,
    run_id: UUID,
) -> Response:
    """Do what a rehearsal showed, once, after its ticket's id was typed."""
    viewer.need("runs:write")
    rehearsal = await start_and_cancel.get(session, viewer.tenant_id, run_id)
    if form.get("ticket", "").strip() != rehearsal.ticket_id.strip():
        wrong = "That is not the id of this ticket. Nothing was started."
        return await run_page(request, session, backend, viewer, rehearsal, 422, wrong=wrong)
    real = await for_real(session, backend.enqueue, viewer.tenant_id, viewer.key.id, rehearsal)
    return RedirectResponse(f"/console/runs/{real.id}", 303, HEADERS)
