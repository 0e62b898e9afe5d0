"""/v1/approvals: list what waits for a person, and decide it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import status as http

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import ApprovalReader, Approver, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import Cursor, Limit
from app.api.views.approvals import list_approvals as show_list
from app.api.views.approvals import show_approvals
from app.api.views.runs import show_run
from app.db.effects.approvals import approvals_of_tenant
from app.db.effects.approvals import get_approval as find_approval
from app.db.tables.approvals_and_ledger import Approval
from app.errors import (
    AlreadyDecidedError,
    ApprovalExpiredError,
    EditNotAllowedError,
    InvalidCursorError,
    NotFoundError,
    NotWaitingError,
    OverLimitError,
    OwnRunError,
    SecondApproverError,
    StaleDigestError,
    VerdictNotAllowedError,
)
from app.lifecycle import ApprovalStatus
from app.services.approvals import decide
from app.services.approvals.decide import GivenAnswer
from app.services.approvals.edit import StepEdit

router = APIRouter(prefix="/v1", tags=["approvals"], route_class=GuardedRoute)


@router.get(
    "/approvals",
    response_model=schemas.ApprovalPage,
    response_model_exclude_unset=True,
    responses=documented_responses(
        200, openapi_examples.page(openapi_examples.LISTED_APPROVAL), InvalidCursorError
    ),
)
async def list_approvals(
    session: Session,
    backend: BackendDep,
    key: ApprovalReader,
    status: ApprovalStatus | None = None,
    run_id: UUID | None = None,
    ticket_id: schemas.OutsideId | None = None,
    customer_id: schemas.OutsideId | None = None,
    expand: Annotated[
        list[schemas.ExpandApproval],
        Query(max_length=20, description="What each carries besides; may be repeated."),
    ] = [],  # noqa: B006, FastAPI copies it
    cursor: Cursor = None,
    limit: Limit = 20,
) -> schemas.ApprovalPage:
    """The tenant's approvals, those that wait longest first."""
    filters = (status, run_id, ticket_id, customer_id)
    rows, following = await backend.cursors.page(
        session,
        approvals_of_tenant(key.tenant_id, *filters),
        Approval.id,
        scope=["approvals", key.tenant_id, *(value and str(value) for value in filters)],
        cursor=cursor,
        limit=limit,
        read=UUID,
    )
    shown = await show_list(session, rows, expand)
    return schemas.ApprovalPage(items=shown, next_cursor=following)


@router.get(
    "/approvals/{approval_id}",
    response_model=schemas.ApprovalOut,
    responses=documented_responses(200, openapi_examples.APPROVAL),
)
async def get_approval(
    approval_id: UUID, session: Session, key: ApprovalReader
) -> schemas.ApprovalOut:
    """What is asked, why, on what evidence, and how to answer."""
    approval = await find_approval(session, key.tenant_id, approval_id)
    if approval is None:
        raise NotFoundError(f"There is no approval {approval_id}.")
    [shown] = await show_approvals(session, [approval])
    return shown


@router.post(
    "/runs/{run_id}/resume",
    status_code=http.HTTP_202_ACCEPTED,
    response_model=schemas.RunOut,
    responses=documented_responses(
        202,
        openapi_examples.RUN,
        OwnRunError,
        OverLimitError,
        SecondApproverError,
        NotWaitingError,
        AlreadyDecidedError,
        ApprovalExpiredError,
        StaleDigestError,
        VerdictNotAllowedError,
        EditNotAllowedError,
    ),
)
async def resume_run(
    run_id: UUID, body: schemas.ResumeRun, session: Session, backend: BackendDep, key: Approver
) -> schemas.RunOut:
    """Answer a run's open approval; the run goes on once everybody agreed who must."""
    edits = tuple(StepEdit(edit.id, edit.args, edit.drop) for edit in body.steps)
    answer = GivenAnswer(
        body.approval_id, body.digest, body.verdict, edits, body.comment, body.release,
        body.on_behalf_of,
    )  # fmt: skip
    run = await decide.resume(session, backend.enqueue, key, run_id, answer)
    return await show_run(session, run, backend.settings, backend.links)
