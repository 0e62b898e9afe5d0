"""act: carry out the next step of the agreed plan, one checkpoint a step. May move money."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.policy import next_step
from graphs.state import DoneStep, Plan, SupportState
from tools.catalog import EFFECTS
from tools.errors import (
    ApprovalRequiredError,
    InvalidArgsError,
    RefusedError,
    SilencedError,
    UnfinishedError,
    UnknownOutcomeError,
)
from tools.models import JsonObject
from tools.toolbox import Toolbox

# What stops the plan and brings a person; anything else may heal and is tried again.
STOPS = (
    ApprovalRequiredError,
    InvalidArgsError,
    RefusedError,
    SilencedError,
    UnknownOutcomeError,
)


async def act(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Do one step through the toolbox; a step that fails ends the plan, and says why.

    Before the first one the whole plan is held against the world as it is now: a plan that no
    longer fits, or that a person must look at by now, goes back to them with nothing done.
    """
    plan = state["plan"]
    step = next_step(plan, state["effects"])
    assert plan is not None, "by_plan and by_progress send only open plans here"
    assert step is not None, "by_plan and by_progress send only open plans here"
    toolbox = runtime.context.toolbox("act")
    try:
        if not state["effects"]:
            if changed := await changes(toolbox, plan):
                return {"plan": unfit(plan, changed)}
            if doubts := await unseen_doubts(toolbox, plan):
                return {"plan": {**plan, "gate": [*plan["gate"], *doubts]}, "decision": None}
        result = await toolbox.call(
            step["tool"], step["args"], step_id=step["id"], needs_person=bool(plan["gate"])
        )
    except UnfinishedError:
        # by_progress sends the same step here again, after a checkpoint.
        return {"effects": state["effects"]}
    except STOPS as error:
        detail = f"{step['tool']} was not done: {error}"
        return {"escalation": {"reason": "step_failed", "detail": detail}}
    done: DoneStep = {
        "step_id": step["id"],
        "tool": step["tool"],
        "args": step["args"],
        "result": result,
    }
    effects = [*state["effects"], done]
    if why := unfinished(done):
        detail = f"{step['tool']} is not finished: {why}"
        return {"effects": effects, "escalation": {"reason": "step_failed", "detail": detail}}
    return {"effects": effects}


def unfinished(done: DoneStep) -> str | None:
    """Why a person must see to what was begun, or None."""
    effect = EFFECTS.get(done["tool"])
    return effect.unfinished(done["result"]) if effect and effect.unfinished else None


async def unseen_doubts(toolbox: Toolbox, plan: Plan) -> list[str]:
    """Why a person must look at the plan as the world is now, unless its gate said so before."""
    found = [
        why for step in plan["steps"] for why in await toolbox.doubts(step["tool"], step["args"])
    ]
    return [why for why in dict.fromkeys(found) if why not in plan["gate"]]


async def changes(toolbox: Toolbox, plan: Plan) -> list[str]:
    """What stands against the plan's steps by now."""
    found = [
        (step["id"], await toolbox.problem(step["tool"], step["args"])) for step in plan["steps"]
    ]
    return [f"{step_id}: {problem}" for step_id, problem in found if problem]


def unfit(plan: Plan, changed: list[str]) -> Plan:
    """The same plan for a person to correct, with what changed since it was made."""
    return {**plan, "gate": [*plan["gate"], "the plan no longer fits"], "changed": changed}
