"""deskgraph eval: a dataset of tickets through the graph in rehearsal, and how many are wrong."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.articles import SourceArticle, SourceError, read_source, store
from app.commands.database import explained, with_database
from app.commands.migrate import migrate
from app.commands.policy import read_policy
from app.commands.seed import seed
from app.commands.terminal import add_row, complain, console, inert, plain_table
from app.db.core.connections import direct_url
from app.db.tenants.queries import ensure_tenant
from app.execution.wiring import Service, open_service
from app.formats.jsonl import RowError
from app.log import configure_logging
from app.models.openai import build_pool
from app.quality.evaluation.dataset import Case, read_dataset
from app.quality.evaluation.figures import Figures, Judged, by_group, failures, figures
from app.quality.evaluation.junit import write_junit
from app.quality.evaluation.rehearse import rehearse_all
from app.quality.evaluation.tenant import tenant_for
from app.quality.evaluation.verdict import judge
from app.settings import Settings
from graphs.policy import Policy
from graphs.state import Grounding

OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured, in which surroundings, and how good it must be."""

    cases: Sequence[Case]
    articles: Sequence[SourceArticle]
    policy: Policy
    models: Sequence[str] = ()
    at_once: int = 4
    max_wrong: float = 0.02
    min_answered: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The verdicts on one model, and which thresholds it missed."""

    model: str
    judged: Sequence[Judged]
    missed: Sequence[str]

    @property
    def cost_usd(self) -> Decimal | None:
        """What the model calls cost; None when a price is unknown."""
        costs = [one.ended.cost_usd for one in self.judged]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None

    def shown(self) -> dict[str, object]:
        """As JSON."""
        return {
            "model": self.model,
            "total": figures(self.judged).shown(),
            "groups": {name: group.shown() for name, group in by_group(self.judged).items()},
            "missed": list(self.missed),
            "tokens": sum(one.ended.tokens for one in self.judged),
            "cost_usd": None if self.cost_usd is None else float(self.cost_usd),
            "tickets": [one.shown() for one in self.judged],
        }


def surroundings(
    dataset: Path | None, articles: Path | None, policy: Path | None, grounding: Grounding | None
) -> Wanted:
    """What the files hold; a message and exit code 2 when one cannot be read."""
    rules = read_policy(policy) if policy else Policy()
    # An answer kept from another ticket would be measured twice.
    fixed: dict[str, object] = {"answer_cache_seconds": 0}
    fixed |= {"grounding": grounding} if grounding else {}
    try:
        return Wanted(
            read_dataset(dataset) if dataset else read_dataset(),
            read_source(articles) if articles else (),
            rules.model_copy(update=fixed),
        )
    except (RowError, SourceError, OSError, UnicodeDecodeError) as error:
        complain(error)
        raise typer.Exit(2) from None


def run_eval(settings: Settings, wanted: Wanted, *, as_json: bool, junit: Path | None) -> None:
    """Measure each model and print the figures; exit code 1 when a threshold is missed."""
    # What a failing model leads to stands in the verdicts, not in a line of log for each call.
    configure_logging("ERROR", as_json=settings.log_json)
    with with_database(settings) as connected, explained():
        if settings.database_url is None:
            migrate(direct_url(connected), lambda step: complain(f"migrating {step}"))
        measured = asyncio.run(evaluate(connected, wanted))
    if junit:
        write_junit(junit, {one.model: one.judged for one in measured})
    for one in measured:
        if as_json:
            typer.echo(json.dumps(one.shown(), ensure_ascii=False))
        else:
            show(one)
        for reason in one.missed:
            complain(f"{one.model}: {reason}")
    if any(one.missed for one in measured):
        raise typer.Exit(1)


async def evaluate(settings: Settings, wanted: Wanted) -> list[Measured]:
    """Each model in turn, in a tenant that is removed at the end."""
    async with open_service(settings) as service:
        models = wanted.models or (configured(settings),)
        return [
            await measure(served_by(service, model), wanted, model)
            for model in dict.fromkeys(models)
        ]


async def measure(service: Service, wanted: Wanted, model: str) -> Measured:
    """The verdicts on every ticket with the service's models; progress goes to stderr."""

    async def fill(session: AsyncSession, tenant_id: str) -> None:
        await ensure_tenant(session, tenant_id, "Evaluation")
        await store(session, tenant_id, list(wanted.articles))
        await seed(session, tenant_id)

    async with tenant_for(service.sessions, wanted.policy, fill) as tenant_id:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(model, total=len(wanted.cases))
            ends = await rehearse_all(
                service, tenant_id, wanted.cases, wanted.at_once, lambda: progress.advance(task)
            )
    pairs = zip(wanted.cases, ends, strict=True)
    judged = [Judged(case, ended, judge(case, ended)) for case, ended in pairs]
    missed = failures(figures(judged), wanted.max_wrong, wanted.min_answered)
    return Measured(model, judged, missed)


def configured(settings: Settings) -> str:
    """The name of what answers now."""
    return settings.strong_model if settings.openai_api_key else OFFLINE


def served_by(service: Service, model: str) -> Service:
    """The service with one model in both roles, on the configured server; or with none."""
    settings = service.settings
    if model == configured(settings):
        return service
    if model == OFFLINE:
        changed = settings.model_copy(update={"openai_api_key": None})
    elif settings.openai_api_key is None:
        typer.echo("Set DESKGRAPH_OPENAI_API_KEY to ask a model.", err=True)
        raise typer.Exit(2)
    else:
        changed = settings.model_copy(update={"fast_model": model, "strong_model": model})
    return replace(service, settings=changed, models=build_pool(changed))


def show(measured: Measured) -> None:
    """The table of groups, and the tickets that went wrong."""
    table = plain_table("group", "tickets", "WRONG", "right", "partial", "handed over", "silent")
    total = figures(measured.judged)
    for name, group in {**by_group(measured.judged), "all": total}.items():
        add_row(table, name, *counts(group))
    out = console()
    out.print(inert(f"{measured.model}", "bold"), table)
    out.print(inert(summary(measured, total)))
    for one in measured.judged:
        if one.verdict.kind == "wrong":
            out.print(inert(f"WRONG {one.case.id}: {one.verdict.why}"))


def counts(group: Figures) -> tuple[int, ...]:
    """The numbers of a row."""
    return (
        group.tickets, group.wrong, group.right, group.partial, group.handed_over, group.silent,
    )  # fmt: skip


def summary(measured: Measured, total: Figures) -> str:
    """The shares that the thresholds are about, and what it took."""
    seconds = sum(one.ended.seconds for one in measured.judged) / total.tickets
    cost = "" if not measured.cost_usd else f", {measured.cost_usd:.4f} USD"
    return (
        f"wrong {total.wrong_share:.1%} of what left with no person; "
        f"answered {total.answered} of {total.answerable} that an article answers "
        f"({total.answered_share:.1%}); {seconds:.2f} s a ticket{cost}"
    )
