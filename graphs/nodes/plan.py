"""plan: merge what the specialists propose into one ordered plan. Pure code, no grants."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.handoffs import part_step
from graphs.policy import approvers, distrust, gate
from graphs.state import SPECIALISTS, Escalation, Finding, Plan, SupportState
from tools.models import JsonObject, Step


async def plan(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """One plan in a fixed order; a part without an answer is handed to a person in it.

    When no part has an answer there is no plan, and the whole ticket goes to a person.
    """
    findings = {name: state["findings"][name] for name in SPECIALISTS if name in state["findings"]}
    obstacles = {name: why for name, finding in findings.items() if (why := obstacle(finding))}
    if len(obstacles) == len(findings):
        return {"plan": None, "escalation": next(iter(obstacles.values()))}
    steps = [step for finding in findings.values() for step in finding["steps"]]
    steps += [part_step(state, name, why) for name, why in obstacles.items()]
    spent = {k: v for finding in findings.values() for k, v in finding["refunded_24h"].items()}
    asked = [back for finding in findings.values() for back in finding.get("asked", [])]
    doubts = distrust(findings.values(), runtime.context.policy)
    return {"plan": made_plan(state, runtime.context, steps, spent, doubts), "asked_back": asked}


def made_plan(
    state: SupportState,
    context: SupportContext,
    steps: list[Step],
    spent: dict[str, int],
    doubts: list[str],
) -> Plan:
    """The steps with what the policy says about them, and about who proposed them."""
    return {
        "steps": steps,
        "gate": [*gate(steps, context.policy, spent), *doubts],
        "required_approvers": approvers(steps, context.policy, spent),
        "changed": [],
        "round": state["round"],
    }


def obstacle(finding: Finding) -> Escalation | None:
    """Why a finding is not enough to go on without a person, or None."""
    if finding["failed"]:
        return {"reason": "specialist_failed", "detail": finding["failed"]}
    if finding["unsure"]:
        return {"reason": "unsure", "detail": finding["unsure"]}
    return None
