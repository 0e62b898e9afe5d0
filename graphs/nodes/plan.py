"""plan: merge what the specialists propose into one ordered plan. Pure code, no grants."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.policy import digest, gate
from graphs.state import SPECIALISTS, Escalation, Finding, Plan, SupportState
from tools.models import JsonObject


async def plan(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """One plan in a fixed order, why it needs a person, or why there can be none."""
    findings = [state["findings"][name] for name in SPECIALISTS if name in state["findings"]]
    if obstacle := find_obstacle(findings):
        return {"plan": None, "escalation": obstacle}
    steps = [step for finding in findings for step in finding["steps"]]
    spent = {k: v for finding in findings for k, v in finding["refunded_24h"].items()}
    made: Plan = {
        "steps": steps,
        "gate": gate(steps, runtime.context.policy, spent),
        "digest": digest("plan", state["run_id"], steps),
    }
    return {"plan": made}


def find_obstacle(findings: list[Finding]) -> Escalation | None:
    """Why the findings are not enough to go on without a person, or None."""
    for finding in findings:
        if finding["failed"]:
            return {"reason": "specialist_failed", "detail": finding["failed"]}
        if finding["unsure"]:
            return {"reason": "unsure", "detail": finding["unsure"]}
    return None
