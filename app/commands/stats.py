"""deskgraph stats: what nodes, runs, models, approvals, answers and connections came to."""

import json
from typing import Any, get_args

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import schemas
from app.api.views.read_stats import READ
from app.commands.database import in_session, load_settings, with_database
from app.commands.terminal import add_row, console, duration, facts, inert, moment, plain_table
from app.db.tenants.queries import tenant_exists

SUBJECTS = tuple(READ)
WINDOWS: tuple[str, ...] = get_args(schemas.Window)


def run_stats(subject: str | None, tenant: str, window: str, *, as_json: bool) -> None:
    """Print the statistics of one subject, or of all."""
    if subject is not None and subject not in READ:
        raise typer.BadParameter(f"{subject!r} is none of {', '.join(SUBJECTS)}")
    if window not in WINDOWS:
        raise typer.BadParameter(f"{window!r} is none of {', '.join(WINDOWS)}")

    async def read(session: AsyncSession) -> list[tuple[str, schemas.Stats]]:
        if not await tenant_exists(session, tenant):
            raise typer.BadParameter(f"no tenant {tenant!r}; make it with `keys create`")
        names = [subject] if subject else SUBJECTS
        of_window: Any = window
        return [(name, await READ[name](session, tenant, of_window)) for name in names]

    with with_database(load_settings()) as settings:
        found = in_session(settings, read)
    for name, stats in found:
        if as_json:
            typer.echo(json.dumps({"subject": name, "stats": stats.model_dump(mode="json")}))
        else:
            show(console(), name, stats)


def show(out: Console, name: str, stats: Any) -> None:
    """One subject as tables: its figures, then the problems with a run of each."""
    out.print(inert(f"{name}, {moment(stats.since)} to {moment(stats.until)}", "bold"))
    PRINT[name](out, stats)
    out.print()


def _nodes(out: Console, stats: schemas.NodeStats) -> None:
    heads = ("node", "attempts", "before", "good", "retries", "p50", "p95", "p99", "cost")
    table = plain_table(*heads, widths=(10,))
    before = {row.node: row.attempts for row in (stats.total_before, *stats.nodes_before)}
    for row in (*stats.nodes, stats.total):
        counts = (row.node, row.attempts, before.get(row.node, 0), percent(row.success_rate))
        add_row(table, *counts, row.retries, *spread(row.took), dollars(row.cost_usd))
    out.print(table)
    _problems(out, stats.total.errors)


def _models(out: Console, stats: schemas.ModelStats) -> None:
    heads = ("model", "calls", "before", "good", "repairs", "p50", "p95", "p99", "tokens", "cost")
    table = plain_table(*heads, widths=(10,))
    before = {row.model: row.calls for row in (stats.total_before, *stats.models_before)}
    for row in (*stats.models, stats.total):
        counts = (row.model, row.calls, before.get(row.model, 0), percent(row.success_rate))
        spent = (row.tokens, dollars(row.cost_usd))
        add_row(table, *counts, row.repairs, *spread(row.took), *spent)
    out.print(table)
    _problems(out, [*stats.total.errors, *stats.total.fallbacks])


def _runs(out: Console, stats: schemas.RunStats) -> None:
    now, before = stats.total, stats.total_before
    table = plain_table("time", "runs", "p50", "p95", "p99", widths=(8,))
    for name in ("took", "queue", "active", "human"):
        row: schemas.Spread = getattr(now, name)
        add_row(table, name, row.count, *spread(row))
    out.print(table)
    queue, oldest = stats.queue_now, stats.queue_now.oldest_seconds
    out.print(
        facts(
            {
                "runs": f"{now.runs}, before {before.runs}",
                "good": f"{percent(now.success_rate)}, before {percent(before.success_rate)}",
                "cost": f"{dollars(now.cost_usd)}, before {dollars(before.cost_usd)}",
                "per run": now.cost_per_run_usd and dollars(now.cost_per_run_usd),
                "waiting now": f"{queue.waiting}{f', for up to {oldest} s' if oldest else ''}",
            }
        )
    )
    _problems(out, [*now.errors, *now.marks])


def _approvals(out: Console, stats: schemas.ApprovalStats) -> None:
    heads = ("kind", "ended", "before", "edited", "rejected", "fast", "p50", "p95", "p99")
    table = plain_table(*heads, widths=(8,))
    before = {row.kind: row.ended for row in (stats.total_before, *stats.kinds_before)}
    for row in (*stats.kinds, stats.total):
        rates = (row.edit_rate, row.reject_rate, row.fast.share)
        counts = (row.kind, row.ended, before.get(row.kind, 0))
        add_row(table, *counts, *map(percent, rates), *spread(row.wait))
    out.print(table)
    if stats.total.rubber_stamp:
        out.print(inert("Many decisions took less than 3 seconds: were they read?", "red"))
    _problems(out, [stats.total.fast])


def _answers(out: Console, stats: schemas.AnswerStats) -> None:
    table = plain_table("ended as", "runs", "share", "before", widths=(10,))
    before = (*stats.total_before.outcomes, stats.total_before.reopened)
    for row, old in zip((*stats.total.outcomes, stats.total.reopened), before, strict=True):
        add_row(table, row.kind, row.count, percent(row.share), percent(old.share))
    out.print(table)


def _connections(out: Console, stats: schemas.ConnectionStats) -> None:
    heads = ("connection", "hooks", "deliveries", "effects", "good", "p50", "p95", "p99")
    table = plain_table(*heads, widths=(10,))
    for row in stats.connections:
        counts = (_listed(row.hooks), _listed(row.deliveries), _listed(row.effects))
        add_row(table, row.name, *counts, percent(row.success_rate), *spread(row.took))
    out.print(table)


def _problems(out: Console, problems: list[Any]) -> None:
    seen = [problem for problem in problems if problem.count]
    if not seen:
        return
    table = plain_table("what", "times", "for example", widths=(16, 5, 36))
    for problem in seen:
        add_row(table, problem.kind, problem.count, problem.run_id)
    out.print(table)


def _listed(counts: list[schemas.Counted]) -> str:
    return ", ".join(f"{one.count} {one.kind}" for one in counts)


def spread(row: schemas.Spread) -> tuple[str, str, str]:
    """The three percentiles."""
    return duration(row.p50_ms), duration(row.p95_ms), duration(row.p99_ms)


def percent(share: float | None) -> str:
    """A share of 1 in percent; empty where there is nothing to have a share of."""
    return "" if share is None else f"{100 * share:.1f} %"


def dollars(cost: float) -> str:
    """US dollars to the hundredth of a cent."""
    return f"{cost:.4f} USD"


PRINT: dict[str, Any] = {
    "nodes": _nodes,
    "runs": _runs,
    "models": _models,
    "approvals": _approvals,
    "answers": _answers,
    "connections": _connections,
}
