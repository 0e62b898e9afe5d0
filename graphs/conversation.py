"""What was said before a run: the thread's messages, the customer's other tickets, who has it."""

from typing import Literal, NotRequired

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
    """What was said before; `summary` holds what is older than `window`. Sizes are bounded."""

    window: list[Turn]
    summary: str
    tickets: list[PastTicket]


class HeldQuestion(TypedDict):
    """A question of an earlier message that a person answers, and the part of the ticket it is."""

    part: str
    text: str


class ThreadView(TypedDict):
    """The thread as a run found it: who has it, and what was sent there.

    `held`: a person has all of it; `questions`: those that people have; `parts`: what a person has
    whole, by intent, since it is not known which questions of it. `replies` are the newest public
    ones, oldest first; `replies_last_hour` and `replies_last_day` count them.
    """

    held: bool
    parts: list[str]
    questions: NotRequired[list[HeldQuestion]]
    replies: list[str]
    replies_last_hour: int
    replies_last_day: NotRequired[int]
