"""LangSmith, by an explicit client from our settings. Without a key nothing is made or sent."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, cast

import langsmith
from langsmith.schemas import LangSmithInfo

from app.log import get_logger
from app.observability.prices import Prices
from app.observability.redaction import Redactor
from app.observability.trace_parent import TraceParent
from app.observability.trace_sender import ExecutionClient, TraceSender
from app.observability.tracer import ExecutionTracer
from app.settings import Settings
from graphs.policy import TraceContent

log = get_logger(__name__)

# The client's own switches, which have no parameter: with them all sending happens in its daemon
# threads. A send in its thread pool would hold a stopping process until LangSmith answers.
CLIENT_SWITCHES = {"LANGSMITH_USE_DAEMON": "true", "LANGSMITH_DISABLE_RUN_COMPRESSION": "true"}
MAX_BATCH_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Traced:
    """What is said of one execution: `metadata` and `tags` go on every run of its trace.

    `content` is the policy's `trace_content`, `names` the people to be masked, `parent` a caller's
    run that it stands under.
    """

    content: TraceContent
    names: tuple[str, ...]
    metadata: dict[str, Any]
    tags: list[str] = field(default_factory=list)
    parent: TraceParent | None = None


class Tracing:
    """Makes one tracer an execution, and flushes at exit within a bound."""

    def __init__(self, settings: Settings) -> None:
        self._flush_seconds = settings.trace_flush_seconds
        self._project = settings.langsmith_project
        self._everywhere = {
            "environment": settings.environment,
            "revision": settings.revision or version("deskgraph"),
        }
        self._tags = [f"env:{settings.environment}"]
        # LANGSMITH_TRACING in the environment would start a tracer that redacts nothing.
        langsmith.configure(enabled=False)
        # Why the last item that was given up was.
        self.lost: str | None = None
        self._sender = _sender(settings, self._note_lost)

    @property
    def is_on(self) -> bool:
        """Whether anything is traced."""
        return self._sender is not None

    def callbacks(self, traced: Traced, prices: Prices) -> list[ExecutionTracer]:
        """The tracer of one execution, or nothing; `prices` say what each model call cost.

        Texts are redacted and sent in threads of their own.
        """
        if self._sender is None:
            return []
        client = ExecutionClient(self._sender, Redactor(traced.content, traced.names))
        tracer = ExecutionTracer.of(
            prices,
            traced.parent,
            client=cast("langsmith.Client", client),
            project_name=self._project,
            tags=[*self._tags, *traced.tags],
            metadata={**self._everywhere, **traced.metadata},
        )
        return [tracer]

    async def close(self) -> None:
        """Send what is left, waiting no longer than the setting says."""
        if self._sender is None:
            return
        if left := await asyncio.to_thread(self._sender.flush, self._flush_seconds):
            self.lost = f"no answer within {self._flush_seconds:g} s"
            log.warning("traces_lost", items=left)

    def _note_lost(self, error: Exception) -> None:
        """What the client says of traces that it gave up, as with a key that LangSmith refuses."""
        self.lost = type(error).__name__
        log.warning("traces_lost", error=self.lost)


def _sender(settings: Settings, note_lost: Callable[[Exception], None]) -> TraceSender | None:
    if settings.langsmith_api_key is None:
        return None
    for name, value in CLIENT_SWITCHES.items():
        os.environ.setdefault(name, value)
    key = settings.langsmith_api_key.get_secret_value()

    def make(anonymizer: Callable[[Any], Any]) -> langsmith.Client:
        return langsmith.Client(
            api_url=settings.langsmith_endpoint,
            api_key=key,
            # Known beforehand, so that nothing waits for `GET /info`.
            info=LangSmithInfo(),
            max_batch_size_bytes=MAX_BATCH_BYTES,
            anonymizer=anonymizer,
            tracing_error_callback=note_lost,
        )

    return TraceSender(make)
