"""What a `callback_url` and webhook endpoints are sent, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

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
