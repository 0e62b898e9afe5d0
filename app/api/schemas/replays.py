"""Replays: the changes that a replay makes, and the differences of two runs."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.approvals import StepOut
from app.api.schemas.base import CostUsd, LanguageTag, Request
from app.lifecycle import RunStatus
from graphs.state import Intent, Outcome
from tools.models import Urgency

Score = Annotated[float, Field(ge=0, le=1)]
CHECKPOINT_ID = "1f1e6241-e46b-61b7-8000-910572b07780"


class TicketChange(Request):
    """Other words of the customer."""

    subject: Annotated[str, Field(max_length=500)] | None = None
    body: Annotated[str, Field(min_length=1, max_length=50_000)] | None = None
    language: LanguageTag | None = None


class TriageChange(Request):
    """Another triage. At the step after classify it also chooses the way."""

    intents: Annotated[list[Intent], Field(min_length=1, max_length=4)] | None = None
    urgency: Urgency | None = None
    anger: Score | None = None
    language: LanguageTag | None = None
    wants_human: bool | None = None
    confidence: Score | None = None


class StateChange(Request):
    """What of the state is replaced; never a decision, an effect or a plan."""

    ticket: TicketChange | None = None
    triage: TriageChange | None = None
    guidance: (
        Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=10)] | None
    ) = None


class ReplayRun(Request):
    """Replay a run from one of its steps."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "checkpoint_id": CHECKPOINT_ID,
                    "state": {"guidance": ["Offer a voucher instead."]},
                    "dry_run": True,
                }
            ]
        }
    )

    checkpoint_id: Annotated[
        str,
        Field(pattern=r"^[0-9a-f-]{1,100}$", description="Of a step; that node runs again."),
    ]
    state: StateChange = StateChange()
    dry_run: Annotated[bool, Field(description="Simulate effects and answer gates itself.")] = False


class RunSideOut(BaseModel):
    """One of two compared runs. `nodes` are in order, those before a replay's begin included."""

    id: UUID
    status: RunStatus
    outcome: Outcome | None
    nodes: list[str]
    intents: list[str]
    plan: list[StepOut]
    draft: Annotated[str | None, Field(description="The last text written, sent or not.")]
    tokens: int
    cost_usd: CostUsd


class NodeChangeOut(BaseModel):
    """Nodes that both runs went through, or only one of them."""

    change: Literal["same", "removed", "added"]
    nodes: list[str]


class RunDiffOut(BaseModel):
    """How the run differs from `base`."""

    base: RunSideOut
    run: RunSideOut
    same: Annotated[bool, Field(description="Nodes, plan, draft and outcome are equal.")]
    changed: list[str]
    nodes: list[NodeChangeOut]
    draft: Annotated[list[str], Field(description="Unified diff of the drafts, by line.")]
    tokens: Annotated[int, Field(description="Of the run, less those of `base`.")]
    cost_usd: CostUsd
