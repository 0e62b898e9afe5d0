"""/v1/runs/{id}/replay and /diff: run again from one step, and compare two runs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi import status as http

from app.api import schemas
from app.api.http import openapi_examples
from app.api.http.dependencies import BackendDep, Reader, RunWaiterDep, Session, Writer
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.routes.runs import IdempotencyKey, Wait, wait_for
from app.db.runs.steps import steps_of_run
from app.errors import (
    CheckpointGoneError,
    IdempotencyMismatchError,
    InvalidRequestError,
    RunNotFinishedError,
)
from app.services.runs import replay, start_and_cancel
from app.services.runs.diff import diff, sides
from app.services.runs.replay import NewReplay

router = APIRouter(prefix="/v1", tags=["replays"], route_class=GuardedRoute)


@router.post(
    "/runs/{run_id}/replay",
    status_code=http.HTTP_202_ACCEPTED,
    response_model=schemas.RunOut,
    responses=documented_responses(
        202,
        openapi_examples.REPLAY,
        RunNotFinishedError,
        CheckpointGoneError,
        IdempotencyMismatchError,
    ),
)
async def replay_run(
    run_id: UUID,
    body: schemas.ReplayRun,
    response: Response,
    backend: BackendDep,
    run_waiter: RunWaiterDep,
    key: Writer,
    idempotency_key: IdempotencyKey = None,
    wait: Wait = 0,
) -> schemas.RunOut:
    """A new run from a step of this one. What was done is never done again."""
    changes = body.state.model_dump(mode="json", exclude_none=True)
    new = NewReplay(run_id, body.checkpoint_id, changes, body.dry_run, idempotency_key)
    async with backend.sessions.begin() as session:
        run = await replay.replay(session, backend.enqueue, key.tenant_id, key.id, new)
    response.headers["Location"] = f"/v1/runs/{run.id}"
    return await wait_for(backend, run_waiter, key.tenant_id, run.id, wait)


@router.get(
    "/runs/{run_id}/diff",
    response_model=schemas.RunDiffOut,
    responses=documented_responses(200, openapi_examples.DIFF),
)
async def diff_runs(
    run_id: UUID,
    session: Session,
    key: Reader,
    other: Annotated[
        UUID | None, Query(alias="with", description="Compared to this run; unset: `replay_of`.")
    ] = None,
) -> schemas.RunDiffOut:
    """How a run differs from another one: steps, plan, draft, outcome, tokens and cost."""
    run = await start_and_cancel.get(session, key.tenant_id, run_id)
    if (base_id := other or run.replay_of) is None:
        why = "must name a run, since this one is no replay"
        problems = [{"pointer": "query/with", "detail": why}]
        raise InvalidRequestError(f"query/with {why}.", errors=problems)
    base = await start_and_cancel.get(session, key.tenant_id, base_id)
    rows = [await steps_of_run(session, key.tenant_id, one.id) for one in (base, run)]
    return schemas.RunDiffOut.model_validate(diff(*sides(base, rows[0], run, rows[1])))
