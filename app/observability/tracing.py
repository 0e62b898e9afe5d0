"""Traces to LangSmith and to an OpenTelemetry collector, by clients made from our settings.

Without a key and an endpoint nothing is made or sent.
"""

import asyncio
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import langsmith

from app.observability import langsmith_client
from app.observability.prices import Prices
from app.observability.trace_parent import TraceParent
from app.observability.trace_run import Execution, TracedRun
from app.observability.trace_sender import SPANS, Ended, TraceSender, note_lost
from app.observability.tracer import ExecutionTracer
from app.settings import Settings
from graphs.policy import TraceContent


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
        self._late: str | None = None
        self._senders = _senders(settings)

    @property
    def is_on(self) -> bool:
        """Whether anything is traced."""
        return bool(self._senders)

    @property
    def lost(self) -> str | None:
        """Why the last item that was given up was."""
        return self._late or next((s.client.lost for s in self._senders if s.client.lost), None)

    def callbacks(self, traced: Traced, prices: Prices) -> list[ExecutionTracer]:
        """The tracer of one execution, or nothing; `prices` say what each model call cost.

        Texts are redacted and sent in threads of their own.
        """
        if not self._senders:
            return []
        execution = Execution(
            traced.content,
            traced.names,
            self._project,
            {**self._everywhere, **traced.metadata},
            [*self._tags, *traced.tags],
            traced.parent,
        )
        return [ExecutionTracer(execution, self._senders, prices)]

    @property
    def has_spans(self) -> bool:
        """Whether a collector gets spans, each once and whole."""
        return any(sender.name == SPANS for sender in self._senders)

    def send_spans(self, runs: list[TracedRun]) -> None:
        """Send runs that have ended to the collector alone."""
        for sender in self._senders:
            if sender.name == SPANS:
                for run in runs:
                    sender.put(Ended(run))

    async def close(self) -> None:
        """Send what is left, waiting no longer than the setting says."""
        flushing = [asyncio.to_thread(s.flush, self._flush_seconds) for s in self._senders]
        for sender, left in zip(self._senders, await asyncio.gather(*flushing), strict=True):
            if left:
                self._late = f"no answer within {self._flush_seconds:g} s"
                note_lost(sender.name, items=left)


def _senders(settings: Settings) -> list[TraceSender]:
    senders = []
    if settings.langsmith_api_key is not None:
        client = langsmith_client.LangSmithClient(settings)
        senders.append(TraceSender(langsmith_client.NAME, client))
    if settings.otel_endpoint is not None:
        # An extra, which most installations do without.
        from app.observability import span_client  # noqa: PLC0415

        senders.append(TraceSender(SPANS, span_client.SpanClient(settings)))
    return senders
