"""What a list of runs may be narrowed down to, and how that is asked of the database."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Text, cast, exists, func, literal_column, text, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from app.db.figures.facts import FAST_DECISION, refused, reopened
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.figures import ModelCall
from app.db.tables.runs import Run, Step
from app.lifecycle import RunStatus
from graphs.state import Outcome

# What the statistics count of runs beside their outcome.
Mark = Literal["cache_hit", "refused", "lost", "reopened", "fast_decision"]
MARKS: dict[Mark, str] = {
    "cache_hit": "runs.summary @> '{\"cache_hit\": true}'",
    "refused": refused("runs"),
    "lost": "runs.losses > 0",
    "reopened": reopened("runs"),
}


@dataclass(frozen=True, slots=True)
class RunFilters:
    """Each filter narrows the list; None leaves it as it is. Times are `from` <= t < `before`.

    `happened_from` and `happened_before` are for what a node, a model or a person did: they count
    with `node`, `failed_node`, `model`, `model_error`, `fallback`, `approval`, `approval_kind` and
    the mark `fast_decision`. `error_type` is that of the node that failed, or without one that of
    the run. `connection` is the id of the desk that the ticket came from.
    """

    status: RunStatus | None = None
    ticket_id: str | None = None
    customer_id: str | None = None
    outcome: Outcome | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    finished_from: datetime | None = None
    finished_before: datetime | None = None
    cost_from: float | None = None
    mark: Mark | None = None
    replays: bool | None = None
    node: str | None = None
    failed_node: str | None = None
    error_type: str | None = None
    model: str | None = None
    model_error: str | None = None
    fallback: str | None = None
    approval: str | None = None
    approval_kind: str | None = None
    connection: str | None = None
    happened_from: datetime | None = None
    happened_before: datetime | None = None

    def scope(self) -> list[str | None]:
        """The filters as a page cursor is bound to them."""
        return [None if value is None else str(value) for value in astuple(self)]


def conditions(filters: RunFilters) -> Iterator[ColumnElement[bool]]:
    """What a run must be for every filter given.

    Where a column holds JSON, its part is named as its index names it: an index is not used for
    one that is named by a parameter.
    """
    yield from _of_row(filters)
    yield from _of_mark(filters)
    yield from _of_steps(filters)
    yield from _of_calls(filters)
    yield from _of_approvals(filters)


def _of_row(filters: RunFilters) -> Iterator[ColumnElement[bool]]:
    for name in ("status", "ticket_id", "customer_id", "outcome"):
        if (value := getattr(filters, name)) is not None:
            yield getattr(Run, name) == value
    yield from _between(Run.created_at, filters.created_from, filters.created_before)
    yield from _between(Run.finished_at, filters.finished_from, filters.finished_before)
    if filters.cost_from is not None:
        yield Run.cost_usd >= filters.cost_from
        if filters.cost_from > 0:
            # A constant, which lets the index of runs that cost something be used.
            yield Run.cost_usd > literal_column("0")
    if filters.replays is not None:
        yield Run.replay_of.is_not(None) if filters.replays else Run.replay_of.is_(None)
    if filters.connection is not None:
        came = literal_column("runs.ticket -> 'connection' ->> 'id'", Text)
        yield came == filters.connection
    if filters.error_type is not None and filters.failed_node is None:
        yield literal_column("runs.error ->> 'type'", Text) == filters.error_type


def _of_mark(filters: RunFilters) -> Iterator[ColumnElement[bool]]:
    if filters.mark == "fast_decision":
        since, until = filters.happened_from, filters.happened_before
        fast = text(FAST_RUNS).bindparams(since=since, until=until)
        yield fast  # type: ignore[misc]  # a text is a condition as well
    elif filters.mark is not None:
        yield text(MARKS[filters.mark])  # type: ignore[misc]  # as above


FAST_RUNS = f"""EXISTS (SELECT FROM decisions d JOIN approvals a ON a.id = d.approval_id
    WHERE a.tenant_id = runs.tenant_id AND a.run_id = runs.id AND {FAST_DECISION}
    AND (CAST(:since AS timestamptz) IS NULL OR d.created_at >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR d.created_at < :until))"""  # constants


def _of_steps(filters: RunFilters) -> Iterator[ColumnElement[bool]]:
    mine = (Step.tenant_id == Run.tenant_id, Step.run_id == Run.id)
    when = tuple(_between(Step.started_at, filters.happened_from, filters.happened_before))
    if filters.node is not None:
        yield exists().where(*mine, Step.node == filters.node, *when)
    if filters.failed_node is None:
        return
    failed = [Step.status == "error", Step.node == filters.failed_node]
    if filters.error_type is not None:
        kind = type_coerce(Step.error, JSONB)["type"].astext
        failed.append(func.coalesce(kind, "unknown") == filters.error_type)
    yield exists().where(*mine, *failed, *when)


def _of_calls(filters: RunFilters) -> Iterator[ColumnElement[bool]]:
    asked: list[Any] = []
    if filters.model is not None:
        asked.append(func.coalesce(ModelCall.answered, ModelCall.asked) == filters.model)
    if filters.model_error is not None:
        asked.append(ModelCall.error == filters.model_error)
    if filters.fallback is not None:
        reason = func.coalesce(ModelCall.reason, "unknown")
        asked += [ModelCall.fallback, reason == filters.fallback]
    if asked:
        mine = (ModelCall.tenant_id == Run.tenant_id, ModelCall.run_id == Run.id)
        when = _between(ModelCall.started_at, filters.happened_from, filters.happened_before)
        yield exists().where(*mine, *asked, *when)


def _of_approvals(filters: RunFilters) -> Iterator[ColumnElement[bool]]:
    ended: list[ColumnElement[bool]] = []
    if filters.approval is not None:
        ended.append(cast(Approval.status, Text) == filters.approval)
    if filters.approval_kind is not None:
        ended.append(Approval.kind == filters.approval_kind)
    if ended:
        mine = (Approval.tenant_id == Run.tenant_id, Approval.run_id == Run.id)
        when = _between(Approval.decided_at, filters.happened_from, filters.happened_before)
        yield exists().where(*mine, *ended, *when)


def _between(
    column: Any, since: datetime | None, before: datetime | None
) -> Iterator[ColumnElement[bool]]:
    if since is not None:
        yield column >= since
    if before is not None:
        yield column < before
