"""LangSmith, by an explicit client from our settings. Without a key nothing is made or sent."""

import asyncio
from typing import Any
from uuid import UUID

from langchain_core.tracers.langchain import LangChainTracer
from langgraph.errors import GraphBubbleUp
from langsmith import Client
from langsmith.anonymizer import create_secret_anonymizer

from app.log import get_logger
from app.settings import Settings

log = get_logger(__name__)


class PauseTracer(LangChainTracer):
    """The stock tracer shows a pause as an error; here it is an interrupted run's output."""

    paused = False

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> Any:
        """End a paused node as finished, with what it asks as its output."""
        if not isinstance(error, GraphBubbleUp):
            return super().on_chain_error(error, run_id=run_id, **kwargs)
        self.paused = True
        asked = [
            getattr(item, "value", str(item)) for item in (error.args[0] if error.args else ())
        ]
        return super().on_chain_end({"__interrupt__": asked}, run_id=run_id)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> Any:
        """Say on the root that the run waits for a person."""
        run = self.run_map.get(str(run_id))
        if run is not None and run.parent_run_id is None and self.paused:
            run.add_metadata({"run_outcome": "interrupted"})
        return super().on_chain_end(outputs, run_id=run_id, **kwargs)


class Tracing:
    """Makes one tracer an execution, and flushes at exit within a bound."""

    def __init__(self, settings: Settings) -> None:
        self._flush_seconds = settings.trace_flush_seconds
        self._project = settings.langsmith_project
        self._client: Client | None = None
        if settings.langsmith_api_key:
            self._client = Client(
                api_url=settings.langsmith_endpoint,
                api_key=settings.langsmith_api_key.get_secret_value(),
                anonymizer=create_secret_anonymizer(max_depth=40),
            )

    def callbacks(self) -> list[PauseTracer]:
        """The tracer of one execution, or nothing. Sending happens in the client's own thread."""
        if self._client is None:
            return []
        return [PauseTracer(client=self._client, project_name=self._project)]

    async def close(self) -> None:
        """Send what is left, waiting no longer than the setting says."""
        if self._client is None:
            return
        try:
            async with asyncio.timeout(self._flush_seconds + 1):
                await asyncio.to_thread(self._client.flush, timeout=self._flush_seconds)
        except TimeoutError:
            log.warning("traces_lost", reason="LangSmith did not take them in time")
