"""The reference graph: classify, one of three, respond; no work in any node, 2 kB of messages."""

from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt

from graphs.context import SupportContext
from graphs.state import DecisionModel, SupportState
from tools.models import Step

BRANCHES: tuple[Literal["billing", "technical", "escalate"], ...] = (
    "billing",
    "technical",
    "escalate",
)
MESSAGE = "My upload stops at ninety percent and I have tried three browsers. " * 30
GATED = "GATED"


async def classify(state: SupportState) -> dict[str, Any]:
    """A category by the message's length; a message that begins with GATED waits for a person."""
    body = state["ticket"]["body"]
    return {
        "triage": {
            "intents": [BRANCHES[len(body) % 3]],
            "urgency": "normal",
            "anger": 0.0,
            "language": "en",
            "wants_human": False,
            "confidence": 1.0,
        },
        "escalation": {"reason": "gate", "detail": ""} if body.startswith(GATED) else None,
    }


async def by_category(state: SupportState) -> Literal["billing", "technical", "escalate", "gate"]:
    """The one branch, or the gate."""
    triage = state["triage"]
    assert triage is not None
    if state["escalation"]:
        return "gate"
    return triage["intents"][0]  # type: ignore[return-value]  # one of BRANCHES


async def branch(state: SupportState) -> dict[str, Any]:
    """A specialist without work."""
    return {"guidance": ["done"]}


async def gate(state: SupportState) -> dict[str, Any]:
    """Waits for a person, as `approve` does."""
    step: Step = {
        "id": "s1", "tool": "refund_payment", "editable": [], "reason": "", "risk": "",
        "args": {"payment_id": "p", "amount_minor": 1, "currency": "USD", "reason": "r"},
        "evidence": [],
    }  # fmt: skip
    question = {
        "kind": "plan", "steps": [step], "gate": ["bench"], "verdicts": ["approve"],
        "required_approvers": 1, "changed": [], "round": 0, "expires_in_seconds": 3600,
    }  # fmt: skip
    return {"decision": interrupt(question, response_schema=DecisionModel).root}


async def respond(state: SupportState) -> dict[str, Any]:
    """A reply without a model."""
    reply = {"id": "r", "text": "ok", "citations": [], "public": True}
    return {"reply": reply, "outcome": "answered"}


def build_reference_graph() -> StateGraph[SupportState, SupportContext, SupportState, SupportState]:
    """Wire it; every branch ends in respond."""
    g: StateGraph[SupportState, SupportContext, SupportState, SupportState] = StateGraph(
        SupportState, context_schema=SupportContext
    )
    g.add_node("classify", classify)
    g.add_node("gate", gate)
    g.add_node("respond", respond)
    g.add_edge(START, "classify")
    g.add_conditional_edges("classify", by_category)
    for name in BRANCHES:
        g.add_node(name, branch)
        g.add_edge(name, "respond")
    g.add_edge("gate", "respond")
    g.add_edge("respond", END)
    return g


ReferenceGraph = CompiledStateGraph[SupportState, SupportContext, SupportState, SupportState]
