"""The JSON shapes of the API. Requests refuse unknown fields and never convert types."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.cursor import Page
from app.approvals import Verdict
from app.db.places import QueuedReason
from app.lifecycle import ApprovalStatus, RunStatus
from tools.models import Evidence

# Ids of outside systems: printable ASCII without spaces, so that they fit a URL and a log line.
# Dots alone would be resolved away by every client.
OutsideId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^\.*[!-\-/-~][!-~]*$")]
MetadataKey = Annotated[str, Field(min_length=1, max_length=64)]
MetadataValue = Annotated[str, Field(max_length=1000)] | int | float | bool | None


class Request(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CustomerIn(Request):
    """Who wrote the ticket, as the helpdesk knows them."""

    id: OutsideId
    email: Annotated[str, Field(max_length=320)] | None = None
    name: Annotated[str, Field(max_length=200)] | None = None


class TicketIn(Request):
    """The customer's message."""

    id: OutsideId
    subject: Annotated[str, Field(max_length=500)]
    body: Annotated[str, Field(min_length=1, max_length=50_000)]
    channel: Annotated[str, Field(max_length=50)] | None = None
    language: Annotated[
        str | None, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1; told by the text if null.")
    ] = None
    customer: CustomerIn


TICKET: dict[str, Any] = {
    "id": "T-1001",
    "subject": "Charged twice",
    "body": "I was charged twice for my Pro plan this month, please refund one of them",
    "channel": "email",
    "customer": {"id": "cus_ann", "name": "Ann"},
}


class StartRun(Request):
    """Handle this customer message."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ticket": TICKET, "metadata": {"source": "web"}}]}
    )

    ticket: TicketIn
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)] = Field(
        default_factory=dict
    )


class StepEditIn(Request):
    """Change or drop one step of the plan."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    args: Annotated[dict[str, Any], Field(max_length=20)] = Field(default_factory=dict)
    drop: bool = False


class ResumeRun(Request):
    """A person's answer to an approval."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "approval_id": "019a5b1e-0000-7000-8000-000000000001",
                    "digest": "8c0f4f0e" * 8,
                    "verdict": "approve",
                    "comment": "Clear duplicate",
                },
                {
                    "approval_id": "019a5b1e-0000-7000-8000-000000000001",
                    "digest": "8c0f4f0e" * 8,
                    "verdict": "edit",
                    "steps": [{"id": "refund-pay_1002", "args": {"amount_minor": 2000}}],
                },
            ]
        }
    )

    approval_id: Annotated[UUID, Field(strict=False)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="From the approval.")]
    verdict: Verdict
    steps: Annotated[list[StepEditIn], Field(max_length=100)] = Field(default_factory=list)
    comment: Annotated[str, Field(max_length=2000)] = ""


class StepOut(BaseModel):
    """One proposed effect, with why and on what evidence."""

    id: str
    tool: str
    args: dict[str, Any]
    editable: list[str]
    reason: str
    risk: str
    evidence: list[Evidence]


class DecisionOut(BaseModel):
    """Who answered what."""

    decided_by: str
    verdict: str
    comment: str
    created_at: datetime


class MessageOut(BaseModel):
    """One message of a ticket."""

    id: str
    author: Literal["customer", "deskgraph"]
    text: str
    citations: list[str]
    public: bool
    run_id: UUID | None
    created_at: datetime


class ApprovalOut(BaseModel):
    """An open or closed question at a gate."""

    id: UUID
    run_id: UUID
    ticket_id: str
    kind: Literal["plan", "reply"]
    status: ApprovalStatus
    steps: list[StepOut]
    reasons: Annotated[list[str], Field(description="Why a person must agree.")]
    digest: Annotated[str, Field(description="Send it back with the decision.")]
    verdicts: list[str]
    answer_schema: Annotated[dict[str, Any], Field(description="JSON Schema of the answer.")]
    required_approvers: int
    decisions: list[DecisionOut]
    newer_messages: list[MessageOut]
    created_at: datetime
    expires_at: datetime


class ReplyOut(BaseModel):
    """What the customer was told."""

    text: str
    citations: list[str]
    public: bool


class EffectOut(BaseModel):
    """An effect that happened, as the ledger has it."""

    tool: str
    args: dict[str, Any]
    result: dict[str, Any]
    step_id: str | None
    key: str
    at: datetime


class RunOut(BaseModel):
    """A run: where it stands, what it proposed, did and said."""

    id: UUID
    thread_id: UUID
    ticket_id: str
    customer_id: str
    status: RunStatus
    outcome: Literal["answered", "acted", "rejected", "escalated"] | None
    intents: list[str]
    urgency: str | None
    anger: float | None
    language: str | None
    plan: list[StepOut]
    approvals: list[ApprovalOut]
    reply: ReplyOut | None
    effects: list[EffectOut]
    escalation: dict[str, Any] | None
    handoff: dict[str, Any] | None
    error: dict[str, Any] | None
    attempt: int
    policy_version: int
    cost_usd: Annotated[float | None, Field(description="Null when a price is unknown.")]
    tokens: int
    metadata: dict[str, Any]
    created_at: datetime
    not_before: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    queued_reason: Annotated[
        QueuedReason | None, Field(description="What a pending run waits for; null for others.")
    ]
    queue_position: Annotated[
        int | None, Field(description="1: next of those that wait for it; at most 1000.")
    ]
    merged_into: Annotated[
        UUID | None, Field(description="The run that answers this message with its own.")
    ]
    replay_of: UUID | None
    trace_id: UUID | None
    trace_url: str | None
    links: dict[str, str]


class RunStepOut(BaseModel):
    """One node execution."""

    node: str
    attempt: Annotated[int, Field(description="Which execution of the run.")]
    tries: Annotated[int, Field(description="How often the node was tried within it.")]
    status: Literal["running", "success", "error", "interrupted"]
    started_at: datetime
    duration_ms: int | None
    input: dict[str, Any] | None
    output: dict[str, Any] | None
    error: dict[str, Any] | None
    checkpoint_id: str | None
    model_calls: list[dict[str, Any]]
    tokens: int
    cost_usd: float | None


class ThreadOut(BaseModel):
    """A ticket's conversation and its runs, oldest first."""

    thread_id: UUID
    ticket_id: str
    messages: list[MessageOut]
    runs: list[RunOut]


class PutArticle(Request):
    """An article to store or replace."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"title": "Opening hours", "content": "We are open 9 to 5.", "language": "en"}
            ]
        }
    )

    title: Annotated[str, Field(min_length=1, max_length=500)]
    content: Annotated[str, Field(min_length=1, max_length=200_000)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"


class ArticleOut(BaseModel):
    """An article of the knowledge base."""

    id: str
    title: str
    content: str
    language: str
    version: int
    updated_at: datetime


RunPage = Page[RunOut]
ApprovalPage = Page[ApprovalOut]
ArticlePage = Page[ArticleOut]
RunStepPage = Page[RunStepOut]
