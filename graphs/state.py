"""The state that a run carries between nodes: plain JSON, since every step is stored."""

from typing import Annotated, Literal, NotRequired

from pydantic import RootModel
from typing_extensions import TypedDict

from graphs.conversation import Memory
from graphs.text.new_text import Apart
from tools.models import (
    Handoff,
    JsonObject,
    Passage,
    Payment,
    SentReply,
    Step,
    Subscription,
    Urgency,
)

Role = Literal["fast", "strong", "verify"]
Tier = Literal["fast", "strong", "verify", "fallback"]
Specialist = Literal["billing", "technical", "general"]
SPECIALISTS: tuple[Specialist, ...] = ("billing", "technical", "general")
Intent = Literal["billing", "technical", "general", "escalate"]
# What a person may get of a ticket; `escalate` is what is no specialist's.
PARTS: tuple[Intent, ...] = (*SPECIALISTS, "escalate")
Verdict = Literal["approve", "edit", "reject", "respond", "expire"]
# How a run ended. Stored and shown, so one is added here and never taken away.
Outcome = Literal["answered", "acted", "asked", "rejected", "escalated", "ignored"]
# What a reply may be held to: whole quotes alone, or claims that another model has verified.
Grounding = Literal["quotes", "verified"]
EvidenceKind = Literal["article", "effect", "payment", "subscription"]


class Ticket(TypedDict):
    """The customer's new text; `set_apart` is for people, and nothing in the graph reads it.

    Runs that an earlier release began have the message whole as their `body`. `headers` are the
    mail headers that tell an automatic message.
    """

    subject: str
    body: str
    language: str | None
    customer_name: str | None
    set_apart: NotRequired[list[Apart]]
    headers: NotRequired[dict[str, str]]


class Question(TypedDict):
    """One thing that the customer asks, in their words; `queries` are what to search for.

    `new`: a model says that no person has it yet; `held`: a person has it.
    """

    id: str
    intent: Intent
    text: str
    queries: list[str]
    new: NotRequired[bool | None]
    held: NotRequired[bool]


class HeldQuestion(TypedDict):
    """A question of an earlier message that a person answers, and the part of the ticket it is."""

    part: str
    text: str


class ThreadView(TypedDict):
    """The thread as a run found it: who has it, and what was sent there.

    `held`: a person has all of it; `questions`: those that people have; `parts`: what a person has
    whole, by intent, since it is not known which questions of it. `replies` are the newest public
    ones, oldest first; `replies_last_hour` and `replies_last_day` count them.
    """

    held: bool
    parts: list[str]
    questions: NotRequired[list[HeldQuestion]]
    replies: list[str]
    replies_last_hour: int
    replies_last_day: NotRequired[int]


class TrainedTriage(TypedDict):
    """What the tenant's own trained model said: which one, and how good it was measured to be.

    `routed`: it chose the ticket's intent. Else it only names whose queue a hand-off joins.
    """

    version: int
    intent: Intent
    accuracy: float
    routed: bool


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
    trained: NotRequired[TrainedTriage]


class AskedBack(TypedDict):
    """What code asks the customer about a question, in the ticket's language."""

    question: str
    text: str


class AskedAbout(TypedDict):
    """Which payment the thread's newest reply asked for: of whom, after which words of theirs.

    `text` is what they were asked, `choices` what they may choose from.
    """

    customer_id: str
    wrote: list[str]
    text: str
    language: str | None
    choices: list[Payment]


class Proposer(TypedDict):
    """The model that proposed steps, and as which tier it was asked."""

    model: str
    tier: Tier


class Finding(TypedDict):
    """What one specialist found; `failed` or `unsure` says why it is not enough.

    `proposer` is there with the steps of a model, and `doubts` says why a person must look at them
    whatever the limits are.
    """

    passages: list[Passage]
    payments: list[Payment]
    refunded_24h: dict[str, int]
    steps: list[Step]
    failed: str | None
    unsure: str | None
    subscriptions: NotRequired[list[Subscription]]
    asked: NotRequired[list[AskedBack]]
    proposer: NotRequired[Proposer]
    doubts: NotRequired[list[str]]


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
    another plan takes in. `release`: others who ask the same may get the reply as well.
    """

    approval_id: str
    verdict: Verdict
    steps: list[Step]
    comment: str
    decided_by: str
    messages: NotRequired[list[str]]
    release: NotRequired[bool]


class DecisionModel(RootModel[Decision]):
    """A decision as `interrupt` checks it: of a model it finds the schema ready, of a TypedDict it
    makes one at each pause and each answer, which takes 4 ms."""


class DoneStep(TypedDict):
    """A step of the plan that was carried out, with the tool's answer."""

    step_id: str
    tool: str
    args: JsonObject
    result: JsonObject


class Quote(TypedDict):
    """Whole sentences of one source, word for word."""

    kind: EvidenceKind
    id: str
    quote: str


class Claim(TypedDict):
    """What a reply says about one question, and what shows that it is so."""

    question: str
    text: str
    evidence: list[Quote]


class ClaimVerdict(TypedDict):
    """Whether the evidence of a claim supports it, as the verifier says."""

    question: str
    text: str
    supported: bool
    reason: str


class Draft(TypedDict):
    """A reply before it is checked; `text` is what a person may edit.

    What code says itself stands outside it and is appended when it leaves. `unanswered` are the
    ids of the questions that the model left open; `grounding` is what the draft is held to.
    `released`: a person's text from the answer cache, held to the rules for such texts.
    """

    text: str
    citations: list[str]
    claims: NotRequired[list[Claim]]
    unanswered: NotRequired[list[str]]
    grounding: NotRequired[Grounding]
    released: NotRequired[bool]


class Objection(TypedDict):
    """One reason why a draft may not leave."""

    rule: str
    detail: str


class Escalation(TypedDict):
    """Why a person must take over, in a stable code and a sentence."""

    reason: str
    detail: str


def merge_findings(old: dict[str, Finding], new: dict[str, Finding] | None) -> dict[str, Finding]:
    """Specialists run in parallel, each under its own name; None starts afresh."""
    return {} if new is None else {**old, **new}


class SupportState(TypedDict, total=False):
    """The state of one run. `fresh_run` sets every key, since a thread outlives its runs.

    `refused_draft` is a reply that may not leave: the person who takes over reads it.
    `ignored` is why nothing is answered.
    Two keys outlive a run: `asked_once`, the specialists that have asked the customer back, and
    `asked_about`, what the newest reply asked them.
    """

    run_id: str
    ticket: Ticket
    memory: Memory
    cache_hit: bool
    kb_version: int | None
    triage: Triage | None
    questions: list[Question]
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
    verdicts: list[ClaimVerdict]
    asked_back: list[AskedBack]
    asked_once: list[Specialist]
    asked_about: AskedAbout | None
    refused_draft: Draft | None
    objections: list[Objection]
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
        "questions": [],
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
        "verdicts": [],
        "asked_back": [],
        "refused_draft": None,
        "objections": [],
        "drafts": 0,
        "tier": None,
        "reply": None,
        "outcome": None,
        "thread": thread,
        "ignored": None,
    }
