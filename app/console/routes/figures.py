"""/console/figures: what failed, how long it took, what it cost; each number leads to its runs."""

from fastapi import APIRouter, Request, Response

from app.api.http.dependencies import Session
from app.api.schemas import Window
from app.api.views import read_stats
from app.console.console_route import ConsoleRoute
from app.console.templating import page
from app.console.viewer import ViewerDep
from app.console.views import figures as views

router = APIRouter(prefix="/console/figures", route_class=ConsoleRoute)


@router.get("")
async def show(
    request: Request, session: Session, viewer: ViewerDep, window: Window = "24h"
) -> Response:
    """The statistics of a window, beside the one before it."""
    viewer.need("runs:read")
    tenant = viewer.tenant_id
    nodes = await read_stats.node_stats(session, tenant, window)
    models = await read_stats.model_stats(session, tenant, window)
    runs = await read_stats.run_stats(session, tenant, window)
    return page(
        request,
        "figures.html",
        window=window,
        windows=views.WINDOWS,
        since=nodes.since,
        before_since=nodes.before_since,
        answers=await read_stats.answer_stats(session, tenant, window),
        runs=runs,
        nodes=nodes,
        models=models,
        approvals=await read_stats.approval_stats(session, tenant, window),
        connections=await read_stats.connection_stats(session, tenant, window),
        problems=views.problems(nodes, models, runs),
        slowest=views.slowest(nodes),
        dearest=views.dearest(models),
    )
