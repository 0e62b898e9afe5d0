"""What last week's runs would have done under another policy, as a preview of it says."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.services.tenants.policy_preview import Plans


class HandlingOut(BaseModel):
    """What would become of a run, and why a person would have to look at its plan."""

    plan: Annotated[
        Plans,
        Field(
            description="`alone`: carried out without a person; `one_person` or `two_people` must "
            "agree; `handed_over`: the ticket goes to a person before anything is planned; "
            "`answer_only`: nothing to carry out; `unknown`: no plan is stored that says it."
        ),
    ]
    reply_waits: Annotated[bool, Field(description="The reply waits for a person as a draft.")]
    reasons: list[str]


class HandlingCounts(BaseModel):
    """How many runs were handled in which way; their sum, but for `replies_wait`, is `runs`."""

    alone: int
    one_person: int
    two_people: int
    handed_over: int
    answer_only: int
    unknown: int
    replies_wait: int


class DifferingRunOut(BaseModel):
    """A run that the two policies treat differently."""

    run_id: UUID
    ticket_id: str
    now: HandlingOut
    proposed: HandlingOut


class PolicyPreviewOut(BaseModel):
    """What the runs of the last seven days would have done under this policy."""

    version: Annotated[int, Field(description="The policy that counts now, and is compared with.")]
    since: datetime
    runs: Annotated[int, Field(description="Runs that were triaged and are compared.")]
    complete: Annotated[
        bool, Field(description="False: there were more runs, and the newest 2,000 are compared.")
    ]
    now: HandlingCounts
    proposed: HandlingCounts
    differing_total: int
    differing: Annotated[
        list[DifferingRunOut], Field(max_length=100, description="The newest of those that differ.")
    ]


ALONE: dict[str, Any] = {"plan": "alone", "reply_waits": False, "reasons": []}
ASKS = ["refunds of 49.00 USD in 24 hours exceed the limit of 25.00 USD"]
COUNTS = {
    "alone": 31, "one_person": 24, "two_people": 2, "handed_over": 88, "answer_only": 249,
    "unknown": 18, "replies_wait": 0,
}  # fmt: skip
PREVIEW: dict[str, Any] = {
    "version": 3,
    "since": "2026-11-15T09:00:00Z",
    "runs": 412,
    "complete": True,
    "now": COUNTS,
    "proposed": {**COUNTS, "alone": 32, "one_person": 23},
    "differing_total": 1,
    "differing": [
        {
            "run_id": "01a20147-a34d-7187-9cc4-a3723facf2c8",
            "ticket_id": "T-1001",
            "now": {"plan": "one_person", "reply_waits": False, "reasons": ASKS},
            "proposed": ALONE,
        }
    ],
}
