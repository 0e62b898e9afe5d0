"""A tenant's policy with its version in one flat object: the body of a GET can be PUT back."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from app.api.http.pagination import Page
from graphs.policy import Policy


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
