"""What the tests of helpdesks need of each desk beside the port: its other users, and its faults.

A new connector writes one class with these methods and one test class (see test_helpdesks.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from app.connectors.helpdesk import Helpdesk

# What a desk may lack. Each stands in `lacks` with the reason; the test then checks that the desk
# refuses it, or is skipped with that reason.
Feature = Literal[
    "tags", "group", "priority", "status", "assignee", "closed", "deleted", "retry_after"
]


@dataclass(frozen=True, slots=True)
class DeskFields:
    """A ticket's fields in our words, as the desk's people see them."""

    status: str
    priority: str | None
    group: str | None
    assignee: str | None
    tags: frozenset[str] = field(default_factory=frozenset)


class Harness(Protocol):
    """One desk with one customer and one person, and ways to break the next calls.

    `person` is what `assignee` is called when that person has a ticket; `groups` are two groups,
    and tickets begin in the first. A fault holds for calls of `desk` only.
    """

    person: str
    groups: tuple[str, str]
    lacks: Mapping[Feature, str]

    @property
    def desk(self) -> Helpdesk:
        """The connector, with what `break_token` did to it."""
        ...

    async def open_ticket(self, subject: str, text: str) -> str:
        """The customer writes a new ticket; its id."""
        ...

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """The customer answers in the ticket."""
        ...

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """The person writes to the customer."""
        ...

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """The person writes a private note."""
        ...

    async def assign_person(self, ticket_id: str) -> None:
        """The person becomes the ticket's assignee."""
        ...

    async def hand_back(self, ticket_id: str) -> None:
        """The person gives the ticket to the bot, in the desk's way."""
        ...

    async def close_ticket(self, ticket_id: str) -> None:
        """The person ends the ticket, so that it takes no more replies of the bot."""
        ...

    async def delete_ticket(self, ticket_id: str) -> None:
        """The person deletes the ticket."""
        ...

    def lose_answer(self, after: int) -> None:
        """Do what the call after the next `after` calls asks, and never say so."""
        ...

    def garble_answer(self, after: int) -> None:
        """Do what that call asks, and answer with what no desk says."""
        ...

    @property
    def fault_waits(self) -> bool:
        """Whether the fault that was asked for has not come yet."""
        ...

    def forget_faults(self) -> None:
        """Let the next calls go well."""
        ...

    def limit_rate(self, seconds: float) -> None:
        """Refuse the next call, which may be repeated after so many seconds."""
        ...

    def answer_slowly(self) -> None:
        """Do what the next call asks, and answer when the connector no longer waits."""
        ...

    def break_token(self) -> None:
        """From here on `desk` has credentials that the desk does not take."""
        ...

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """The texts that reached the customer from the desk, in order."""
        ...

    async def people_saw(self, ticket_id: str) -> list[str]:
        """The texts of the whole ticket that the desk's people see, in order."""
        ...

    async def fields(self, ticket_id: str) -> DeskFields:
        """The ticket's fields now."""
        ...
