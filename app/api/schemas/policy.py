"""A tenant's policy with its version in one flat object: the body of a GET can be PUT back."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.base import Request
from app.api.schemas.page import Page
from app.services.tenants.policy_changes import Verdict
from graphs.policy import Policy

ChangeStatus = Literal["pending", "confirmed", "refused", "expired", "alone"]


class PutPolicy(Policy):
    """The whole policy; a field that is left out has its default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 3, "refund_auto_limit": {"USD": 5000}}]}
    )

    version: Annotated[
        int | None, Field(ge=0, description="Refused if it is no longer the newest one.")
    ] = None
    created_at: Annotated[str | None, Field(max_length=100, description="Not looked at.")] = None
    created_by: Annotated[str | None, Field(max_length=1000, description="Not looked at.")] = None


class ChangePolicy(PutPolicy):
    """The fields to change, each whole; what is left out stays as it is, not as its default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"refund_auto_limit": {"USD": 5000}}]}
    )


class PolicyOut(Policy):
    """A policy, and who set it; version 0 is the default."""

    version: int
    created_at: Annotated[datetime | None, Field(strict=False)]
    created_by: str | None


class PolicyPage(Page[PolicyOut]):
    """A page of versions of the policy."""


class PolicyChangeOut(BaseModel):
    """A change that loosens limits, and what became of it."""

    id: UUID
    status: Annotated[
        ChangeStatus,
        Field(description="`alone`: applied at once, since there was no second admin."),
    ]
    loosens: Annotated[list[str], Field(description="The rules that become looser.")]
    base_version: Annotated[int, Field(description="The version that it was asked to change.")]
    policy: Annotated[Policy, Field(description="The whole policy that was asked for.")]
    asked_by: str
    asked_key: Annotated[str, Field(description="The id of the key that asked.")]
    created_at: datetime
    expires_at: datetime
    version: Annotated[int | None, Field(description="The version that it became.")]
    decided_by: str | None
    decided_at: datetime | None


class PolicyChangePage(Page[PolicyChangeOut]):
    """A page of policy changes."""


class DecideChange(Request):
    """Confirm another admin's change, or refuse one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "confirm"}]})

    verdict: Verdict
