"""/v1/policy/changes: changes of the policy that loosen limits, for a second admin to decide."""

from uuid import UUID

from fastapi import APIRouter

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import Admin, BackendDep, PolicyReader, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.views.policy_changes import CHANGES, EXAMPLE, show_change
from app.db.tables.policy_changes import PolicyChange
from app.db.tenants.policy_changes import changes_of, get_change
from app.errors import (
    InvalidCursorError,
    NotFoundError,
    PolicyChangeClosedError,
    PolicyChangedError,
    PolicyChangeExpiredError,
    SecondAdminError,
)
from app.services.tenants import policy_changes as cases

router = APIRouter(prefix=CHANGES, tags=["policy"], route_class=GuardedRoute)

DECIDED = {"status": "confirmed", "version": 4, "decided_by": "Operations",
           "decided_at": openapi_examples.LATER}  # fmt: skip


@router.get(
    "",
    response_model=schemas.PolicyChangePage,
    responses=documented_responses(200, openapi_examples.page(EXAMPLE), InvalidCursorError),
)
async def list_policy_changes(
    session: Session,
    backend: BackendDep,
    key: PolicyReader,
    status: schemas.ChangeStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> schemas.PolicyChangePage:
    """Changes that loosen limits, newest first, also those that were decided."""
    rows, following = await backend.cursors.page(
        session,
        changes_of(key.tenant_id, status),
        PolicyChange.id,
        scope=["policy changes", key.tenant_id, status],
        cursor=cursor,
        limit=limit,
        newest_first=True,
        read=UUID,
    )
    return schemas.PolicyChangePage(items=[show_change(row) for row in rows], next_cursor=following)


@router.get(
    "/{change_id}",
    response_model=schemas.PolicyChangeOut,
    responses=documented_responses(200, EXAMPLE),
)
async def get_policy_change(
    change_id: UUID, session: Session, key: PolicyReader
) -> schemas.PolicyChangeOut:
    """One change."""
    row = await get_change(session, key.tenant_id, change_id)
    if row is None:
        raise NotFoundError(f"There is no policy change {change_id}.")
    return show_change(row)


@router.post(
    "/{change_id}/decision",
    response_model=schemas.PolicyChangeOut,
    responses=documented_responses(
        200,
        EXAMPLE | DECIDED,
        SecondAdminError,
        PolicyChangeClosedError,
        PolicyChangedError,
        PolicyChangeExpiredError,
    ),
)
async def decide_policy_change(
    change_id: UUID, body: schemas.DecideChange, session: Session, key: Admin
) -> schemas.PolicyChangeOut:
    """Confirm another admin's change: runs that start from now on are held to it; or refuse it."""
    return show_change(await cases.decide(session, key, change_id, body.verdict))
