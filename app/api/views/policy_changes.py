"""A policy change in the API's shape."""

from datetime import UTC, datetime

from app.api import schemas
from app.db.tables.policy_changes import PolicyChange
from graphs.policy import Policy

CHANGES = "/v1/policy/changes"


def show_change(row: PolicyChange) -> schemas.PolicyChangeOut:
    """The change; one whose time is over has expired, also before that is written down."""
    names = schemas.PolicyChangeOut.model_fields.keys() - {"policy", "status"}
    over = row.status == "pending" and row.expires_at <= datetime.now(UTC)
    return schemas.PolicyChangeOut(
        **{name: getattr(row, name) for name in names},
        status="expired" if over else row.status,
        policy=Policy.model_validate(row.body),
    )
