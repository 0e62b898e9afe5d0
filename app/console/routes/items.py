"""/console/items/{id}: claim what waits, give it back, put it off for oneself."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from app.api.http.dependencies import Session
from app.console.console_route import ConsoleRoute
from app.console.routes.sign_in import own_path
from app.console.templating import HEADERS
from app.console.viewer import FormDep, ViewerDep
from app.errors import InvalidRequestError
from app.services.console import items as cases

router = APIRouter(prefix="/console/items", route_class=ConsoleRoute)

SNOOZES = {"1": timedelta(hours=1), "4": timedelta(hours=4), "24": timedelta(hours=24),
           "0": timedelta(0)}  # fmt: skip


@router.post("/{item_id}/claim")
async def claim(session: Session, viewer: ViewerDep, form: FormDep, item_id: UUID) -> Response:
    """Show others that this person works on it; `over` names whose claim they saw and replace."""
    viewer.need("approvals:decide")
    await cases.claim(session, viewer.key, item_id, form.get("over"))
    return _back(form)


@router.post("/{item_id}/release")
async def release(session: Session, viewer: ViewerDep, form: FormDep, item_id: UUID) -> Response:
    """Give the claim back."""
    viewer.need("approvals:decide")
    await cases.release(session, viewer.key, item_id)
    return _back(form)


@router.post("/{item_id}/snooze")
async def snooze(session: Session, viewer: ViewerDep, form: FormDep, item_id: UUID) -> Response:
    """Leave it out of this person's list for some hours; it is due when it was due before."""
    viewer.need("approvals:decide")
    lasts = SNOOZES.get(form.get("hours", ""))
    if lasts is None:
        raise InvalidRequestError("Choose for how long: 1, 4 or 24 hours.")
    await cases.snooze(session, viewer.key, item_id, lasts)
    return _back(form)


def _back(form: dict[str, Any]) -> Response:
    return RedirectResponse(own_path(form.get("back", "")), 303, HEADERS)
