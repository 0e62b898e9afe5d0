"""Liveness, readiness and metrics of the process; and the meaning of each error code."""

from math import nan
from typing import get_args

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.api.http import openapi_examples
from app.api.http.dependencies import Backend, BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.db.core.availability import DATABASE_ERRORS
from app.db.runs.queries import ignored_last_hour
from app.db.tenants.triage_models import count_dropped
from app.errors import NotFoundError, UnavailableError, all_errors
from app.log import get_logger
from graphs.text.noise import Ignored

log = get_logger(__name__)

router = APIRouter(tags=["health"], route_class=GuardedRoute)

IGNORED = Gauge(
    "deskgraph_runs_ignored_last_hour",
    "Runs of the last hour that were ignored, over all tenants.",
    ["reason"],
)

DROPPED = Gauge(
    "deskgraph_trained_triage_dropped",
    "Tenants whose trained triage is right less often than it was measured to be.",
)


class StatusOut(BaseModel):
    """How the process stands."""

    status: str


class ProblemMeaning(BaseModel):
    """What an error code means."""

    code: str
    status: int
    title: str
    detail: str


@router.get("/healthz", responses=documented_responses(200, {"status": "ok"}))
async def healthz() -> StatusOut:
    """The process answers."""
    return StatusOut(status="ok")


@router.get("/readyz", responses=documented_responses(200, {"status": "ready"}))
async def readyz(session: Session) -> StatusOut:
    """The database answers too, and its schema is there; else 503."""
    try:
        await session.execute(text("SELECT 1 FROM runs LIMIT 1"))
    except ProgrammingError as error:
        raise UnavailableError("The schema is missing; run `deskgraph migrate`.") from error
    return StatusOut(status="ready")


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=documented_responses(
        200, openapi_examples.METRICS, media_type=str(PlainTextResponse.media_type)
    ),
)
async def metrics(backend: BackendDep) -> Response:
    """Counters for Prometheus, in its text format 0.0.4."""
    await _count_rows(backend)
    return Response(generate_latest(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


async def _count_rows(backend: Backend) -> None:
    """Bring the gauges up to date; while the database is unavailable they show nothing."""
    try:
        async with backend.sessions() as session:
            counts = await ignored_last_hour(session)
            dropped = await count_dropped(session)
    except DATABASE_ERRORS as error:
        log.warning("database_unavailable", part="metrics", error=error)
        IGNORED.clear()
        DROPPED.set(nan)
        return
    for reason in get_args(Ignored):
        IGNORED.labels(reason).set(counts.get(reason, 0))
    DROPPED.set(dropped)


@router.get(
    "/problems/{code}", responses=documented_responses(200, openapi_examples.PROBLEM_MEANING)
)
async def explain_problem(code: str) -> ProblemMeaning:
    """What a problem's `type` refers to."""
    for error in all_errors():
        if error.code == code:
            meaning = (error.__doc__ or "").strip().splitlines()[0]
            return ProblemMeaning(code=code, status=error.status, title=error.title, detail=meaning)
    raise NotFoundError(f"There is no problem {code[:100]!r}.")
