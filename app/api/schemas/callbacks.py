"""What a `callback_url` and webhook endpoints are sent, and how each delivery stands."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.db.webhooks.queries import Status

# By its `type`, when it is sent.
CALLBACK_EVENTS = {
    "run.interrupted": "A run waits for a decision",
    "run.finished": "A run ended, whichever way",
    "approval.reminder": "The last quarter of an approval's time began",
    "approval.expired": "No decision came in time",
}


class CallbackData(BaseModel):
    """What an event is about; some have more members, such as `approval_id` or `outcome`."""

    model_config = ConfigDict(extra="allow")

    run_id: UUID
    ticket_id: str
    sequence: Annotated[int, Field(description="Counts the events of the run for this URL.")]
    status: str
    links: dict[str, str]


class WebhookTestData(BaseModel):
    """Which endpoint is tested."""

    endpoint_id: UUID


class WebhookTest(BaseModel):
    """The event `webhook.test`, which `POST /v1/webhooks/endpoints/{endpoint_id}/test` sends."""

    type: str
    timestamp: datetime
    data: WebhookTestData


class CallbackBody(BaseModel):
    """One event; thin on purpose: what it links to is read with a key."""

    type: Annotated[str, Field(description="Ignore types that you do not know.")]
    timestamp: datetime
    data: CallbackData


class CallbackOut(BaseModel):
    """One event for a run's `callback_url` or an endpoint, and how its delivery stands."""

    id: Annotated[UUID, Field(description="The `webhook-id`, the same on every attempt.")]
    run_id: Annotated[UUID | None, Field(description="Null for a test of an endpoint.")]
    endpoint_id: Annotated[UUID | None, Field(description="Null for the run's own `callback_url`.")]
    sequence: Annotated[int, Field(description="Counts the events of the run.")]
    event: str
    url: str
    status: Status
    attempts: int
    next_at: Annotated[datetime | None, Field(description="Of a pending one: the next attempt.")]
    last_error: str | None
    payload: Annotated[dict[str, Any], Field(description="The body that is sent.")]
    created_at: datetime
    delivered_at: datetime | None
