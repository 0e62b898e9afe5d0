"""A policy change in the API's shape, and an example of one."""

from datetime import UTC, datetime
from typing import Any

from app.api import schemas
from app.api.http import openapi_examples
from app.db.tables.policy_changes import PolicyChange
from graphs.policy import Policy

CHANGES = "/v1/policy/changes"
EXAMPLE: dict[str, Any] = {
    "id": "01a20147-b0c1-7d31-8f6a-7f0d3c5a9e23",
    "status": "pending",
    "loosens": ["refund_auto_limit"],
    "base_version": 3,
    "policy": Policy(refund_auto_limit={"USD": 50_000}).model_dump(mode="json"),
    "asked_by": "Team lead",
    "asked_key": "e155576094d0",
    "created_at": openapi_examples.EARLY,
    "expires_at": "2026-11-29T09:00:00Z",
    "version": None,
    "decided_by": None,
    "decided_at": None,
}


def show_change(row: PolicyChange) -> schemas.PolicyChangeOut:
    """The change; one whose time is over has expired, also before that is written down."""
    names = schemas.PolicyChangeOut.model_fields.keys() - {"policy", "status"}
    over = row.status == "pending" and row.expires_at <= datetime.now(UTC)
    return schemas.PolicyChangeOut(
        **{name: getattr(row, name) for name in names},
        status="expired" if over else row.status,
        policy=Policy.model_validate(row.body),
    )
