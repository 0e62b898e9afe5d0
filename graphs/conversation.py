"""What was said before a run, as its state carries it: plain JSON, bounded in size."""

from typing import Literal

from typing_extensions import TypedDict


class Turn(TypedDict):
    """One public message of the conversation, cut to a budget."""

    author: Literal["customer", "deskgraph"]
    text: str


class PastTicket(TypedDict):
    """Another ticket of the customer; `promised` is what was done and who took it over."""

    ticket_id: str
    subject: str
    outcome: str
    promised: list[str]
    at: str


class Memory(TypedDict):
    """What was said before; `summary` tells what is older than `window`. Sizes are bounded."""

    window: list[Turn]
    summary: str
    tickets: list[PastTicket]
