"""The plain-JSON shapes that tools, plans and the ledger exchange. Money is integer minor units."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

JsonObject = dict[str, Any]
Urgency = Literal["low", "normal", "high", "critical"]
PaymentStatus = Literal["succeeded", "pending", "failed", "refunded", "canceled"]
RefundStatus = Literal["succeeded", "pending", "failed", "requires_action", "canceled"]


class Payment(TypedDict):
    """One payment of a customer; amounts in minor units of `currency`.

    Payments that were stored without a status have succeeded, and are not under dispute.
    `also_called`: other ids of the provider for the same payment, such as those on a receipt.
    """

    id: str
    description: str
    amount_minor: int
    refunded_minor: int
    currency: str
    captured_at: str
    status: NotRequired[PaymentStatus]
    disputed: NotRequired[bool]
    also_called: NotRequired[list[str]]


class RecentRefund(TypedDict):
    """A refund that the customer got in another ticket; amount in minor units."""

    payment_id: str
    amount_minor: int
    currency: str
    ticket_id: str


class PaymentHistory(TypedDict):
    """A customer's payments, what they got back in the last 24 hours, by currency, and their
    refunds in other tickets of the last 7 days."""

    payments: list[Payment]
    refunded_24h: dict[str, int]
    refunded_elsewhere: list[RecentRefund]


class Refund(TypedDict):
    """A refund as the provider booked it; one that was stored without a status has succeeded."""

    id: str
    payment_id: str
    amount_minor: int
    currency: str
    status: NotRequired[RefundStatus]


class Subscription(TypedDict):
    """What a customer pays for again and again; `renews_at` is None once it is cancelled."""

    id: str
    description: str
    status: Literal["active", "cancelled"]
    amount_minor: int
    currency: str
    renews_at: str | None


class Cancellation(TypedDict):
    """A cancelled subscription as the provider booked it.

    `ends_at`, ISO 8601 in UTC, is there when it runs until then and is not renewed.
    """

    id: str
    subscription_id: str
    description: str
    ends_at: NotRequired[str]


class Contact(TypedDict):
    """A person whom a mailing can reach."""

    id: str
    email: str
    name: str


class Audience(TypedDict):
    """Who would get a mailing now: how many, when that was counted, and the first few."""

    count: int
    as_of: str
    first: list[Contact]


class MailPreview(TypedDict):
    """A mailing before anyone agreed: addresses are masked, `text` is the first one's."""

    count: int
    as_of: str
    first: list[str]
    text: str


class MailTally(TypedDict):
    """How far a mailing is. `unknown` may have got it and are never mailed again."""

    sent: int
    failed: int
    unknown: int
    skipped: int
    waiting: int


class MailResult(TypedDict):
    """How a mailing ended."""

    audience: str
    sent: int
    failed: int
    unknown: int
    skipped: int


class Mail(TypedDict):
    """One plain-text mail; `key` names it for good."""

    key: str
    to: Contact
    subject: str
    text: str


class Delivery(TypedDict):
    """What became of one mail; `later` was not taken and may be tried again."""

    status: Literal["sent", "failed", "unknown", "later"]
    detail: str


class Passage(TypedDict):
    """A part of an article that answered a search; `score` ranks within one search only.

    `questions` are those that the article says it answers. `opens` is true of a text that begins
    where the article does.
    """

    article_id: str
    title: str
    text: str
    score: float
    questions: NotRequired[list[str]]
    opens: NotRequired[bool]


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


class Suggestion(TypedDict):
    """A reply that the person who has a hand-off may use, and the ids of its articles."""

    text: str
    citations: list[str]


class FoundArticle(TypedDict):
    """An article that fits a ticket that went to a person; `excerpt` is a part of what it says."""

    article_id: str
    title: str
    excerpt: str


class Handoff(TypedDict):
    """A ticket opened for a person; `agent` is None while it waits in the queue.

    `opens_at` is when the next person with the skill begins to work, ISO 8601 in UTC.
    `suggestion` and `articles` are what the person may answer from; the customer sees neither.
    """

    id: str
    skill: str
    urgency: Urgency
    agent: JsonObject | None
    queue_position: int | None
    opens_at: str | None
    suggestion: NotRequired[Suggestion | None]
    articles: NotRequired[list[FoundArticle]]


class SentReply(TypedDict):
    """A reply as the helpdesk took it."""

    id: str
    text: str
    citations: list[str]
    public: bool


class Evidence(TypedDict):
    """Something a reviewer can check a step against."""

    kind: Literal["payment", "subscription", "article", "ticket", "contacts", "mail", "appended"]
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
