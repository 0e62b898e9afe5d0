"""The tenant's limits that decide whether an effect needs a person."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tools.models import JsonObject
from tools.tool import Currency

LimitMinor = Annotated[int, Field(ge=0, le=10**12)]


class Rules(BaseModel):
    """Amounts are minor units by currency; a currency that is not named has limit 0."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    refund_auto_limit: dict[Currency, LimitMinor] = Field(
        default_factory=dict,
        description="What one customer may get back in 24 hours without a person, per currency.",
    )
    refund_second_approver_from: dict[Currency, LimitMinor] = Field(
        default_factory=dict,
        description="From this sum in 24 hours two different people must agree, per currency.",
    )
    bulk_mail_gate_from: Annotated[int, Field(ge=0, le=10**9)] = Field(
        25, description="A mail to this many recipients or more needs a person."
    )


# With these values every gated effect needs a person; a law holds it for the whole catalog.
STRICTEST: JsonObject = {"refund_auto_limit": {}, "bulk_mail_gate_from": 0}
