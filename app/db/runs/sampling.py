"""Which runs are traced, where a policy wants only a share of them."""

from sqlalchemy import ColumnElement, Double, Integer, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import BIT

from app.db.tables.runs import Run
from app.db.tables.tenants import PolicyVersion

# The last digits of a UUID of version 7 are random; so many bits of them are a run's place.
PLACE_DIGITS, PLACE_BITS = 6, 24


def is_sampled() -> ColumnElement[bool]:
    """The policy's `trace_share` has the run: by its id, so every execution of it agrees."""
    digits = func.right(cast(Run.id, Text), PLACE_DIGITS)
    # Postgres reads hexadecimal digits as bits behind an `x`.
    place = cast(cast(literal("x").concat(digits), BIT(PLACE_BITS)), Integer)
    share = (
        select(cast(PolicyVersion.body["trace_share"].astext, Double))
        .where(
            PolicyVersion.tenant_id == Run.tenant_id, PolicyVersion.version == Run.policy_version
        )
        .scalar_subquery()
    )
    sampled: ColumnElement[bool] = place < func.coalesce(share, 1.0) * 2**PLACE_BITS
    return sampled
