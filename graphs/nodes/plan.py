"""plan: merge what the specialists propose into one ordered plan. Pure code, no grants."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.handoffs import part_step
from graphs.held_questions import held_of, only_held
from graphs.policy import approvers, distrust, gate
from graphs.questions import asked_questions
from graphs.quiet import HELD, ignored
from graphs.state import PARTS, SPECIALISTS, Escalation, Finding, Plan, SupportState
from tools.models import JsonObject, Step

NOT_OURS: Escalation = {"reason": "not_ours", "detail": "No specialist fits this question."}
KNOWN: Escalation = {"reason": "unsure", "detail": HELD}


async def plan(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """One plan in a fixed order; what has no answer is handed to a person in it.

    When no part has an answer there is no plan, and the whole ticket goes to a person: to those
    who have something of each part already, without another word.
    """
    findings = {name: state["findings"][name] for name in SPECIALISTS if name in state["findings"]}
    obstacles = {name: why for name, finding in findings.items() if (why := obstacle(finding))}
    if len(obstacles) == len(findings):
        if only_held(state):
            return {"plan": None, **ignored("human_has_it")}
        return {"plan": None, "escalation": next(iter(obstacles.values()))}
    steps = [step for finding in findings.values() for step in finding["steps"]]
    steps += [part_step(state, name, why) for name, why in obstacles.items()]
    steps += apart(state, [name for name in findings if name not in obstacles])
    spent = {k: v for finding in findings.values() for k, v in finding["refunded_24h"].items()}
    asked = [back for finding in findings.values() for back in finding.get("asked", [])]
    doubts = distrust(findings.values(), runtime.context.policy)
    return {"plan": made_plan(state, runtime.context, steps, spent, doubts), "asked_back": asked}


def apart(state: SupportState, answered: list[str]) -> list[Step]:
    """What a person gets beside the parts that are answered: what no specialist fits, and the
    questions of those parts that a person has already."""
    questions = asked_questions(state)
    steps = []
    for part in PARTS:
        if part == "escalate":
            theirs = [question for question in questions if question["intent"] == part]
        else:
            theirs = held_of(questions, part) if part in answered else []
        if theirs:
            steps.append(part_step(state, part, NOT_OURS if part == "escalate" else KNOWN, theirs))
    return steps


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
