"""Approvals and the answers to them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.base import PersonName, Request
from app.api.schemas.page import Page
from app.lifecycle import ApprovalStatus
from app.services.approvals.decide import Verdict
from tools.models import Evidence


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
                {
                    "approval_id": "019a5b1e-0000-7000-8000-000000000001",
                    "digest": "8c0f4f0e" * 8,
                    "verdict": "respond",
                    "comment": "Only the newer charge is the duplicate",
                },
            ]
        }
    )

    approval_id: Annotated[UUID, Field(strict=False)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="From the approval.")]
    verdict: Verdict
    steps: Annotated[list[StepEditIn], Field(max_length=100)] = Field(default_factory=list)
    comment: Annotated[str, Field(max_length=2000)] = ""
    on_behalf_of: Annotated[
        PersonName | None,
        Field(description="The person who decides; for keys with `approvals:on_behalf_of`."),
    ] = None
    release: Annotated[
        bool,
        Field(description="Of a reply: others who ask the same may get it from the answer cache."),
    ] = False


class StepOut(BaseModel):
    """One proposed effect, with why and on what evidence."""

    id: str
    tool: str
    args: dict[str, Any]
    editable: list[str]
    reason: str
    risk: str
    evidence: list[Evidence]


class DeciderOut(BaseModel):
    """Who decided: a key, and the person it named if it decides for others."""

    key_id: str
    name: Annotated[str, Field(description="Of the key.")]
    on_behalf_of: str | None


class DecisionOut(BaseModel):
    """Who answered what."""

    decided_by: DeciderOut
    verdict: str
    comment: str
    digest: Annotated[str, Field(description="Of the steps as this person left them.")]
    created_at: datetime


class MessageOut(BaseModel):
    """One message of a ticket."""

    id: str
    author: Literal["customer", "deskgraph", "person"]
    text: str
    citations: list[str]
    public: bool
    run_id: UUID | None
    created_at: datetime


AnswerSchema = Annotated[dict[str, Any], Field(description="JSON Schema of the answer.")]


class ApprovalSummary(BaseModel):
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
    required_approvers: int
    decisions: list[DecisionOut]
    changed: Annotated[list[str], Field(description="What is new since an earlier plan.")]
    round: Annotated[int, Field(description="How often a reviewer asked for another one.")]
    created_at: datetime
    expires_at: datetime
    on_expiry: Annotated[str, Field(description="What happens without a decision in time.")]
    reminded_at: datetime | None


class ApprovalOut(ApprovalSummary):
    """An open or closed question at a gate, and how to answer it."""

    answer_schema: AnswerSchema
    newer_messages: list[MessageOut]


class ListedApproval(ApprovalSummary):
    """An approval in a list: what `expand` does not name is left out."""

    answer_schema: AnswerSchema = Field(default_factory=dict)
    newer_messages: list[MessageOut] = Field(default_factory=list)


ExpandApproval = Literal["answer_schema", "newer_messages"]


class ApprovalPage(Page[ListedApproval]):
    """A page of approvals."""
