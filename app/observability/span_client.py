"""Sends runs of LangChain's as spans to an OpenTelemetry collector, by OTLP over HTTP.

Needs the extra `otel`. A span is sent once it has ended; those that a worker left when it died are
sent by the one that recovers its run.
"""

import logging
from functools import partial
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from app.observability.spans import span_of
from app.observability.trace_sender import SPANS, Sent, made, note_lost
from app.settings import Settings

SEND_SECONDS = 5.0


class SpanClient:
    """Makes a span of each run that ended."""

    def __init__(self, settings: Settings) -> None:
        assert settings.otel_endpoint is not None, "without an endpoint nothing is made"
        # They quote the collector's answers; what is lost is said by us.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        headers = {name: value.get_secret_value() for name, value in settings.otel_headers.items()}
        self.lost: str | None = None
        self.away = False
        self._exporter = OTLPSpanExporter(
            settings.otel_endpoint, headers=headers, timeout=SEND_SECONDS
        )
        self._resource = Resource(
            {
                "service.name": "deskgraph",
                "service.version": settings.revision or version("deskgraph"),
                "deployment.environment.name": settings.environment,
            }
        )

    def send(self, items: list[Sent]) -> None:
        """See TraceClient. A batch that the collector does not take is not sent again."""
        whole = [item for item in items if item.run.end and item.feedback is None]
        spans = [span for _, span in made(SPANS, whole, partial(span_of, resource=self._resource))]
        if not spans:
            return
        self.away = self._exporter.export(spans) is not SpanExportResult.SUCCESS
        if self.away:
            self.lost = "refused or not reached"
            note_lost(SPANS, items=len(spans))
