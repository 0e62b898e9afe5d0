"""deskgraph shell: a Python prompt on the running parts, for operators and contributors.

The standard library's console with top-level `await`: the same prompt wherever the package is
installed. The connections live in an event loop of a thread of their own, so that Ctrl-C stops what
was typed and not the connections.
"""

import ast
import asyncio
import code
import concurrent.futures
import inspect
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import CodeType, FunctionType
from typing import Any

from sqlalchemy import func, select, update

from app.db.effects import approvals
from app.db.effects import ledger as ledger_queries
from app.db.events import queries as event_queries
from app.db.runs import queries as run_queries
from app.db.runs import steps as step_queries
from app.db.tables.approvals_and_ledger import Approval, Decision, LedgerEntry
from app.db.tables.events import Event
from app.db.tables.runs import Message, Run, Step
from app.db.tables.tenants import ApiKey, PolicyVersion, Tenant
from app.db.tables.webhooks import Callback
from app.execution.wiring import Service, open_service
from app.settings import Settings

BANNER = """\
deskgraph shell on {database}. Top-level `await` works; Ctrl-D leaves.

  settings   the settings of this process
  sessions   `sessions()` only reads; `sessions.begin()` COMMITS at its end
  graph      the compiled workflow with its checkpoints: `await graph.aget_state(config)`
  service    everything that a worker has: models, prices, saver, ports

  {queries}
             modules of queries
  {tables}
             tables
  select, update, func
             what SQLAlchemy makes statements of

THIS SHELL CAN WRITE: no gate, no ledger and no approval stands between you and the database.

>>> async with sessions() as s:
...     for run in await s.scalars(runs.runs_of_tenant("demo").order_by(Run.id.desc()).limit(5)):
...         print(run.id, run.status, run.outcome)
"""
TABLES = (
    Run, Step, Message, Approval, Decision, LedgerEntry, Event, Callback, Tenant, ApiKey,
    PolicyVersion,
)  # fmt: skip
QUERIES = {
    "runs": run_queries,
    "steps": step_queries,
    "approvals": approvals,
    "ledger": ledger_queries,
    "events": event_queries,
}


def run_shell(settings: Settings) -> None:
    """Read and run lines until the end of input."""
    with background_loop() as loop:
        opening = open_service(settings)
        service = in_loop(loop, opening.__aenter__())
        try:
            console = AwaitingConsole(names_for(service), loop)
            # Tab completes the names, and the arrows bring earlier lines back.
            with suppress(ImportError):
                import readline  # noqa: F401, PLC0415  # there is none on Windows
            console.interact(banner(settings), exitmsg="")
        finally:
            in_loop(loop, opening.__aexit__(None, None, None))


def names_for(service: Service) -> dict[str, Any]:
    """What can be named at the prompt."""
    return {
        "settings": service.settings,
        "sessions": service.sessions,
        "graph": service.graph,
        "service": service,
        **QUERIES,
        **{table.__name__: table for table in TABLES},
        "select": select,
        "update": update,
        "func": func,
    }


def banner(settings: Settings) -> str:
    """What is there, and that it can write."""
    assert settings.database_url is not None, "the command has found a database"
    host = settings.database_url.get_secret_value().rpartition("@")[2]
    return BANNER.format(
        database=host,
        queries=", ".join(QUERIES),
        tables=", ".join(table.__name__ for table in TABLES),
    )


class AwaitingConsole(code.InteractiveConsole):
    """A console whose lines run in an event loop of another thread, and may await there."""

    def __init__(self, names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop = loop

    def runcode(self, code: CodeType) -> None:
        """Run what was typed; whatever it raises is shown, except an exit."""
        running = asyncio.run_coroutine_threadsafe(self._run(code), self._loop)
        try:
            leaving = running.result()
        except KeyboardInterrupt:
            running.cancel()
            self.write("\nKeyboardInterrupt\n")
        except (Exception, concurrent.futures.CancelledError):  # noqa: BLE001  # shown to who typed
            self.showtraceback()
        else:
            if leaving is not None:
                raise leaving

    def showtraceback(self) -> None:
        """Show the error from the typed line on, without the frames of this console above it."""
        error = sys.exception()
        assert error is not None, "called while an error is handled"
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != self.filename:
            trace = trace.tb_next
        self.write("".join(traceback.format_exception(type(error), error, trace)))

    async def _run(self, code: CodeType) -> SystemExit | None:
        """An exit is given back: raised within the loop it would stop the loop."""
        try:
            found = FunctionType(code, self.locals)()
            if inspect.iscoroutine(found):
                await found
        except SystemExit as leaving:
            return leaving
        return None


@contextmanager
def background_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="shell", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def in_loop(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    """Run a coroutine in that loop and wait for what it answers."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()
