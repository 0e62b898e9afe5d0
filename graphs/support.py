"""The support workflow: every node and every edge. This file is the picture in docs/workflow.md.

Nodes return state; the named routers below are the only places that choose a way.
"""

from typing import Literal

from langgraph.errors import NodeError
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from graphs.context import SupportContext
from graphs.findings import failed_finding, failure_text
from graphs.held_questions import held_parts
from graphs.llm.ask import RETRY
from graphs.llm.errors import BudgetSpentError, ModelGoneError
from graphs.nodes.act import act
from graphs.nodes.approve import approve
from graphs.nodes.billing import billing
from graphs.nodes.check import check
from graphs.nodes.classify import classify
from graphs.nodes.escalate import escalate
from graphs.nodes.general import general
from graphs.nodes.plan import plan
from graphs.nodes.respond import respond
from graphs.nodes.review import review
from graphs.nodes.send import send
from graphs.nodes.technical import technical
from graphs.nodes.verify import verify
from graphs.policy import agreed, next_step, waits, wished
from graphs.state import SPECIALISTS, SupportState

SupportGraph = StateGraph[SupportState, SupportContext, SupportState, SupportState]

# The node behind which `by_intent` reads triage and escalation: a run whose state was changed from
# outside is set down there.
TRIAGE_NODE = "classify"

# The ways are coroutines, since LangGraph would take a plain function to a thread each time.


async def by_intent(state: SupportState) -> list[str]:
    """billing, technical and general in parallel, or escalate; a recalled draft is checked.

    A run with nothing to answer ends, and a part that a person has is not looked into again.
    """
    triage = state["triage"]
    if state.get("ignored"):
        return [END]
    if state["escalation"] or triage is None:
        return ["escalate"]
    if state.get("cache_hit"):
        return ["check"]
    held = held_parts(state, triage)
    return [name for name in SPECIALISTS if name in triage["intents"] and name not in held]


async def by_plan(
    state: SupportState,
) -> Literal["approve", "act", "respond", "escalate", "__end__"]:
    """A plan that needs a person waits, a safe one is carried out, an empty one is answered.

    A run ends here when people have already all that it could not answer.
    """
    if state.get("ignored"):
        return "__end__"
    made = state["plan"]
    if made is None:
        return "escalate"
    if not made["steps"]:
        return "respond"
    return "approve" if made["gate"] else "act"


async def by_decision(state: SupportState) -> Literal["act", "classify", "escalate"]:
    """Only an agreed plan goes on; a reviewer's wish, or a new message, makes another one."""
    if agreed(state["decision"]):
        return "act"
    return "classify" if wished(state["decision"]) else "escalate"


async def by_progress(
    state: SupportState,
) -> Literal["act", "approve", "respond", "check", "escalate"]:
    """Step after step, until all are done, one failed, or a person must look at the plan again.

    Then a reply is drafted; a draft of which a question was handed over is checked again.
    """
    if state["escalation"]:
        return "escalate"
    plan = state["plan"]
    if plan and not state["effects"] and waits(plan, state["decision"]):
        return "approve"
    if next_step(plan, state["effects"]):
        return "act"
    return "check" if state["draft"] else "respond"


async def by_grounding(state: SupportState) -> Literal["verify", "check"]:
    """Claims are verified by another model, if the draft is held to that; quotes need none."""
    draft = state["draft"]
    verified = draft and draft.get("grounding") == "verified" and draft.get("claims")
    return "verify" if verified else "check"


async def by_objections(
    state: SupportState,
) -> Literal["send", "review", "respond", "act", "escalate", "__end__"]:
    """A clean draft leaves, or waits for a person; one with objections is drafted again.

    A question that no draft could answer has become a step of the plan: a person gets it. When
    people have something of each part already, what could not be answered is theirs as well.
    """
    if state.get("ignored"):
        return "__end__"
    if state["escalation"]:
        return "escalate"
    if next_step(state["plan"], state["effects"]):
        return "act"
    if state["review"]:
        return "review"
    return "respond" if state["objections"] else "send"


