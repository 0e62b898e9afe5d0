"""What stands in our stand-in for Zendesk."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

JsonObject = dict[str, Any]


@dataclass(slots=True)
class ZdUser:
    """A user of any role."""

    id: int
    name: str
    role: str = "end-user"
    external_id: str | None = None
    suspended: bool = False


@dataclass(slots=True)
class ZdComment:
    """A comment as it stands now."""

    id: int
    author_id: int
    body: str
    html_body: str
    public: bool
    audit_id: int
    created_at: str
    channel: str = "api"
    trusted: bool = True


@dataclass(slots=True)
class ZdAudit:
    """One update."""

    id: int
    author_id: int
    created_at: datetime
    custom: JsonObject
    events: list[JsonObject]


@dataclass(slots=True)
class ZdTicket:
    """A ticket with all that is within it."""

    id: int
    subject: str
    requester_id: int
    updated_at: datetime
    status: str = "new"
    priority: str | None = None
    group_id: int | None = 1
    assignee_id: int | None = None
    tags: list[str] = field(default_factory=list)
    external_id: str | None = None
    followup_of: int | None = None
    comments: list[ZdComment] = field(default_factory=list)
    audits: list[ZdAudit] = field(default_factory=list)


@dataclass(slots=True)
class ZdMail:
    """What reached the requester."""

    to: int
    ticket_id: int
    text: str
