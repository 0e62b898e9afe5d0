"""LangSmith, by an explicit client from our settings. Without a key nothing is made or sent."""

import asyncio
import os
import re
from typing import Any
from uuid import UUID

import langsmith
from langchain_core.tracers.langchain import LangChainTracer
from langgraph.errors import GraphDrained, GraphInterrupt
from langsmith.anonymizer import create_secret_anonymizer
from langsmith.schemas import LangSmithInfo

from app.log import get_logger
from app.settings import Settings

log = get_logger(__name__)

# The client's own switches, which have no parameter: with them all sending happens in its daemon
# threads. A send in its thread pool would hold a stopping process until LangSmith answers.
CLIENT_SWITCHES = {"LANGSMITH_USE_DAEMON": "true", "LANGSMITH_DISABLE_RUN_COMPRESSION": "true"}
MAX_BATCH_BYTES = 20_000_000
OWN_KEYS = re.compile(r"\bdg_[0-9a-f]+_[\w-]{20,}")


class PauseTracer(LangChainTracer):
    """The stock tracer shows a pause or a drain as an error; here it is how the run ended."""

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> Any:
        """End a paused node, or a drained run, as finished."""
        if isinstance(error, GraphInterrupt):
            asked = [item.value for item in error.args[0]] if error.args else []
            self._say_on_root(run_id, "interrupted")
            return self.on_chain_end({"__interrupt__": asked}, run_id=run_id)
        if isinstance(error, GraphDrained):
            self._say_on_root(run_id, "drained")
            return self.on_chain_end({}, run_id=run_id)
        return super().on_chain_error(error, run_id=run_id, **kwargs)

    def _say_on_root(self, run_id: UUID, outcome: str) -> None:
        run = self.run_map.get(str(run_id))
        root = self.run_map.get(str(run.trace_id)) if run else None
        if root is not None:
            root.add_metadata({"run_outcome": outcome})


class Tracing:
    """Makes one tracer an execution, and flushes at exit within a bound."""

    def __init__(self, settings: Settings) -> None:
        self._flush_seconds = settings.trace_flush_seconds
        self._project = settings.langsmith_project
        self._client = _client(settings)

    def callbacks(self) -> list[PauseTracer]:
        """The tracer of one execution, or nothing. Sending happens in the client's own thread."""
        if self._client is None:
            return []
        return [PauseTracer(client=self._client, project_name=self._project)]

    async def close(self) -> None:
        """Send what is left, waiting no longer than the setting says."""
        if self._client is None:
            return
        await asyncio.to_thread(self._client.flush, timeout=self._flush_seconds)
        queue = self._client.tracing_queue
        if queue is not None and queue.unfinished_tasks:
            log.warning("traces_lost", items=queue.unfinished_tasks)


def _client(settings: Settings) -> langsmith.Client | None:
    if settings.langsmith_api_key is None:
        # LANGSMITH_TRACING in the environment would start a tracer that we know nothing of.
        langsmith.configure(enabled=False)
        return None
    for name, value in CLIENT_SWITCHES.items():
        os.environ.setdefault(name, value)
    return langsmith.Client(
        api_url=settings.langsmith_endpoint,
        api_key=settings.langsmith_api_key.get_secret_value(),
        # Known beforehand, so that nothing waits for `GET /info`.
        info=LangSmithInfo(),
        max_batch_size_bytes=MAX_BATCH_BYTES,
        anonymizer=create_secret_anonymizer(
            extra_rules=[{"pattern": OWN_KEYS, "replace": "[SECRET_DETECTED]"}], max_depth=40
        ),
    )