async def by_review(state: SupportState) -> Literal["send", "check", "respond", "escalate"]:
    """An approved text leaves, an edited one is checked again, a wish leads to another draft."""
    verdict = state["decision"]["verdict"] if state["decision"] else "reject"
    if verdict == "approve":
        return "send"
    if verdict == "edit":
        return "check"
    return "respond" if verdict == "respond" else "escalate"


def specialist_failed(_state: SupportState, error: NodeError) -> Command[Literal["plan"]]:
    """Retries are spent: the plan is made without this specialist, and says so."""
    return Command(update={"findings": {error.node: failed_finding(error.error)}}, goto="plan")


def node_failed(state: SupportState, error: NodeError) -> Command[Literal["escalate"]]:
    """Retries are spent: a person goes on. A failure after the hand-off ends the run instead."""
    if state.get("handoff"):
        raise error.error
    detail = f"{error.node} failed: {failure_text(error.error)}"
    spent, gone = (isinstance(error.error, e) for e in (BudgetSpentError, ModelGoneError))
    failure = {
        "reason": "budget_spent" if spent else "no_model" if gone else "node_failed",
        "detail": detail,
    }
    # Only a draft that was about to be verified is one that a person may want to send.
    refused = {"refused_draft": state.get("draft")} if error.node == "verify" else {}
    return Command(update={"escalation": failure, **refused}, goto="escalate")


def build_support_graph() -> SupportGraph:
    """Wire the graph; the caller compiles it with a checkpointer."""
    g: SupportGraph = StateGraph(SupportState, context_schema=SupportContext)
    _add_reading(g)
    _add_planning(g)
    _add_replying(g)
    return g


def _add_reading(g: SupportGraph) -> None:
    """From the ticket to what the specialists found."""
    g.add_node("classify", classify, retry_policy=RETRY, timeout=30, error_handler=node_failed)
    for name, specialist in (("billing", billing), ("technical", technical), ("general", general)):
        g.add_node(
            name, specialist, retry_policy=RETRY, timeout=60, error_handler=specialist_failed
        )
        g.add_edge(name, "plan")
    g.add_edge(START, "classify")
    g.add_conditional_edges("classify", by_intent, [*SPECIALISTS, "check", "escalate", END])


def _add_planning(g: SupportGraph) -> None:
    """From the plan, past a person where it needs one, to what was done."""
    g.add_node("plan", plan)
    g.add_node("approve", approve)
    g.add_node("act", act, retry_policy=RETRY, timeout=60, error_handler=node_failed)
    g.add_conditional_edges("plan", by_plan)  # approve | act | respond | escalate | END
    g.add_conditional_edges("approve", by_decision)  # act | classify | escalate
    g.add_conditional_edges("act", by_progress)  # act | approve | respond | check | escalate


def _add_replying(g: SupportGraph) -> None:
    """From a draft, past the checks, to the reply or to a person."""
    # `destinations` draws the way to a person that only a failure takes.
    person = ("escalate",)
    g.add_node("respond", respond, retry_policy=RETRY, timeout=90, error_handler=node_failed,
               destinations=person)  # fmt: skip
    g.add_node("verify", verify, retry_policy=RETRY, timeout=90, error_handler=node_failed,
               destinations=person)  # fmt: skip
    g.add_node("check", check)
    g.add_node("review", review)
    g.add_node("escalate", escalate, retry_policy=RETRY, timeout=30)
    g.add_node("send", send, retry_policy=RETRY, timeout=30, error_handler=node_failed,
               destinations=(*person, END))  # fmt: skip
    g.add_conditional_edges("respond", by_grounding)  # verify | check
    g.add_edge("verify", "check")
    g.add_conditional_edges(
        "check", by_objections
    )  # send | review | respond | act | escalate | END
    g.add_conditional_edges("review", by_review)  # send | check | respond | escalate
    g.add_edge("escalate", "send")
    g.add_edge("send", END)
