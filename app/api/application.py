"""The application: routes, the checks in front of them, and problems behind them."""

import re
import time

import structlog
from prometheus_client import Histogram
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from app.adapters.webhooks.ssrf_guard import make_guard
from app.api.http.dependencies import Backend
from app.api.http.openapi_document import DESCRIPTION, DocumentedApi
from app.api.http.problems import install_problems, route_of
from app.api.http.strict_url import StrictUrl
from app.api.http.unread_body import CloseUnread
from app.api.routes import (
    agents,
    approvals,
    articles,
    audit,
    callbacks,
    connections,
    customers,
    events,
    feedback,
    handoffs,
    health,
    hooks,
    inbox,
    index,
    keys,
    me,
    pauses,
    policy,
    policy_changes,
    replays,
    runs,
    stats,
    threads,
    webhook_endpoints,
    webhook_secrets,
)
from app.api.streaming.event_broadcaster import EventBroadcaster
from app.api.streaming.run_waiter import RunWaiter
from app.connectors.http import HttpClient
from app.log import get_logger
from app.observability.database_metrics import DatabaseMetrics
from app.services.connections.check import Reach
from app.services.connections.encryption import vault_of

log = get_logger(__name__)

REQUEST_ID = re.compile(r"^[\w.:-]{1,128}$", re.ASCII)
LATENCY = Histogram(
    "deskgraph_http_request_seconds", "Time to answer a request.", ["method", "route", "status"]
)


def create_app(backend: Backend) -> DocumentedApi:
    """The ASGI application for one process."""
    app = _documented()
    _hold(app, backend)
    modules = (
        runs,
        feedback,
        replays,
        stats,
        events,
        approvals,
        policy,
        policy_changes,
        audit,
        handoffs,
        inbox,
        agents,
        threads,
        webhook_secrets,
        callbacks,
        webhook_endpoints,
        connections,
        hooks,
        articles,
        customers,
        keys,
        pauses,
        me,
        health,
        index,
    )
    for module in modules:
        app.include_router(module.router)
    install_problems(app)
    app.state.routes = [route for module in modules for route in module.router.routes]
    _add_middleware(app, backend.settings.cors_origins)
    return app


def _documented() -> DocumentedApi:
    """The application without routes, as its document introduces it."""
    return DocumentedApi(
        title="deskgraph",
        version="1",
        summary="Answers support tickets with a workflow that your code controls.",
        description=DESCRIPTION,
        redirect_slashes=False,
        # Names of functions are the operations' ids, and so the names in generated clients.
        generate_unique_id_function=lambda route: route.name,
        servers=[{"url": "/", "description": "Where this document is served."}],
        # FastAPI's pages load their scripts from elsewhere at run time; /docs has files of ours.
        docs_url=None,
        # routes/index.py serves the document, behind the checks of every route.
        openapi_url=None,
        redoc_url=None,
    )


def _hold(app: DocumentedApi, backend: Backend) -> None:
    """Keep what the routes of this process share."""
    app.state.backend = backend
    app.state.event_broadcaster = EventBroadcaster(
        backend.sessions, backend.settings.streams_per_tenant
    )
    app.state.connections = Reach(
        HttpClient(make_guard(backend.settings.callback_allow)), vault_of(backend.settings)
    )
    app.state.metrics = DatabaseMetrics(backend.sessions)
    app.state.run_waiter = RunWaiter(backend.sessions, backend.settings)


def _add_middleware(app: DocumentedApi, cors_origins: list[str]) -> None:
    """The checks before any route; the last one added stands in front."""
    app.add_middleware(StrictUrl)
    app.add_middleware(RequestId)
    app.add_middleware(CloseUnread)
    if cors_origins:
        allow_pages(app, cors_origins)


def allow_pages(app: DocumentedApi, origins: list[str]) -> None:
    """Let pages of these origins call with a key of theirs; no cookie counts here, so none goes."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match",
                       "Last-Event-ID", "X-Request-Id"],
        expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
    )  # fmt: skip


class RequestId:
    """ASGI middleware: takes or makes `X-Request-Id`, answers it, logs and counts the request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = sent if REQUEST_ID.match(sent) else str(uuid7())
        scope["request_id"] = request_id
        # 499, as proxies write it: the caller left before there was an answer.
        started, status = time.perf_counter(), 499

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answer)
            finally:
                self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        LATENCY.labels(scope["method"], route, status).observe(seconds)
        log.info("request", method=scope["method"], route=route, status=status,
                 ms=round(seconds * 1000, 1))  # fmt: skip
