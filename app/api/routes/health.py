"""Liveness, readiness and metrics of the process; and the meaning of each error code."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.api.http import openapi_examples
from app.api.http.dependencies import BackendDep, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.errors import NotFoundError, UnavailableError, all_errors
from app.observability.database_metrics import DatabaseMetrics

router = APIRouter(tags=["health"], route_class=GuardedRoute)


async def metrics_of(request: Request) -> DatabaseMetrics:
    """The process's figures from the database."""
    found: DatabaseMetrics = request.app.state.metrics
    return found


MetricsDep = Annotated[DatabaseMetrics, Depends(metrics_of)]


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
        200, openapi_examples.METRICS, NotFoundError, media_type=str(PlainTextResponse.media_type)
    ),
)
async def metrics(backend: BackendDep, figures: MetricsDep) -> Response:
    """Figures for Prometheus, in its text format 0.0.4; 404 when they have a port of their own."""
    if backend.settings.metrics_port is not None:
        raise NotFoundError("The metrics have a port of their own.")
    return Response(await figures.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


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
