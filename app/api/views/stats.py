"""Figures to the API's shapes: nodes and models."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from app.api import schemas
from app.api.views.sums import Sum, by, rate, spread, total
from app.db.figures.queries import Figure

ERROR, FALLBACK = "error:", "fallback:"
STOPPED = f"{ERROR}stopped"
EVERY = "all"


@dataclass(frozen=True, slots=True)
class Time:
    """`since` <= time < `until`, as the links to lists say it."""

    since: datetime
    until: datetime

    def runs(self, kind: str, **filters: str) -> str:
        """The list of runs; `kind` is what begins the names of its two times."""
        times = {f"{kind}_from": self.since, f"{kind}_before": self.until}
        said = {name: at.isoformat().replace("+00:00", "Z") for name, at in times.items()}
        return f"/v1/runs?{urlencode(filters | said)}"


def counted(kind: str, found: Sum, runs: str | None) -> schemas.Counted:
    """How often, and where."""
    return schemas.Counted(kind=kind, count=found.count, run_id=found.sample, runs=runs)


def node_figures(name: str, figures: list[Figure], time: Time) -> schemas.NodeFigures:
    """One node, or all of them."""
    failed = [f for f in figures if f.result.startswith(ERROR) and f.result != STOPPED]
    good = total(f for f in figures if f.result == "success")
    whole, errors = total(figures), total(failed)
    return schemas.NodeFigures(
        node=name,
        runs=None if name == EVERY else time.runs("happened", node=name),
        attempts=whole.count,
        success_rate=rate(good.count, good.count + errors.count),
        failed=errors.count,
        paused=total(f for f in figures if f.result == "interrupted").count,
        stopped=total(f for f in figures if f.result == STOPPED).count,
        retries=whole.retries,
        took=spread(f for f in figures if f.result != "interrupted"),
        tokens=whole.tokens,
        cost_usd=whole.cost,
        cost_per_attempt_usd=whole.cost / whole.count if whole.count else None,
        unpriced=whole.unpriced,
        errors=[
            counted(kind, found, time.runs("happened", failed_node=node, error_type=kind))
            for (node, kind), found in _most(by(failed, lambda f: (f.name, f.result[6:])))
        ],
    )


def all_nodes(
    figures: list[Figure], time: Time
) -> tuple[schemas.NodeFigures, list[schemas.NodeFigures]]:
    """All nodes together, and each by itself."""
    return node_figures(EVERY, figures, time), [
        node_figures(name, rows, time) for name, rows in grouped(figures).items()
    ]


def model_figures(name: str, figures: list[Figure], time: Time) -> schemas.ModelFigures:
    """One model, or all of them."""
    calls = [f for f in figures if f.result == "success" or f.result.startswith(ERROR)]
    failed = [f for f in calls if f.result != "success"]
    fallbacks = [f for f in figures if f.result.startswith(FALLBACK)]
    cached = total(f for f in figures if f.result == "cached")
    whole, errors = total(calls), total(failed)
    return schemas.ModelFigures(
        model=name,
        runs=None if name == EVERY else time.runs("happened", model=name),
        calls=whole.count,
        success_rate=rate(whole.count - errors.count, whole.count),
        failed=errors.count,
        repairs=whole.retries,
        took=spread(calls),
        tokens=whole.tokens,
        cached_calls=cached.count,
        cached_tokens=cached.tokens,
        cost_usd=whole.cost,
        unpriced=whole.unpriced,
        nodes=[
            schemas.NodeCost(
                node=node,
                calls=found.count,
                cost_usd=found.cost,
                runs=time.runs("happened", node=node),
            )
            for node, found in _dearest(by(calls, lambda f: f.part))
        ],
        errors=[
            counted(kind, found, time.runs("happened", model=model, model_error=kind))
            for (model, kind), found in _most(by(failed, lambda f: (f.name, f.result[6:])))
        ],
        fallbacks=[
            counted(kind, found, time.runs("happened", model=model, fallback=kind))
            for (model, kind), found in _most(by(fallbacks, lambda f: (f.name, f.result[9:])))
        ],
    )


def all_models(
    figures: list[Figure], time: Time
) -> tuple[schemas.ModelFigures, list[schemas.ModelFigures]]:
    """All models together, and each by itself."""
    return model_figures(EVERY, figures, time), [
        model_figures(name, rows, time) for name, rows in grouped(figures).items()
    ]


def grouped(figures: Iterable[Figure]) -> dict[str, list[Figure]]:
    """The figures of each name, by name."""
    found: dict[str, list[Figure]] = {}
    for figure in figures:
        found.setdefault(figure.name, []).append(figure)
    return dict(sorted(found.items()))


def _most(sums: dict[tuple[str, str], Sum]) -> list[tuple[tuple[str, str], Sum]]:
    return sorted(sums.items(), key=lambda item: (-item[1].count, item[0]))


def _dearest(sums: dict[str, Sum]) -> list[tuple[str, Sum]]:
    return sorted(sums.items(), key=lambda item: (-item[1].cost_usd, item[0]))
