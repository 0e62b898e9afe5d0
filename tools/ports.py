"""What the tools need from outside, as protocols. Every port is already bound to one tenant."""

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from tools.models import Handoff, JsonObject, Passage, Payment, Refund, SentReply, Urgency


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a run acts: taken from the run's row, never from a body or a model."""

    tenant_id: str
    customer_id: str
    ticket_id: str
    run_id: UUID
    attempt: int


class Billing(Protocol):
    """The payment provider. A repeated `key` answers the first call's refund."""

    async def payments(self, customer_id: str) -> list[Payment]: ...

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund: ...

    async def find_refund(self, key: str) -> Refund | None: ...


class Helpdesk(Protocol):
    """Where replies go and people are found. A repeated `key` answers the first call's result."""

    async def reply(
        self, ticket_id: str, text: str, citations: list[str], *, public: bool, key: str
    ) -> SentReply: ...

    async def open_handoff(
        self, ticket_id: str, skill: str, urgency: Urgency, summary: str, *, key: str
    ) -> Handoff: ...


class Knowledge(Protocol):
    """The articles of the tenant."""

    async def search(
        self, queries: list[str], language: str | None, limit: int
    ) -> list[Passage]: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One effect about to happen, with the amount it moves (minor units) if it moves money."""

    tool: str
    key: str
    args: JsonObject
    step_id: str | None
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """Why a gated call may happen: a decided approval, or the customer's allowance in 24 hours."""

    approval_id: UUID | None = None
    limit_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A call's row in the ledger.

    `fresh`: this caller began it just now. `own`: it was begun in this run, now or earlier.
    """

    status: Literal["started", "done", "failed"]
    fresh: bool
    result: JsonObject | None = None
    error: str | None = None
    own: bool = True


class Gate(Protocol):
    """Knows what people and the tenant's policy agreed to."""

    async def permit(self, call: Call) -> Permit:
        """Why `call` may happen. Raises ApprovalRequiredError when nobody agreed to it."""
        ...


class Ledger(Protocol):
    """Results of effects by business key; survives every crash."""

    async def begin(self, call: Call, permit: Permit | None) -> Entry:
        """Write `started` unless the key is known, and answer the key's row.

        Raises RunLostError when the run is no longer this attempt's, and ApprovalRequiredError
        when an allowance is already used up.
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
