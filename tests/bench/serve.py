"""The processes that are measured: our API, our worker on a chosen graph, and the stock handler.

`python -m tests.bench.serve worker reference`, `... api PORT`, `... model PORT`, `... stock PORT`,
`... desk PORT`, `... langsmith PORT`;
the database comes from DESKGRAPH_DATABASE_URL. With BENCH_LAG, the API and the worker write into
that folder when and how late their event loop woke a task.
"""

import os

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

import asyncio
import json
import signal
import time
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from app.commands.serve import _loop_factory, _run_api, bind, freeze_gc
from app.db.core.connections import open_saver_pool
from app.execution.wiring import open_service
from app.log import configure_logging
from app.settings import Settings
from app.worker.main import run_worker
from graphs.state import Ticket, fresh_run
from tests.bench.canned import QUESTION, canned_pool
from tests.bench.options import command_line, positive
from tests.bench.reference import build_reference_graph
from tests.doubles.langsmith_capture import LangSmithCapture
from tests.doubles.openai_double import TRIAGE, OpenAIDouble

TICK_SECONDS = 0.01
MODEL_SECONDS = 0.3


@asynccontextmanager
async def lag_noted(part: str) -> AsyncIterator[None]:
    """Note when and how late a task wakes that sleeps 10 ms, and what CPU its thread took."""
    noted: list[tuple[float, float, float]] = []

    async def probe() -> None:
        while True:
            begin, worked = time.monotonic(), time.thread_time()
            await asyncio.sleep(TICK_SECONDS)
            now, late = time.monotonic(), time.monotonic() - begin - TICK_SECONDS
            noted.append((now, late, min(late, time.thread_time() - worked)))

    folder = os.environ.get("BENCH_LAG")
    probing = asyncio.create_task(probe()) if folder else None
    try:
        yield
    finally:
        if probing and folder:
            probing.cancel()
            with suppress(asyncio.CancelledError):
                await probing
            file = Path(folder, f"{part}-{os.getpid()}.json")
            file.write_text(json.dumps(noted))  # noqa: ASYNC240  # the loop has nothing else to do


def _stopped() -> asyncio.Event:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop


async def api(port: int) -> None:
    """Our API until SIGTERM."""
    configure_logging("WARNING", as_json=True)
    stop = _stopped()
    async with open_service(Settings()) as service, lag_noted("api"):
        ready = lambda _url: print("ready", flush=True)  # noqa: T201, E731  # read by the bench
        await _run_api(service, bind("127.0.0.1", port), "bench", stop, ready)


def model_app() -> FastAPI:
    """A model that answers every question about articles, each after 300 ms."""
    double = OpenAIDouble()
    double.slow_seconds = MODEL_SECONDS
    double.answers["Classification"] = {**TRIAGE, "intents": ["general"]}
    return double.app


async def worker(graph: str) -> None:
    """Our worker until SIGTERM, with the reference graph, or the real one and a canned model."""
    configure_logging("WARNING", as_json=True)
    stop = _stopped()
    async with open_service(Settings()) as service, lag_noted("worker"):
        measured = service
        if graph == "reference":
            saver = service.graph.checkpointer
            compiled = build_reference_graph().compile(checkpointer=saver, name="reference")
            measured = replace(service, graph=compiled)
        elif graph == "support":
            measured = replace(service, models=canned_pool())
        print("ready", flush=True)  # noqa: T201  # read by the bench
        freeze_gc()
        await run_worker(measured, stop)


def stock_app() -> FastAPI:
    """Runs the graph inside the request with the stock saver: no queue, no rescue."""
    graph: Any = None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        nonlocal graph
        async with open_saver_pool(os.environ["DESKGRAPH_DATABASE_URL"], 4) as pool:
            graph = build_reference_graph().compile(checkpointer=AsyncPostgresSaver(pool))
            print("ready", flush=True)  # noqa: T201  # read by the bench
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/runs")
    async def start(body: dict[str, Any]) -> dict[str, Any]:
        posted = body["ticket"]
        ticket: Ticket = {
            "subject": posted["subject"],
            "body": posted["body"],
            "language": None,
            "customer_name": None,
        }
        run_id = str(uuid4())
        config = {"configurable": {"thread_id": run_id}}
        state = await graph.ainvoke(fresh_run(run_id, ticket), config)
        return {"id": run_id, "status": "success", "outcome": state["outcome"]}

    return app


def desk_app() -> FastAPI:
    """A helpdesk that has every ticket, with one question of its own, and takes every reply."""
    app = FastAPI()

    @app.post("/deskgraph")
    async def take(call: dict[str, Any]) -> dict[str, Any]:
        if call["type"] != "ticket.read":
            return {"id": "1", "version": "2"}
        ticket = call["data"]["ticket_id"]
        text = QUESTION.format(ticket)
        return {
            "version": "1",
            "subject": "Upload",
            "requester": {"id": f"person-{ticket}"},
            "messages": [{"id": "1", "author": "customer", "text": text}],
        }

    return app


def langsmith_app() -> FastAPI:
    """A server that takes traces."""
    return LangSmithCapture().app


async def serve(app: FastAPI, port: int) -> None:
    """Another server than ours, until SIGTERM."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    await server.serve()


OTHERS = {"stock": stock_app, "model": model_app, "desk": desk_app, "langsmith": langsmith_app}


def options() -> Namespace:
    """The part to run, with its graph or its port."""
    parser = command_line("tests.bench.serve", __doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    graph = parts.add_parser("worker", help="our worker")
    graph.add_argument("graph", choices=("reference", "support", "remote"))
    for part in ("api", *OTHERS):
        parts.add_parser(part).add_argument("port", type=positive)
    return parser.parse_args()


def main() -> None:
    """Run the part that the command line names."""
    asked = options()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        if asked.part == "worker":
            runner.run(worker(asked.graph))
        elif asked.part == "api":
            runner.run(api(asked.port))
        else:
            runner.run(serve(OTHERS[asked.part](), asked.port))


if __name__ == "__main__":
    main()
