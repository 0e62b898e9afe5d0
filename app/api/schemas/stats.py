"""What a tenant's runs came to in a time, beside the time before it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.api.schemas.base import CostUsd

Window = Literal["1h", "24h", "7d", "30d"]
Milliseconds = Annotated[
    int | None, Field(description="Exact: the smallest value that so many do not exceed.")
]
Rate = Annotated[float | None, Field(description="Between 0 and 1; null of nothing.")]
Unpriced = Annotated[
    int, Field(description="Whose price is unknown: their cost is not in `cost_usd`.")
]


RunsPath = Annotated[str | None, Field(description="The list of the runs behind the numbers.")]


class Counted(BaseModel):
    """A kind of thing that happened: how often, the newest run of it, and where to list them."""

    kind: str
    count: int
    run_id: UUID | None
    runs: RunsPath


class Spread(BaseModel):
    """How long something took."""

    count: int
    p50_ms: Milliseconds
    p95_ms: Milliseconds
    p99_ms: Milliseconds


class Stats(BaseModel):
    """Figures of `since` <= time < `until`; those of the time before begin with `before_since`."""

    window: Window
    before_since: datetime
    since: datetime
    until: datetime


class NodeFigures(BaseModel):
    """Executions of a node. Pauses and executions that were stopped are neither good nor bad."""

    node: str
    runs: RunsPath
    attempts: int
    success_rate: Rate
    failed: int
    paused: int
    stopped: int
    retries: int
    took: Spread
    tokens: int
    cost_usd: float
    cost_per_attempt_usd: CostUsd
    unpriced: Unpriced
    errors: list[Counted]


class NodeStats(Stats):
    """By node, and all nodes together."""

    total: NodeFigures
    nodes: list[NodeFigures]
    total_before: NodeFigures
    nodes_before: list[NodeFigures]


class NodeCost(BaseModel):
    """What the calls of one node cost."""

    node: str
    calls: int
    cost_usd: float
    runs: RunsPath


class ModelFigures(BaseModel):
    """Calls of a model; `repairs` asked again after an answer that broke the schema."""

    model: str
    runs: RunsPath
    calls: int
    success_rate: Rate
    failed: int
    repairs: int
    took: Spread
    tokens: int
    cached_calls: int
    cached_tokens: int
    cost_usd: float
    unpriced: Unpriced
    nodes: list[NodeCost]
    errors: list[Counted]
    fallbacks: list[Counted]


class ModelStats(Stats):
    """By model, and all models together, calls outside of runs' graphs included."""

    total: ModelFigures
    models: list[ModelFigures]
    total_before: ModelFigures
    models_before: list[ModelFigures]


class RunFigures(BaseModel):
    """Runs that finished. Replays and messages merged into other runs are named, not counted.

    `queue` is the time from arrival to the first start, `human` what people took to decide, and
    `active` the rest until the end.
    """

    runs: int
    success_rate: Rate
    took: Spread
    queue: Spread
    active: Spread
    human: Spread
    tokens: int
    cost_usd: float
    cost_per_run_usd: CostUsd
    unpriced: Unpriced
    replays: int
    replays_cost_usd: float
    merged: int
    marks: Annotated[
        list[Counted],
        Field(description="Cache hits, refusals of drafts, runs that lost a worker."),
    ]
    errors: list[Counted]


class QueueFigures(BaseModel):
    """The runs that wait for a worker now."""

    waiting: int
    oldest_seconds: int | None


class RunStats(Stats):
    """Runs that finished in the time, and the queue as it is now."""

    total: RunFigures
    total_before: RunFigures
    queue_now: QueueFigures


class Share(Counted):
    """A kind of end, and its share of all."""

    share: Rate


class AnswerFigures(BaseModel):
    """How customers' messages ended. `reopened` came within 7 days of an answer, of any outcome."""

    runs: int
    outcomes: list[Share]
    reopened: Share


class AnswerStats(Stats):
    """Answered, acted, asked back, rejected, handed over to a person, ignored; and reopened."""

    total: AnswerFigures
    total_before: AnswerFigures


class ApprovalFigures(BaseModel):
    """Approvals that ended. `fast` are decisions in less than 3 seconds.

    `rubber_stamp` says that a fifth of at least ten decisions were as fast.
    """

    kind: str
    ended: int
    edit_rate: Rate
    reject_rate: Rate
    wait: Spread
    verdicts: list[Counted]
    decisions: int
    fast: Share
    rubber_stamp: bool


class ApprovalStats(Stats):
    """By kind of approval, and all together."""

    total: ApprovalFigures
    kinds: list[ApprovalFigures]
    total_before: ApprovalFigures
    kinds_before: list[ApprovalFigures]


class ConnectionFigures(BaseModel):
    """What came from a connected system and went there; retries are of deliveries and hooks."""

    connection_id: str
    name: str
    runs: RunsPath
    hooks: list[Counted]
    deliveries: list[Counted]
    effects: list[Counted]
    success_rate: Annotated[
        float | None, Field(description="Of deliveries and effects; between 0 and 1.")
    ]
    retries: int
    took: Spread


class ConnectionStats(Stats):
    """By connection."""

    connections: list[ConnectionFigures]
    connections_before: list[ConnectionFigures]
