"""Protocols of gate and ledger: who agreed to a call, and how it ended."""

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from tools.models import JsonObject, RecentRefund


@dataclass(frozen=True, slots=True)
class Call:
    """One effect about to happen, with the amount it moves (minor units) if it moves money.

    `needs_person`: the plan had to wait for a person, so only an approval permits the call.
    `at_provider`: it is made at the tenant's payment provider.
    """

    tool: str
    key: str
    args: JsonObject
    step_id: str | None
    amount_minor: int | None = None
    currency: str | None = None
    needs_person: bool = False
    at_provider: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """Why a gated call may happen: a decided approval, or the customer's allowance in 24 hours.

    `limit_minor` bounds what the customer gets in 24 hours with it, refunds that wait in other
    plans included; `below_minor` bounds it without those, for an approval by one person.
    """

    approval_id: UUID | None = None
    limit_minor: int | None = None
    below_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A call's row in the ledger.

    `fresh`: this caller began it just now. `own`: it was begun in this run, now or earlier.
    `elsewhere`: it was begun at a payment provider that is not the run's any more.
    """

    status: Literal["started", "done", "failed"]
    fresh: bool
    result: JsonObject | None = None
    error: str | None = None
    own: bool = True
    elsewhere: bool = False


class Gate(Protocol):
    """Knows what people and the tenant's policy agreed to."""

    async def permit(self, call: Call) -> Permit:
        """Why `call` may happen. Raises ApprovalRequiredError when nothing permits it."""
        ...


class Ledger(Protocol):
    """Results of effects by business key; survives every crash."""

    async def begin(self, call: Call, permit: Permit | None) -> Entry:
        """Write `started` unless the key is known, and answer the key's row.

        Raises RunLostError when the run is no longer this attempt's, EffectsPausedError while the
        tenant is paused, and ApprovalRequiredError when an allowance is already used up.
        """
        ...

    async def find(self, key: str) -> Entry | None:
        """The row of a key, if there is one; `fresh` is False."""
        ...

    async def finish(self, key: str, result: JsonObject) -> None: ...

    async def fail(self, key: str, error: str) -> None: ...

    async def refunded_24h(self) -> dict[str, int]:
        """What the run's customer got back in the last 24 hours, minor units by currency.

        Refunds that wait in the plans of the customer's other runs are counted in.
        """
        ...

    async def refunded_elsewhere(self) -> list[RecentRefund]:
        """The refunds that the run's customer got in other tickets in the last 7 days."""
        ...
