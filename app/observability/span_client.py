"""Sends runs of LangChain's as spans to an OpenTelemetry collector, by OTLP over HTTP.

Needs the extra `otel`. A span is sent once it has ended, so one of a worker that died never is.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from app.observability.spans import span_of
from app.observability.trace_sender import Redact, note_lost
from app.settings import Settings

NAME = "otel"
# Runs whose end has not come; those of executions that were killed are dropped, oldest first.
MAX_OPEN = 10_000
SEND_SECONDS = 5.0


class SpanClient:
    """Makes a span of each run that ends, and has it sent with others in a thread of the SDK."""

    def __init__(self, settings: Settings, redact: Redact) -> None:
        assert settings.otel_endpoint is not None, "without an endpoint nothing is made"
        # They quote the collector's answers; what is lost is said by us.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        headers = {name: value.get_secret_value() for name, value in settings.otel_headers.items()}
        self.lost: str | None = None
        self._redact = redact
        self._open: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._exporter = CountingExporter(
            OTLPSpanExporter(settings.otel_endpoint, headers=headers, timeout=SEND_SECONDS)
        )
        self._processor = BatchSpanProcessor(self._exporter, schedule_delay_millis=1000)
        self._made = 0
        self._resource = Resource(
            {
                "service.name": "deskgraph",
                "service.version": settings.revision or version("deskgraph"),
                "deployment.environment.name": settings.environment,
            }
        )

    def create_run(self, **run: Any) -> None:
        """Keep the start of a run until its end comes."""
        self._open[str(run["id"])] = run
        if len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)

    def update_run(self, **run: Any) -> None:
        """Make the span of a run that ended."""
        begun = self._open.pop(str(run["run_id"]), {})
        whole = {**begun, **{name: value for name, value in run.items() if value is not None}}
        self._processor.on_end(span_of(whole, self._redact, self._resource))
        self._made += 1

    def flush(self, seconds: float) -> int:
        """Send what waits, for at most so many seconds; returns how many spans are left."""
        # The SDK does not keep its own bound: open-telemetry/opentelemetry-python issue 4568.
        sending = threading.Thread(target=self._processor.force_flush, daemon=True)
        sending.start()
        sending.join(seconds)
        return self._made - self._exporter.ended


class CountingExporter(SpanExporter):
    """Another exporter, of which it counts what it has ended with, and says what it lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.ended = 0
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch of spans; one that is refused is not sent again."""
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            note_lost(NAME, items=len(spans))
        self.ended += len(spans)
        return result

    def shutdown(self) -> None:
        """Stop sending."""
        self._exporter.shutdown()
