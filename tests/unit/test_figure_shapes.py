"""What figures come to in the API's shapes: shares, exact percentiles, and where each leads."""

from array import array
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from app.api.views.stats import Time, all_nodes
from app.api.views.stats_of_runs import (
    all_approvals,
    answer_figures,
    connection_figures,
    run_figures,
)
from app.api.views.sums import rate, spread
from app.db.figures.queries import Figure

TIME = Time(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
EARLIER, LATER = UUID(int=1), UUID(int=2)


def figure(
    name: str,
    result: str,
    *times: int,
    part: str = "",
    count: int | None = None,
    usd: str = "0",
    run: UUID | None = None,
) -> Figure:
    """What happened in these milliseconds each; they are stored with the high byte first."""
    durations = array("i", times)
    durations.byteswap()
    number = len(times) if count is None else count
    return Figure(name, part, result, number, 0, 0, Decimal(usd), 0, durations.tobytes(), run)


def test_percentiles_are_durations_that_occurred() -> None:
    """Over all figures, by the nearest rank."""
    found = spread([figure("a", "x", *range(1, 51)), figure("b", "x", *range(51, 101))])
    assert (found.count, found.p50_ms, found.p95_ms, found.p99_ms) == (100, 50, 95, 99)
    nothing = spread([])
    assert (nothing.count, nothing.p50_ms, nothing.p99_ms) == (0, None, None)
    assert (rate(1, 4), rate(0, 0)) == (0.25, None)


def test_node_leads_to_its_newest_failure() -> None:
    """A pause is neither a success nor a failure, and neither is what a lost worker left."""
    whole, [billing, send] = all_nodes(
        [
            figure("billing", "success", 10, 20, 30, usd="0.03"),
            figure("billing", "error:PaymentsAwayError", 5, run=EARLIER),
            figure("billing", "error:PaymentsAwayError", 7, usd="0.01", run=LATER),
            figure("billing", "error:stopped", 1),
            figure("billing", "interrupted", 9000),
            figure("send", "success", 40),
        ],
        TIME,
    )
    assert (billing.attempts, billing.failed, billing.paused, billing.stopped) == (7, 2, 1, 1)
    assert billing.success_rate == pytest.approx(3 / 5)
    assert billing.took.p99_ms == 30
    assert billing.cost_usd == pytest.approx(0.04)
    [error] = billing.errors
    assert (error.kind, error.count, error.run_id) == ("PaymentsAwayError", 2, LATER)
    assert "failed_node=billing" in str(error.runs)
    assert (send.success_rate, send.errors, whole.attempts) == (1, [], 8)


def test_replays_are_no_answers_to_customers() -> None:
    """Their cost stands apart."""
    figures = [
        figure("answered", "ended", 100, 200, usd="0.2"),
        figure("escalated", "ended", 300),
        figure("error", "ended", 50),
        figure("error", "error:timeout", count=1, run=LATER),
        figure("replay", "ended", 10, usd="0.5"),
        figure("answered", "queue", 1, 2),
        figure("answered", "reopened", count=1, run=EARLIER),
        figure("answered", "cache_hit", count=1),
    ]
    runs = run_figures(figures, TIME)
    assert (runs.runs, runs.success_rate, runs.replays) == (4, 0.75, 1)
    costs = (runs.cost_usd, runs.cost_per_run_usd, runs.replays_cost_usd)
    assert costs == pytest.approx((0.2, 0.05, 0.5))
    assert runs.queue.p50_ms == 1
    assert [(e.kind, e.run_id) for e in runs.errors] == [("timeout", LATER)]
    answers = answer_figures(figures, TIME)
    shares = {one.kind: one.share for one in answers.outcomes if one.count}
    assert shares == {"answered": 0.5, "escalated": 0.25}
    assert (answers.reopened.count, answers.reopened.run_id) == (1, EARLIER)


@pytest.mark.parametrize(("decisions", "fast", "stamped"), [(10, 2, True), (10, 1, False),
                                                            (9, 9, False)])  # fmt: skip
def test_many_fast_decisions_are_a_rubber_stamp(decisions: int, fast: int, stamped: bool) -> None:
    """A few are not, and neither is a small share."""
    whole, [plan] = all_approvals(
        [
            figure("plan", "approved", 1000, 3000),
            figure("plan", "rejected", 2000),
            figure("plan", "decision", part="decision", count=decisions),
            figure("plan", "fast", part="decision", count=fast, run=LATER),
        ],
        TIME,
    )
    assert (whole.rubber_stamp, whole.fast.run_id) == (stamped, LATER)
    assert (plan.ended, plan.wait.p50_ms) == (3, 2000)
    assert plan.reject_rate == pytest.approx(1 / 3)


def test_connection_counts_what_was_sent() -> None:
    """A cancelled delivery is neither good nor bad; what a hook brought is not sent."""
    figures = [
        figure("con_1", "done", 10, 20, 30, part="reply"),
        figure("con_1", "refused", 40, part="reply"),
        figure("con_1", "cancelled", 1, part="note"),
        figure("con_1", "read", part="hook", count=5),
    ]
    [desk] = connection_figures(figures, {"con_1": "Our desk"}, TIME)
    assert (desk.name, desk.success_rate) == ("Our desk", 0.75)
    assert [(one.kind, one.count) for one in desk.hooks] == [("read", 5)]
    assert "connection=con_1" in str(desk.runs)
