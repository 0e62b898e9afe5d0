"""Figures to the API's shapes: runs, answers, approvals and connections."""

from typing import get_args

from app.api import schemas
from app.api.views.stats import ERROR, EVERY, Time, counted, grouped
from app.api.views.sums import Sum, by, rate, spread, total
from app.db.figures.queries import Figure
from graphs.state import Outcome

OUTCOMES: tuple[str, ...] = get_args(Outcome)
# Neither a customer's message of its own nor, for a replay, anything that a customer saw.
APART = ("replay", "merged")
MARKS = ("cache_hit", "refused", "lost")
# So large a share of so many decisions in less than 3 seconds is no judgement.
STAMPED_SHARE, STAMPED_DECISIONS = 0.2, 10


def run_figures(figures: list[Figure], time: Time) -> schemas.RunFigures:
    """The runs that finished."""
    own = [f for f in figures if f.name not in APART]
    ended = [f for f in own if f.result == "ended"]
    whole = total(ended)
    good = total(f for f in ended if f.name in OUTCOMES)
    apart = by((f for f in figures if f.result == "ended"), lambda f: f.name)
    errors = by((f for f in own if f.result.startswith(ERROR)), lambda f: f.result[6:])
    marks = by((f for f in own if f.result in MARKS), lambda f: f.result)
    return schemas.RunFigures(
        runs=whole.count,
        success_rate=rate(good.count, whole.count),
        took=spread(ended),
        queue=spread(f for f in own if f.result == "queue"),
        active=spread(f for f in own if f.result == "active"),
        human=spread(f for f in own if f.result == "human"),
        tokens=whole.tokens,
        cost_usd=whole.cost,
        cost_per_run_usd=whole.cost / whole.count if whole.count else None,
        unpriced=whole.unpriced,
        replays=apart.get("replay", Sum()).count,
        replays_cost_usd=apart.get("replay", Sum()).cost,
        merged=apart.get("merged", Sum()).count,
        marks=[
            counted(mark, marks.get(mark, Sum()), time.runs("finished", mark=mark, replays="false"))
            for mark in MARKS
        ],
        errors=[
            counted(kind, found, time.runs("finished", error_type=kind, replays="false"))
            for kind, found in sorted(errors.items(), key=lambda item: -item[1].count)
        ],
    )


def answer_figures(figures: list[Figure], time: Time) -> schemas.AnswerFigures:
    """How the customers' messages ended."""
    ended = [f for f in figures if f.result == "ended" and f.name not in APART]
    outcomes, whole = by(ended, lambda f: f.name), total(ended).count
    again = total(f for f in figures if f.result == "reopened" and f.name not in APART)
    return schemas.AnswerFigures(
        runs=whole,
        outcomes=[
            share(
                name,
                outcomes.get(name, Sum()),
                whole,
                time.runs("finished", outcome=name, replays="false"),
            )
            for name in OUTCOMES
        ],
        reopened=share("reopened", again, whole, time.runs("finished", mark="reopened")),
    )


def approval_figures(kind: str, figures: list[Figure], time: Time) -> schemas.ApprovalFigures:
    """One kind of approval, or all of them."""
    ended = [f for f in figures if not f.part]
    verdicts, of_kind = by(ended, lambda f: f.result), {"approval_kind": kind}
    whole = total(ended).count
    decisions = total(f for f in figures if f.result == "decision").count
    fast = total(f for f in figures if f.result == "fast")
    return schemas.ApprovalFigures(
        kind=kind,
        ended=whole,
        edit_rate=rate(verdicts.get("edited", Sum()).count, whole),
        reject_rate=rate(verdicts.get("rejected", Sum()).count, whole),
        wait=spread(ended),
        verdicts=[
            counted(
                name,
                found,
                time.runs("happened", approval=name, **({} if kind == EVERY else of_kind)),
            )
            for name, found in sorted(verdicts.items())
        ],
        decisions=decisions,
        fast=share("fast_decision", fast, decisions, time.runs("happened", mark="fast_decision")),
        rubber_stamp=decisions >= STAMPED_DECISIONS and fast.count >= STAMPED_SHARE * decisions,
    )


def all_approvals(
    figures: list[Figure], time: Time
) -> tuple[schemas.ApprovalFigures, list[schemas.ApprovalFigures]]:
    """All approvals together, and each kind by itself."""
    return approval_figures(EVERY, figures, time), [
        approval_figures(kind, rows, time) for kind, rows in grouped(figures).items()
    ]


def connection_figures(
    figures: list[Figure], names: dict[str, str], time: Time
) -> list[schemas.ConnectionFigures]:
    """Each connection that something came from or went to."""
    return [_connection(one, names, rows, time) for one, rows in grouped(figures).items()]


def _connection(
    connection_id: str, names: dict[str, str], figures: list[Figure], time: Time
) -> schemas.ConnectionFigures:
    hooks = [f for f in figures if f.part == "hook"]
    effects = [f for f in figures if f.part == "effect"]
    deliveries = [f for f in figures if f.part not in ("hook", "effect")]
    sent = [f for f in (*effects, *deliveries) if f.result != "cancelled"]
    failed = total(f for f in sent if f.result in ("failed", "refused", "gone"))
    return schemas.ConnectionFigures(
        connection_id=connection_id,
        name=names.get(connection_id, connection_id),
        runs=time.runs("created", connection=connection_id),
        hooks=_counted(hooks),
        deliveries=_counted(deliveries),
        effects=_counted(effects),
        success_rate=rate(total(sent).count - failed.count, total(sent).count),
        retries=total(figures).retries,
        took=spread((*effects, *deliveries)),
    )


def _counted(figures: list[Figure]) -> list[schemas.Counted]:
    sums = by(figures, lambda f: f.result)
    return [counted(result, found, None) for result, found in sorted(sums.items())]


def share(kind: str, found: Sum, whole: int, runs: str) -> schemas.Share:
    """How often, of how many, and where."""
    part = rate(found.count, whole)
    return schemas.Share(kind=kind, count=found.count, share=part, run_id=found.sample, runs=runs)
