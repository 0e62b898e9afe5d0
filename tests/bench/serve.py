"""The processes that are measured: our API, our worker on a chosen graph, and the stock handler.

`python -m tests.bench.serve worker reference`, `... stock PORT`; the database comes from
DESKGRAPH_DATABASE_URL.
"""

import os

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from app.commands.serve import _loop_factory, leave_what_stays
from app.db.engine import open_saver_pool
from app.log import configure_logging
from app.settings import Settings
from app.wiring import open_service
from app.worker.main import run_worker
from graphs.state import Ticket, fresh_run
from tests.bench.canned import canned_pool
from tests.bench.reference import build_reference_graph


async def worker(graph: str) -> None:
    """Our worker until SIGTERM, with the reference graph, or the real one and a canned model."""
    configure_logging("WARNING", as_json=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_service(Settings()) as service:
        if graph == "reference":
            saver = service.graph.checkpointer
            compiled = build_reference_graph().compile(checkpointer=saver, name="reference")
            measured = replace(service, graph=compiled)
        else:
            measured = replace(service, models=canned_pool())
        print("ready", flush=True)  # noqa: T201  # read by the bench
        leave_what_stays()
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


def main() -> None:
    """Run the part that the arguments name."""
    part, argument = sys.argv[1:3]
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        if part == "worker":
            runner.run(worker(argument))
        else:
            config = uvicorn.Config(stock_app(), port=int(argument), log_level="warning")
            runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
