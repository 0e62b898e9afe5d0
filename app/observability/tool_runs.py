"""Shows a tool's call in the trace, under the node that makes it."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from langchain_core.runnables.config import ensure_config, get_async_callback_manager_for_config

from tools.models import JsonObject


async def as_tool_run(name: str, args: JsonObject, call: Callable[[], Awaitable[Any]]) -> Any:
    """Make the call as a LangChain run of the type `tool`. Raises what the call does."""
    manager = get_async_callback_manager_for_config(ensure_config())
    # An object, where the signature says a string: so the trace shows arguments by their names.
    run = await manager.on_tool_start({"name": name}, cast("str", args), name=name)
    try:
        result = await call()
    except BaseException as error:
        await run.on_tool_error(error)
        raise
    await run.on_tool_end(result)
    return result
