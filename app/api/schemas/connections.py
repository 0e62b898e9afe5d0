"""Connections to outside systems as the API takes and shows them; never a credential."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.base import Request
from app.api.schemas.page import Page

Name = Annotated[str, Field(min_length=1, max_length=100)]
Settings = Annotated[dict[str, Any], Field(max_length=50)]
Credentials = Annotated[
    dict[str, Any],
    Field(max_length=20, description="Stored encrypted, and never shown again."),
]


class AddConnection(Request):
    """Connect an outside system."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "webhook",
                    "name": "Our helpdesk",
                    "settings": {"url": "https://helpdesk.example/deskgraph"},
                }
            ]
        }
    )

    kind: Annotated[str, Field(min_length=1, max_length=50)]
    name: Name
    settings: Settings = Field(default_factory=dict)
    credentials: Credentials = Field(default_factory=dict)


class ChangeConnection(Request):
    """Change what is given. New settings or credentials end a pause."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Helpdesk"}, {"paused": True}]}
    )

    name: Name | None = None
    settings: Settings | None = None
    credentials: Credentials | None = None
    paused: Annotated[bool | None, Field(description="Send nothing there; what is due waits.")] = (
        None
    )


class RotateHookSecret(Request):
    """Make a new secret for the connection's hooks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"overlap_seconds": 0}]})

    overlap_seconds: Annotated[
        int, Field(ge=0, le=604_800, description="How long the one before is still taken.")
    ] = 86_400


class ConnectionOut(BaseModel):
    """A connection: what it is, and how it goes."""

    id: str
    kind: str
    role: Literal["desk", "payments"]
    name: str
    settings: dict[str, Any]
    hook_path: Annotated[str | None, Field(description="Where its hooks go; null: it has none.")]
    paused_because: Annotated[str | None, Field(description="Why nothing is sent there now.")]
    expires_at: Annotated[
        datetime | None,
        Field(description="When its credentials end; null where its system does not say so."),
    ]
    expires_soon: Annotated[bool, Field(description="Within a week, or already.")]
    last_hook_at: datetime | None
    last_write_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    created_at: datetime


class ConnectionAdded(ConnectionOut):
    """A new connection, and the secret that signs its hooks, which is never shown again."""

    hook_secret: str


class HookSecretOut(BaseModel):
    """The new secret, which is never shown again."""

    hook_secret: str


class CheckOut(BaseModel):
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str


class ConnectionTest(BaseModel):
    """What harmless calls found; `ok` when everything is right."""

    ok: bool
    checks: list[CheckOut]


class DeliveryOut(BaseModel):
    """Something that a desk got or is to get; the words stand on the run."""

    id: UUID
    ticket_id: str
    kind: Annotated[
        Literal["reply", "draft", "handoff", "fields"],
        Field(description="`draft`: a reply that was not sent, as a private note."),
    ]
    key: str
    status: Annotated[
        Literal["pending", "sent", "overtaken", "closed", "gone", "refused", "failed", "cancelled"],
        Field(description="`overtaken`: a person has the ticket, so nothing public was sent."),
    ]
    attempts: int
    next_at: Annotated[datetime | None, Field(description="Of a pending one: the next attempt.")]
    desk_id: Annotated[str | None, Field(description="What the desk calls what it got.")]
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


class HookTaken(BaseModel):
    """The hook is stored; `duplicate` when it, or its message, came before."""

    duplicate: bool


class ConnectionPage(Page[ConnectionOut]):
    """A page of connections."""


class DeliveryPage(Page[DeliveryOut]):
    """A page of deliveries."""
