"""act: carry out the next step of the agreed plan, one checkpoint a step. May move money."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.policy import next_step
from graphs.state import DoneStep, SupportState
from tools.errors import ApprovalRequiredError, InvalidArgsError, RefusedError, UnknownOutcomeError
from tools.models import JsonObject

# What stops the plan and brings a person; anything else may heal and is tried again.
STOPS = (ApprovalRequiredError, InvalidArgsError, RefusedError, UnknownOutcomeError)


async def act(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Do one step through the door; a step that fails ends the plan, and says why."""
    step = next_step(state["plan"], state["effects"])
    assert step is not None, "by_plan and by_progress send only open plans here"
    door = runtime.context.toolbox("act")
    try:
        result = await door.call(step["tool"], step["args"], step_id=step["id"])
    except STOPS as error:
        detail = f"{step['tool']} was not done: {error}"
        return {"escalation": {"reason": "step_failed", "detail": detail}}
    done: DoneStep = {
        "step_id": step["id"],
        "tool": step["tool"],
        "args": step["args"],
        "result": result,
    }
    return {"effects": [*state["effects"], done]}
