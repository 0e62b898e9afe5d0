"""Shows a tool's call in the trace, under the node that makes it."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.callbacks import BaseCallbackManager
from langgraph.config import get_config

from app.observability.tracer import ExecutionTracer
from tools.models import JsonObject


async def as_tool_run(name: str, args: JsonObject, call: Callable[[], Awaitable[Any]]) -> Any:
    """Make the call as a run of the type `tool`, where the node is traced. Raises what it does."""
    # Not by LangChain's own callbacks, which take longer than many of the calls.
    manager = _callbacks()
    tracers = [h for h in manager.handlers if isinstance(h, ExecutionTracer)] if manager else []
    if manager is None or not tracers:
        return await call()
    [tracer] = tracers
    run = tracer.begin_tool(manager.parent_run_id, name, args)
    try:
        result = await call()
    except BaseException as error:
        tracer.end_tool(run, None, error)
        raise
    tracer.end_tool(run, result)
    return result


def _callbacks() -> BaseCallbackManager | None:
    """Those of the node that runs here."""
    try:
        found = get_config().get("callbacks")
    except RuntimeError:  # outside of a graph
        return None
    return found if isinstance(found, BaseCallbackManager) else None
