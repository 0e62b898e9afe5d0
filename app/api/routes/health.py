"""Is the process alive, is it ready, what does it count; and what an error code means."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.api.http.dependencies import Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import problems
from app.errors import DeskgraphError, NotFoundError, UnavailableError

router = APIRouter(tags=["health"], route_class=GuardedRoute)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses=problems())
async def readyz(session: Session) -> dict[str, str]:
    """The database answers too, and its schema is there; else 503."""
    try:
        await session.execute(text("SELECT 1 FROM runs LIMIT 1"))
    except ProgrammingError as error:
        raise UnavailableError("The schema is missing; run `deskgraph migrate`.") from error
    return {"status": "ready"}


@router.get("/metrics")
async def metrics() -> Response:
    """Counters for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/problems/{code}", responses=problems(NotFoundError))
async def explain_problem(code: str) -> dict[str, str | int]:
    """What a problem's `type` refers to."""
    for error in _all_errors(DeskgraphError):
        if error.code == code:
            meaning = (error.__doc__ or "").strip().splitlines()[0]
            return {"code": code, "status": error.status, "title": error.title, "detail": meaning}
    raise NotFoundError(f"There is no problem {code[:100]!r}.")


def _all_errors(root: type[DeskgraphError]) -> list[type[DeskgraphError]]:
    return [root, *(error for child in root.__subclasses__() for error in _all_errors(child))]
