"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP and keeps the spans by id."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class Got:
    """One span as it arrived; ids in hexadecimal digits."""

    name: str
    trace_id: str
    id: str
    parent: str
    kind: int
    attributes: dict[str, Any]
    is_error: bool
    message: str
    nanoseconds: int
    resource: dict[str, Any]


class OtelCollector:
    """`spans` as decoded, `sent` as bytes; `status` is what it answers."""

    def __init__(self) -> None:
        self.spans: list[Got] = []
        self.headers: list[dict[str, str]] = []
        self.sent = b""
        self.status = 200
        self.app = FastAPI()
        self.app.add_api_route("/v1/traces", self._export, methods=["POST"])

    def of_trace(self, trace_id: str) -> list[Got]:
        """The spans of a trace by the id that the run has, in the order they ended."""
        return [span for span in self.spans if span.trace_id == UUID(trace_id).hex]

    async def _export(self, request: Request) -> Response:
        body = await request.body()
        if self.status != 200:
            return Response(status_code=self.status)
        assert request.headers["content-type"] == PROTOBUF
        self.headers.append(dict(request.headers))
        self.sent += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            own = values(resource.resource.attributes)
            self.spans += [got(s, own) for scope in resource.scope_spans for s in scope.spans]
        return Response(ExportTraceServiceResponse().SerializeToString(), media_type=PROTOBUF)


def got(span: Span, resource: dict[str, Any]) -> Got:
    """A span of the wire."""
    return Got(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.kind,
        values(span.attributes),
        span.status.code == Status.STATUS_CODE_ERROR,
        span.status.message,
        span.end_time_unix_nano - span.start_time_unix_nano,
        resource,
    )


def values(attributes: Any) -> dict[str, Any]:
    """Attributes by name."""
    return {one.key: value_of(one.value) for one in attributes}


def value_of(value: AnyValue) -> Any:
    """A value of the wire."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None
