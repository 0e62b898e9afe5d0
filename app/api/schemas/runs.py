"""Runs: the request that starts one, its status, and what it did."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from app.api.schemas.approvals import ApprovalOut, MessageOut, StepOut
from app.api.schemas.base import CostUsd, LanguageTag, OutsideId, Request
from app.api.schemas.feedback import FeedbackOut
from app.api.schemas.page import Page
from app.api.schemas.threads import Holder
from app.db.runs.queue_position import QueuedReason
from app.lifecycle import RunStatus
from app.services.connections.tickets import is_reserved
from graphs.state import ApartKind, ClaimVerdict, Outcome
from graphs.text.noise import Ignored

MetadataKey = Annotated[str, Field(min_length=1, max_length=64)]
MetadataValue = Annotated[str, Field(max_length=1000)] | int | float | bool | None


def not_of_a_desk(name: str) -> str:
    """The id. Raises PydanticCustomError for one of a connected desk's tickets or customers."""
    if is_reserved(name):
        raise PydanticCustomError(
            "reserved_id", "Is a name of a connection's, whose hooks alone start its runs"
        )
    return name


class CustomerIn(Request):
    """Who wrote the ticket, as the helpdesk knows them."""

    id: Annotated[OutsideId, AfterValidator(not_of_a_desk)]
    email: Annotated[str, Field(max_length=320)] | None = None
    name: Annotated[str, Field(max_length=200)] | None = None


# Names of RFC 9110, 5.1; values may be folded and long, and hold no control character.
HeaderName = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[!#-'*+.0-9A-Z^-z|~-]+$")
]
HeaderValue = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
MAX_HEADERS = 100


class TicketIn(Request):
    """The customer's message; without a text, as with an attachment only, a person gets it."""

    id: Annotated[OutsideId, AfterValidator(not_of_a_desk)]
    subject: Annotated[str, Field(max_length=500)]
    body: Annotated[str, Field(max_length=50_000)]
    channel: Annotated[str, Field(max_length=50)] | None = None
    language: Annotated[
        LanguageTag | None, Field(description="Recognised from the text if null.")
    ] = None
    headers: Annotated[
        dict[HeaderName, HeaderValue],
        Field(
            max_length=MAX_HEADERS,
            description="The mail's headers, by name: they show an automatic reply, a bounce or "
            "list mail, which are not answered. Only such headers are kept.",
        ),
    ] = Field(default_factory=dict)
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
        json_schema_extra={
            "examples": [
                {"ticket": TICKET, "metadata": {"source": "web"}},
                {"ticket": TICKET, "callback_url": "https://helpdesk.example/hooks/deskgraph"},
            ]
        }
    )

    ticket: TicketIn
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)] = Field(
        default_factory=dict
    )
    callback_url: Annotated[
        str | None, Field(max_length=2048, description="Called when the run pauses and ends.")
    ] = None


class ReplyOut(BaseModel):
    """The reply that the customer got."""

    text: str
    citations: list[str]
    public: bool
    simulated: Annotated[bool, Field(description="A replay or dry run: nothing was sent.")] = False


class EffectOut(BaseModel):
    """An effect as the ledger has it; `result` is null while it is done in part only."""

    tool: str
    args: dict[str, Any]
    result: dict[str, Any] | None
    progress: dict[str, int] | None
    step_id: str | None
    key: str
    at: datetime


class ApartOut(BaseModel):
    """A part of the message that is not the customer's new text; at most 2,000 characters."""

    kind: ApartKind
    text: str


Anger = Annotated[float | None, Field(description="Between 0 and 1.")]
Tier = Annotated[
    Literal["fast", "strong", "fallback"] | None,
    Field(description="Which model wrote the last draft."),
]
Verdicts = Annotated[
    list[ClaimVerdict], Field(description="What the verifier said of each claim of the last draft.")
]
Apart = Annotated[
    list[ApartOut],
    Field(description="What of the message nothing read, but for people: quotes, signatures."),
]

Ratings = Annotated[list[FeedbackOut], Field(description="How the answer was rated, oldest first.")]


class RunSummary(BaseModel):
    """A run: where it stands, and what it was."""

    id: UUID
    thread_id: UUID
    ticket_id: str
    customer_id: str
    status: RunStatus
    outcome: Outcome | None
    intents: list[str]
    urgency: str | None
    anger: Anger
    language: str | None
    tier: Tier
    ignored: Annotated[
        Ignored | None, Field(description="Why the message got no reply; null for one that did.")
    ]
    error: dict[str, Any] | None
    attempt: int
    policy_version: int
    cache_hit: Annotated[
        bool, Field(description="The reply was checked and sent before, to others who asked this.")
    ]
    cost_usd: CostUsd
    tokens: int
    metadata: dict[str, Any]
    created_at: datetime
    not_before: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    replay_of: UUID | None
    dry_run: Annotated[bool, Field(description="A replay whose effects are simulated.")]
    queued_reason: Annotated[
        QueuedReason | None, Field(description="What a pending run waits for; null for others.")
    ]
    queue_position: Annotated[
        int | None, Field(description="1: next of those that wait for it; at most 1000.")
    ]
    merged_into: Annotated[
        UUID | None, Field(description="The run that answers this message with its own.")
    ]
    trace_id: UUID | None
    trace_url: Annotated[
        str | None,
        Field(description="The trace in LangSmith; null where none was sent or it is not known."),
    ]
    links: dict[str, str]


class RunOut(RunSummary):
    """A run: where it stands, what it proposed, did and said."""

    plan: list[StepOut]
    approvals: list[ApprovalOut]
    reply: ReplyOut | None
    verdicts: Verdicts
    effects: list[EffectOut]
    escalation: dict[str, Any] | None
    handoff: dict[str, Any] | None
    set_apart: Apart
    feedback: Ratings


class ListedRun(RunSummary):
    """A run in a list: what `expand` does not name is left out."""

    plan: list[StepOut] = Field(default_factory=list)
    approvals: list[ApprovalOut] = Field(default_factory=list)
    reply: ReplyOut | None = None
    verdicts: Verdicts = Field(default_factory=list)
    effects: list[EffectOut] = Field(default_factory=list)
    escalation: dict[str, Any] | None = None
    handoff: dict[str, Any] | None = None
    set_apart: Apart = Field(default_factory=list)
    feedback: Ratings = Field(default_factory=list)


ExpandRun = Literal[
    "plan",
    "approvals",
    "reply",
    "verdicts",
    "effects",
    "escalation",
    "handoff",
    "set_apart",
    "feedback",
]


class ModelCallOut(BaseModel):
    """One call of a model, with what the node noted of it."""

    model_config = ConfigDict(extra="allow")

    model: str | None = None
    cost_usd: CostUsd = None


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
    model_calls: list[ModelCallOut]
    tokens: int
    cost_usd: CostUsd
    trace_url: Annotated[
        str | None,
        Field(description="Its own place in the trace; null as the run's, and while it runs."),
    ]


class ThreadOut(Holder):
    """A ticket's conversation and its runs, oldest first."""

    thread_id: UUID
    ticket_id: str
    messages: list[MessageOut]
    runs: list[ListedRun]


class RunPage(Page[ListedRun]):
    """A page of runs."""


class RunStepPage(Page[RunStepOut]):
    """A page of node executions."""
