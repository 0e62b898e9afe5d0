"""/v1/stats: what a tenant's nodes, models, runs and people did, how well, how fast, at what cost.

Each number that counts a problem names a run that shows it, and the list of all of them.
"""

from fastapi import APIRouter

from app.api import schemas
from app.api.http import stats_examples
from app.api.http.dependencies import Reader, Session
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.views import read_stats

router = APIRouter(prefix="/v1/stats", tags=["statistics"], route_class=GuardedRoute)


@router.get(
    "/nodes",
    response_model=schemas.NodeStats,
    responses=documented_responses(200, stats_examples.NODES),
)
async def get_node_stats(
    session: Session, key: Reader, window: schemas.Window = "24h"
) -> schemas.NodeStats:
    """Each node of the graph: attempts, failures with a run of each kind, percentiles, cost."""
    return await read_stats.node_stats(session, key.tenant_id, window)


@router.get(
    "/runs",
    response_model=schemas.RunStats,
    responses=documented_responses(200, stats_examples.RUNS),
)
async def get_run_stats(
    session: Session, key: Reader, window: schemas.Window = "24h"
) -> schemas.RunStats:
    """Finished runs: time in the queue, at work and with people, cost, refusals; the queue now."""
    return await read_stats.run_stats(session, key.tenant_id, window)


@router.get(
    "/models",
    response_model=schemas.ModelStats,
    responses=documented_responses(200, stats_examples.MODELS),
)
async def get_model_stats(
    session: Session, key: Reader, window: schemas.Window = "24h"
) -> schemas.ModelStats:
    """Each model: calls, failures and fallbacks with a run of each kind, cost by node."""
    return await read_stats.model_stats(session, key.tenant_id, window)


@router.get(
    "/approvals",
    response_model=schemas.ApprovalStats,
    responses=documented_responses(200, stats_examples.APPROVALS),
)
async def get_approval_stats(
    session: Session, key: Reader, window: schemas.Window = "24h"
) -> schemas.ApprovalStats:
    """Approvals: how long they waited, edits, rejections, and decisions too fast to be read."""
    return await read_stats.approval_stats(session, key.tenant_id, window)


@router.get(
    "/answers",
    response_model=schemas.AnswerStats,
    responses=documented_responses(200, stats_examples.ANSWERS),
)
async def get_answer_stats(
    session: Session, key: Reader, window: schemas.Window = "24h"
) -> schemas.AnswerStats:
    """How customers' messages ended: answered, acted, asked back, handed over, ignored."""
    return await read_stats.answer_stats(session, key.tenant_id, window)


@router.get(
    "/connections",
    response_model=schemas.ConnectionStats,
    responses=documented_responses(200, stats_examples.CONNECTIONS),
)
async def get_connection_stats(
    session: Session, key: Reader, window: schemas.Window = "24h"
) -> schemas.ConnectionStats:
    """Each connected system: what came from it, what went there, and how well."""
    return await read_stats.connection_stats(session, key.tenant_id, window)
