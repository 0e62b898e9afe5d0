"""The state that a run carries between nodes: plain JSON, since every step is stored."""

from typing import Annotated, Literal, NotRequired

from pydantic import RootModel
from typing_extensions import TypedDict

from graphs.text.new_text import Apart
from tools.models import Handoff, JsonObject, Passage, Payment, SentReply, Step, Urgency

Role = Literal["fast", "strong"]
Tier = Literal["fast", "strong", "fallback"]
Specialist = Literal["billing", "technical", "general"]
SPECIALISTS: tuple[Specialist, ...] = ("billing", "technical", "general")
Intent = Literal["billing", "technical", "general", "escalate"]
Verdict = Literal["approve", "edit", "reject", "respond", "expire"]
# How a run ended. Stored and shown, so one is added here and never taken away.
Outcome = Literal["answered", "acted", "asked", "rejected", "escalated", "ignored"]


class Ticket(TypedDict):
    """The customer's new text; `set_apart` is for people, and nothing in the graph reads it.

    Runs that an earlier release began have the message whole as their `body`.
    """

    subject: str
    body: str
    language: str | None
    customer_name: str | None
    set_apart: NotRequired[list[Apart]]
    headers: NotRequired[dict[str, str]]


class ThreadView(TypedDict):
    """The thread as a run found it: who has it, and what was sent there.

    `held`: a person has all of it; `parts`: what a person has of it, by intent. `replies` are the
    newest public ones, oldest first; `replies_last_hour` counts them.
    """

    held: bool
    parts: list[str]
    replies: list[str]
    replies_last_hour: int


class Triage(TypedDict):
    """What classify thinks; `anger` and `confidence` lie between 0 and 1.

    `parts` is the text of the body that each specialist sees; who is not in it sees all of it.
    """

    intents: list[Intent]
    parts: dict[Specialist, str]
    urgency: Urgency
    anger: float
    language: str
    wants_human: bool
    confidence: float
    nothing_asked: NotRequired[bool]


class Proposer(TypedDict):
    """The model that proposed steps, and as which tier it was asked."""

    model: str
    tier: Tier


class Finding(TypedDict):
    """What one specialist found; `failed` or `unsure` says why it is not enough.

    `proposer` is there with the steps of a model.
    """

    passages: list[Passage]
    payments: list[Payment]
    refunded_24h: dict[str, int]
    steps: list[Step]
    failed: str | None
    unsure: str | None
    proposer: NotRequired[Proposer]


class Plan(TypedDict):
    """Ordered effects, why and how many persons must agree to them.

    `changed` says what no longer fits the world as it is; `round` counts a reviewer's wishes.
    """

    steps: list[Step]
    gate: list[str]
    required_approvers: int
    changed: list[str]
    round: int


class Decision(TypedDict):
    """A person's answer at the gate.

    `steps` are the steps after their edits; `messages` is what the customer wrote meanwhile and
    another plan takes in.
    """

    approval_id: str
    verdict: Verdict
    steps: list[Step]
    comment: str
    decided_by: str
    messages: NotRequired[list[str]]


class DecisionModel(RootModel[Decision]):
    """A decision as `interrupt` checks it: of a model it finds the schema ready, of a TypedDict it
    makes one at each pause and each answer, which takes 4 ms."""


class DoneStep(TypedDict):
    """A step of the plan that was carried out, with the tool's answer."""

    step_id: str
    tool: str
    args: JsonObject
    result: JsonObject


class Draft(TypedDict):
    """A reply before it is checked."""

    text: str
    citations: list[str]


class Objection(TypedDict):
    """One reason why a draft may not leave."""

    rule: str
    detail: str


class Escalation(TypedDict):
    """Why a person must take over, in a stable code and a sentence."""

    reason: str
    detail: str


class Turn(TypedDict):
    """One public message of the conversation, cut to a budget."""

    author: Literal["customer", "deskgraph"]
    text: str


class PastTicket(TypedDict):
    """Another ticket of the customer; `promised` is what was done and who took it over."""

    ticket_id: str
    subject: str
    outcome: str
    promised: list[str]
    at: str


class Memory(TypedDict):
    """What was said before; `summary` tells what is older than `window`. Sizes are bounded."""

    window: list[Turn]
    summary: str
    tickets: list[PastTicket]


def merge_findings(old: dict[str, Finding], new: dict[str, Finding] | None) -> dict[str, Finding]:
    """Specialists run in parallel, each under its own name; None starts afresh."""
    return {} if new is None else {**old, **new}


class SupportState(TypedDict, total=False):
    """The state of one run. `fresh_run` sets every key, since a thread outlives its runs."""

    run_id: str
    ticket: Ticket
    memory: Memory
    cache_hit: bool
    kb_version: int | None
    triage: Triage | None
    findings: Annotated[dict[str, Finding], merge_findings]
    plan: Plan | None
    review: Plan | None
    decision: Decision | None
    guidance: list[str]
    round: int
    effects: list[DoneStep]
    escalation: Escalation | None
    handoff: Handoff | None
    draft: Draft | None
    objections: list[Objection]
    # What `check` or `verify` refused when a person took over: they may use it.
    refused_draft: Draft | None
    drafts: int
    tier: Tier | None
    reply: SentReply | None
    outcome: Outcome | None
    thread: ThreadView | None
    ignored: str | None


def fresh_run(
    run_id: str, ticket: Ticket, memory: Memory | None = None, thread: ThreadView | None = None
) -> JsonObject:
    """The input of a new run: the ticket, and every key that an earlier run may have left."""
    return {
        "run_id": run_id,
        "ticket": ticket,
        "memory": memory or {"window": [], "summary": "", "tickets": []},
        "cache_hit": False,
        "kb_version": None,
        "triage": None,
        "findings": None,
        "plan": None,
        "review": None,
        "decision": None,
        "guidance": [],
        "round": 0,
        "effects": [],
        "escalation": None,
        "handoff": None,
        "draft": None,
        "objections": [],
        "refused_draft": None,
        "drafts": 0,
        "tier": None,
        "reply": None,
        "outcome": None,
        "thread": thread,
        "ignored": None,
    }
