"""A run of LangChain's as a span of OpenTelemetry, by its conventions for generative AI.

Source: github.com/open-telemetry/semantic-conventions-genai. Names without a convention begin with
`deskgraph.`. The ids of trace and spans are those of the runs, so that both ways find each other.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from app.observability.trace_sender import ERROR_CLASS, Redact

# Of a text in an attribute: collectors refuse requests of many megabytes.
MAX_CHARS = 32_000
SCOPE = InstrumentationScope("deskgraph")
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
LOW_64_BITS = (1 << 64) - 1
ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
# Metadata of LangChain and LangGraph that says nothing of a support run.
INTERNAL = ("ls_", "langgraph_", "lc_", "__", "usage_metadata", "model_call", "checkpoint")

Attributes = dict[str, Any]


def span_of(run: Mapping[str, Any], redact: Redact, resource: Resource) -> ReadableSpan:
    """The span of a run that has ended; every text of it has passed `redact`."""
    metadata = redact(plain((run.get("extra") or {}).get("metadata") or {}))
    inputs, outputs = redact(plain(run.get("inputs"))), redact(plain(run.get("outputs")))
    error = redact(run.get("error")) if run.get("error") else None
    kind, trace_id = str(run.get("run_type")), _uuid(run["trace_id"])
    name, attributes = _named(run, kind, metadata, inputs, outputs)
    attributes |= dict(_about(metadata)) | {"deskgraph.tags": sorted(run.get("tags") or [])}
    if error and (found := ERROR_CLASS.match(error)):
        attributes["error.type"] = found[0]
    parent = run.get("parent_run_id")
    return ReadableSpan(
        name,
        context=_context(trace_id, _uuid(run["id"] if "id" in run else run["run_id"])),
        parent=_context(trace_id, _uuid(parent)) if parent else None,
        resource=resource,
        attributes=attributes,
        kind=SpanKind.CLIENT if kind == "llm" else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, _cut(error)) if error else Status(StatusCode.UNSET),
        start_time=_nanoseconds(run["start_time"]),
        end_time=_nanoseconds(run["end_time"]),
        instrumentation_scope=SCOPE,
    )


def plain(value: Any) -> Any:
    """The value as JSON holds it; an object is what it says of itself."""
    return json.loads(json.dumps(value, default=_as_json, skipkeys=True))


def _as_json(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, set | frozenset | tuple) else str(value)


def _named(
    run: Mapping[str, Any], kind: str, metadata: Attributes, inputs: Any, outputs: Any
) -> tuple[str, Attributes]:
    """The span's name, and what the conventions say of its operation."""
    name = str(run.get("name"))
    if kind == "llm":
        model = str(metadata.get("ls_model_name") or "unknown")
        return f"chat {model}", _chat(model, metadata, inputs, outputs)
    if kind == "tool":
        return f"execute_tool {name}", {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.arguments": _text(inputs),
            "gen_ai.tool.call.result": _text(outputs),
        }
    content = {"deskgraph.input": _text(inputs), "deskgraph.output": _text(outputs)}
    if run.get("parent_run_id"):
        return name, content
    workflow = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": name}
    return f"invoke_workflow {name}", {**workflow, **content}


def _chat(model: str, metadata: Attributes, inputs: Any, outputs: Any) -> Attributes:
    answer = next(iter(_answers(outputs)), {})
    usage = metadata.get("usage_metadata") or {}
    cached = (usage.get("input_token_details") or {}).get("cache_read")
    answered = (answer.get("response_metadata") or {}).get("model_name")
    known = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": metadata.get("ls_provider"),
        "gen_ai.request.model": model,
        "gen_ai.response.model": answered,
        "gen_ai.usage.input_tokens": usage.get("input_tokens"),
        "gen_ai.usage.output_tokens": usage.get("output_tokens"),
        "gen_ai.usage.cache_read.input_tokens": cached,
        "gen_ai.input.messages": _text([_message(one) for one in _asked(inputs)]),
        "gen_ai.output.messages": _text([_message(one) for one in _answers(outputs)]),
        "deskgraph.cost_usd": usage.get("total_cost"),
    }
    return {name: value for name, value in known.items() if value is not None}


def _asked(inputs: Any) -> Iterator[Attributes]:
    """The messages of a model call."""
    for batch in (inputs or {}).get("messages") or []:
        for message in batch:
            yield message.get("kwargs") or {}


def _answers(outputs: Any) -> Iterator[Attributes]:
    """The messages that the model answered."""
    for batch in (outputs or {}).get("generations") or []:
        for generation in batch:
            yield (generation.get("message") or {}).get("kwargs") or {}


def _message(message: Attributes) -> Attributes:
    """In the shape of the conventions."""
    role = ROLES.get(str(message.get("type")), str(message.get("type")))
    return {"role": role, "parts": [{"type": "text", "content": message.get("content")}]}


def _about(metadata: Attributes) -> Iterator[tuple[str, Any]]:
    """Where the run belongs, as every run of the trace says."""
    if thread := metadata.get("thread_id"):
        yield "gen_ai.conversation.id", thread
    for name, value in metadata.items():
        if not name.startswith(INTERNAL) and isinstance(value, str | bool | int | float):
            yield f"deskgraph.{name}", value


def _text(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    """Bounded, and without halves of surrogate pairs, which no protobuf holds."""
    cut = text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - 1]}…"
    return cut.encode("utf-8", "replace").decode()


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _context(trace_id: UUID, run_id: UUID) -> SpanContext:
    return SpanContext(trace_id.int, run_id.int & LOW_64_BITS, is_remote=False, trace_flags=SAMPLED)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000
