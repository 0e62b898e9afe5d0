"""The plain-JSON shapes that tools, plans and the ledger exchange. Money is integer minor units."""

from typing import Any, Literal

from typing_extensions import TypedDict

JsonObject = dict[str, Any]
Urgency = Literal["low", "normal", "high", "critical"]


class Payment(TypedDict):
    """One captured payment of a customer; amounts in minor units of `currency`."""

    id: str
    description: str
    amount_minor: int
    refunded_minor: int
    currency: str
    captured_at: str


class PaymentHistory(TypedDict):
    """A customer's payments, and what they got back in the last 24 hours, by currency."""

    payments: list[Payment]
    refunded_24h: dict[str, int]


class Refund(TypedDict):
    """A refund as the provider booked it."""

    id: str
    payment_id: str
    amount_minor: int
    currency: str


class Passage(TypedDict):
    """A part of an article that answered a search; `score` ranks within one search only."""

    article_id: str
    title: str
    text: str
    score: float


class Agent(TypedDict):
    """A person who can take a hand-off. Hours are local to `timezone`, 24-hour clock."""

    id: str
    name: str
    skills: list[str]
    timezone: str
    opens_hour: int
    closes_hour: int
    weekdays: list[int]
    away: bool
    load: int
    max_load: int


class Handoff(TypedDict):
    """A ticket opened for a person; `agent` is None while it waits in the queue.

    `opens_at` is when the next person with the skill begins to work, ISO 8601 in UTC.
    """

    id: str
    skill: str
    urgency: Urgency
    agent: JsonObject | None
    queue_position: int | None
    opens_at: str | None


class SentReply(TypedDict):
    """A reply as the helpdesk took it."""

    id: str
    text: str
    citations: list[str]
    public: bool


class Evidence(TypedDict):
    """Something a reviewer can check a step against."""

    kind: Literal["payment", "article", "ticket"]
    id: str
    summary: str


class Step(TypedDict):
    """One proposed effect of a plan."""

    id: str
    tool: str
    args: JsonObject
    editable: list[str]
    reason: str
    risk: str
    evidence: list[Evidence]
