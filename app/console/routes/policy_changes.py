"""/console/policy-changes/{id}: what a change would loosen, for a second admin to decide."""

from typing import cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.api.http.dependencies import BackendDep, Session
from app.api.views.policy_changes import show_change
from app.console.console_route import ConsoleRoute
from app.console.templating import HEADERS, page
from app.console.viewer import FormDep, ViewerDep
from app.console.views.policy import changed_lines
from app.db.tenants.policy_changes import get_change
from app.db.tenants.queries import current_policy, policy_at
from app.errors import InvalidRequestError, NotFoundError
from app.services.tenants.admins import own_keys
from app.services.tenants.policy_changes import VERDICTS, Verdict, decide

router = APIRouter(prefix="/console/policy-changes", route_class=ConsoleRoute)


@router.get("/{change_id}")
async def show(request: Request, session: Session, viewer: ViewerDep, change_id: UUID) -> Response:
    """The change, rule by rule, and why this person may not confirm it, if they may not."""
    viewer.need("admin", "approvals:decide")
    change = await get_change(session, viewer.tenant_id, change_id)
    if change is None:
        raise NotFoundError(f"There is no policy change {change_id}.")
    newest, _ = await current_policy(session, viewer.tenant_id)
    before = await policy_at(session, viewer.tenant_id, change.base_version)
    return page(
        request,
        "policy_change.html",
        change=show_change(change),
        lines=changed_lines(before, change.body),
        newest=newest,
        own=change.asked_key in await own_keys(session, viewer.key),
    )


@router.post("/{change_id}")
async def answer(
    backend: BackendDep, viewer: ViewerDep, form: FormDep, change_id: UUID
) -> Response:
    """Confirm or refuse it."""
    viewer.need("admin")
    verdict = form.get("verdict", "")
    if verdict not in VERDICTS:
        raise InvalidRequestError("Choose whether to confirm or to refuse the change.")
    async with backend.sessions.begin() as session:
        await decide(session, viewer.key, change_id, cast("Verdict", verdict))
    return RedirectResponse(f"/console/policy-changes/{change_id}", 303, HEADERS)
