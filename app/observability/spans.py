"""A run of LangChain's as a span of OpenTelemetry, by its conventions for generative AI.

Source: github.com/open-telemetry/semantic-conventions-genai. Names without a convention begin with
`deskgraph.`. The ids of trace and spans are those of the runs, so that both ways find each other.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from app.observability.trace_run import TracedRun
from app.observability.trace_sender import ERROR_CLASS, Sent

# Of a text in an attribute: collectors refuse requests of many megabytes.
MAX_CHARS = 32_000
SCOPE = InstrumentationScope("deskgraph")
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
LOW_64_BITS = (1 << 64) - 1
ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
# Metadata of LangChain and LangGraph that says nothing of a support run.
INTERNAL = ("ls_", "langgraph_", "lc_", "__", "usage_metadata", "model_call", "checkpoint")

Attributes = dict[str, Any]


def span_of(item: Sent, resource: Resource) -> ReadableSpan:
    """The span of a run that has ended; every text of it is masked."""
    run, text = item.run, item.text
    metadata = json.loads(text.about(run.execution.metadata, run.own_metadata))
    inputs, outputs = text.of(run.inputs).decode(), text.of(run.outputs).decode()
    error = None if item.error is None else json.loads(item.error)
    name, attributes = _named(run, metadata, inputs, outputs)
    tags = sorted({*run.tags, *run.execution.tags})
    attributes |= dict(_about(metadata)) | {"deskgraph.tags": tags}
    if error and (found := ERROR_CLASS.match(error)):
        attributes["error.type"] = found[0]
    parent = run.parent_id
    return ReadableSpan(
        name,
        context=_context(run.trace_id, run.id),
        parent=_context(run.trace_id, parent) if parent else None,
        resource=resource,
        attributes=attributes,
        kind=SpanKind.CLIENT if run.kind == "llm" else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, _cut(error)) if error else Status(StatusCode.UNSET),
        start_time=_nanoseconds(run.start),
        end_time=_nanoseconds(run.end or run.start),
        instrumentation_scope=SCOPE,
    )


def _named(
    run: TracedRun, metadata: Attributes, inputs: str, outputs: str
) -> tuple[str, Attributes]:
    """The span's name, and what the conventions say of its operation."""
    name = run.name
    if run.kind == "llm":
        model = str(metadata.get("ls_model_name") or "unknown")
        return f"chat {model}", _chat(model, metadata, json.loads(inputs), json.loads(outputs))
    if run.kind == "tool":
        return f"execute_tool {name}", {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.arguments": _cut(inputs),
            "gen_ai.tool.call.result": _cut(outputs),
        }
    content = {"deskgraph.input": _cut(inputs), "deskgraph.output": _cut(outputs)}
    if run.parent_id:
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


def _context(trace_id: UUID, run_id: UUID) -> SpanContext:
    return SpanContext(trace_id.int, run_id.int & LOW_64_BITS, is_remote=False, trace_flags=SAMPLED)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000
