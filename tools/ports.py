"""The ports of the tools, as protocols. Every port is already bound to one tenant.

An adapter names its protocol as its base. A method that not every provider offers has a body that
raises RefusedError: an adapter without it refuses.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol
from uuid import UUID

from tools.ledger import Ledger
from tools.models import (
    Audience,
    Cancellation,
    Contact,
    Delivery,
    FoundArticle,
    Handoff,
    Mail,
    MailTally,
    Passage,
    Payment,
    Refund,
    SentReply,
    Subscription,
    Suggestion,
    Urgency,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a run acts: taken from the run's row, never from a body or a model.

    `may_mail`: the key that started the run holds the scope `mail:send`. `replayed`: the runs that
    this one replays, nearest first; what they did counts as its own.

    `connection_id` names the outside desk of the ticket, None for a ticket of the API. `account`:
    the customer is known to be who they say, so their account may be read.
    """

    tenant_id: str
    customer_id: str
    ticket_id: str
    run_id: UUID
    attempt: int
    may_mail: bool = False
    replayed: tuple[UUID, ...] = ()
    connection_id: str | None = None
    account: bool = True

    @property
    def effects_of(self) -> UUID:
        """The run under whose keys effects are known: itself, or the first one replayed."""
        return self.replayed[-1] if self.replayed else self.run_id


class Billing(Protocol):
    """The payment provider. A repeated `key` answers the first call's refund."""

    @property
    def repeats_safely(self) -> bool:
        """Whether a call whose end is unknown, and of which nothing is found, may be made again
        under its key. That is the provider's contract; without one a person looks."""
        return False

    async def payments(self, customer_id: str) -> list[Payment]: ...

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund: ...

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        """The refund of this payment that was booked under the key, whatever became of it."""
        ...


class Subscriptions(Protocol):
    """What customers are subscribed to. A repeated `key` answers the first call's cancellation."""

    @property
    def repeats_safely(self) -> bool:
        """Whether a call whose end is unknown, and of which nothing is found, may be made again
        under its key: see Billing."""
        return False

    async def subscriptions(self, customer_id: str) -> list[Subscription]: ...

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation: ...

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        """The cancellation of this subscription that was booked under the key."""
        ...


class Conversations(Protocol):
    """Our record of what is said on tickets, and who has them: replies join it, hand-offs find a
    person. What belongs to a connected helpdesk (app/connectors) goes there from the record.

    A repeated `key` answers the first call's result.
    """

    async def reply(
        self, ticket_id: str, text: str, citations: list[str], *, public: bool, key: str
    ) -> SentReply: ...

    async def open_handoff(
        self,
        ticket_id: str,
        skill: str,
        urgency: Urgency,
        summary: str,
        *,
        key: str,
        suggestion: Suggestion | None = None,
        articles: Sequence[FoundArticle] = (),
        questions: Sequence[str] = (),
    ) -> Handoff: ...


class Knowledge(Protocol):
    """The articles of the tenant."""

    async def search(
        self, queries: list[str], language: str | None, limit: int, *, second_round: bool = False
    ) -> list[Passage]:
        """The passages that fit best; a second round asks again with what the first found."""
        ...


class Contacts(Protocol):
    """The people that the tenant may write to; who unsubscribed is not among them."""

    async def audiences(self) -> dict[str, int]:
        """How many people each audience has."""
        ...

    async def audience(self, name: str, first: int) -> Audience:
        """The audience of that name, which may be empty, with its `first` people."""
        ...


class Mailings(Protocol):
    """Who gets a mailing and who got it, by the mailing's key; survives every crash."""

    async def problem(self, audience: str, recipients: int, as_of: str) -> str | None:
        """Why the audience is not the one that was counted at `as_of`, or None."""
        ...

    async def begin(self, key: str, audience: str, recipients: int, as_of: str) -> None:
        """Fix the list at the first call; later calls mark what was interrupted as unknown.

        Raises RefusedError when the list is not the one that was counted at `as_of`, and
        RunLostError.
        """
        ...

    async def next(self, key: str) -> Contact | None:
        """Take the next one who is due, and note that their mail is about to leave.

        Raises RunLostError when the run was cancelled or is no longer this attempt's.
        """
        ...

    async def note(self, key: str, contact_id: str, delivery: Delivery) -> None: ...

    async def tally(self, key: str) -> MailTally:
        """Count, and show the count on the mailing's row of the ledger."""
        ...


class Outbox(Protocol):
    """An open connection to a mail server."""

    async def send(self, mail: Mail) -> Delivery: ...


class Mailer(Protocol):
    """Sends mail."""

    def open(self) -> AbstractAsyncContextManager[Outbox]:
        """Connect, and close at the end. Raises UnavailableError."""
        ...


class Provider(NamedTuple):
    """One payment provider, for payments and subscriptions."""

    billing: Billing
    subscriptions: Subscriptions


class Records(Protocol):
    """What evidence is read from again after an edit, by the one who decides."""

    @property
    def contacts(self) -> Contacts: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them, for one run.

    `begun_at` answers the payment provider at which the call of a key was begun, where that may be
    another one than the run's; without it there is only one.
    """

    billing: Billing
    subscriptions: Subscriptions
    conversations: Conversations
    knowledge: Knowledge
    contacts: Contacts
    mailings: Mailings
    mailer: Mailer
    ledger: Ledger
    begun_at: Callable[[str], Awaitable[Provider]] | None = None

    async def where_begun(self, key: str) -> "Ports":
        """The ports with the payment provider at which the call of the key was begun."""
        if self.begun_at is None:
            return self
        billing, subscriptions = await self.begun_at(key)
        return replace(self, billing=billing, subscriptions=subscriptions)
