"""Who has a ticket: the bot, or a person who took it over."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.base import PersonName, Request


class TakeOver(Request):
    """Give the ticket to this person; without a name to the one whose key calls."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"handled_by": "Mia"}]})

    handled_by: PersonName | None = None


class PersonMessage(Request):
    """What a person wrote on the ticket in your helpdesk."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"author_name": "Mia", "text": "I look into it."}]}
    )

    text: Annotated[str, Field(min_length=1, max_length=50_000)]
    author_name: Annotated[
        PersonName | None, Field(description="Who wrote it; else the name of the key.")
    ] = None
    public: Annotated[
        bool,
        Field(description="Whether the customer saw it; then the person has the ticket."),
    ] = True


class CloseOut(BaseModel):
    """What closing a ticket ended."""

    ticket_id: str
    cancelled_runs: list[UUID]
    closed_handoffs: int


class Holder(BaseModel):
    """Who has the ticket, and since when the bot is silent there."""

    handled_by: Annotated[
        str | None,
        Field(description="Null while the bot has it, or a hand-off waits in the queue."),
    ]
    handled_since: Annotated[datetime | None, Field(description="Null while the bot answers.")]


class ThreadHolder(Holder):
    """A thread with the person who has it."""

    thread_id: UUID
    ticket_id: str


class TakenOver(ThreadHolder):
    """A thread that a person took over, and what had begun on it before."""

    begun: Annotated[
        int,
        Field(
            description="Replies and effects that had begun before the takeover and have not ended"
            " within 10 s: they may still arrive. None begins any more."
        ),
    ]
