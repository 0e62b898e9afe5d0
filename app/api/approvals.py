"""/v1/approvals: what waits for a person."""

from uuid import UUID

from fastapi import APIRouter

from app.api import examples, schemas
from app.api.deps import ApprovalReader, BackendDep, Session
from app.api.responses import answers
from app.api.runs import Cursor, Limit
from app.api.views import show_approvals
from app.db.approvals import approvals_of_tenant, get_approval
from app.db.tables import Approval
from app.errors import InvalidCursorError, NotFoundError
from app.lifecycle import ApprovalStatus

router = APIRouter(prefix="/v1/approvals", tags=["approvals"])


@router.get(
    "",
    response_model=schemas.ApprovalPage,
    responses=answers(200, examples.page(examples.APPROVAL), InvalidCursorError),
)
async def list_approvals(
    session: Session,
    backend: BackendDep,
    key: ApprovalReader,
    status: ApprovalStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> schemas.ApprovalPage:
    """The tenant's approvals, those that wait longest first."""
    rows, following = await backend.cursors.page(
        session,
        approvals_of_tenant(key.tenant_id, status),
        Approval.id,
        scope=["approvals", key.tenant_id, status],
        cursor=cursor,
        limit=limit,
        read=UUID,
    )
    return schemas.ApprovalPage(items=await show_approvals(session, rows), next_cursor=following)


@router.get(
    "/{approval_id}",
    response_model=schemas.ApprovalOut,
    responses=answers(200, examples.APPROVAL, NotFoundError),
)
async def get_one_approval(
    approval_id: UUID, session: Session, key: ApprovalReader
) -> schemas.ApprovalOut:
    """What is asked, why, on what evidence, and how to answer."""
    approval = await get_approval(session, key.tenant_id, approval_id)
    if approval is None:
        raise NotFoundError(f"There is no approval {approval_id}.")
    [shown] = await show_approvals(session, [approval])
    return shown
