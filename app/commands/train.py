"""deskgraph train: a triage model from a tenant's own labelled tickets, measured and stored."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.database import in_session, load_settings, with_database
from app.commands.terminal import add_row, complain, console, failure, inert, plain_table, typed
from app.db.tables.tenants import TriageModel
from app.db.tenants.queries import current_policy, tenant_exists
from app.db.tenants.triage_models import activate, active_model, add_model
from app.formats.jsonl import RowError
from app.quality.training.examples import Example, read_file
from app.quality.training.fit import can_train
from app.quality.training.history import read_history
from app.quality.training.measure import TooFewError, Trained, measured, train
from app.settings import Settings
from graphs.policy import Policy
from graphs.trained.model import UnreadableModelError, unpack

HISTORY = "history"
Source = Literal["file", "history"]
# Fitting, calibrating, measuring.
STAGES = 3


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a training: `before` is the model that counted, on the same tickets."""

    version: int
    active: bool
    trained: Trained
    before: dict[str, Any] | None
    bar: float | None

    @property
    def worse(self) -> bool:
        """Whether the model that counted is right more often."""
        own, before = self.trained.figures["all"], self.before
        return before is not None and bool(own["right"] < before["all"]["right"])

    def shown(self, tenant: str) -> dict[str, Any]:
        """As JSON, in the order of `usage.TRAIN`."""
        return {
            "tenant_id": tenant,
            "version": self.version,
            "active": self.active,
            "worse": self.worse,
            "threshold": self.trained.threshold,
            "figures": self.trained.figures,
            "before": self.before,
        }


def run_train(tenant: str, source: str, *, force: bool, as_json: bool) -> None:
    """Train, store and show; exit code 1 without enough labels, or when it is not made to count."""
    if not can_train():
        raise failure("Training needs scikit-learn: pip install 'scikit-learn>=1.9,<2'")
    given = None if source == HISTORY else read_source(Path(source))
    with with_database(load_settings()) as settings:
        examples = in_session(settings, lambda session: labels(session, tenant, given))
        trained = trained_on(examples, source)
        stored = keep(settings, tenant, trained, "history" if given is None else "file", force)
    if as_json:
        typer.echo(json.dumps(stored.shown(tenant)))
    else:
        show(tenant, stored)
    if not stored.active:
        again = typed(f"train --tenant {tenant} --from {source} --force")
        raise failure(f"It is stored and does not count; `{again}` lets it count all the same.")


def read_source(path: Path) -> list[Example]:
    """The labelled tickets of a file; a message and exit code 2 when it holds anything else."""
    try:
        return read_file(path)
    except (RowError, OSError, UnicodeDecodeError) as error:
        complain(error)
        raise typer.Exit(2) from None


async def labels(session: AsyncSession, tenant: str, given: list[Example] | None) -> list[Example]:
    """The labelled tickets; for an unknown tenant exit code 2."""
    if not await tenant_exists(session, tenant):
        raise typer.BadParameter(f"no tenant {tenant!r}; make it with `keys create`")
    return await read_history(session, tenant) if given is None else given


def trained_on(examples: list[Example], source: str) -> Trained:
    """The model; progress goes to stderr."""
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"training on {len(examples)} tickets", total=STAGES)
            return train(examples, lambda: progress.advance(task))
    except TooFewError as error:
        hint = "see docs/triage.md for what counts" if source == HISTORY else source
        raise failure(f"Nothing was trained: {error} ({hint}).") from None


def keep(settings: Settings, tenant: str, trained: Trained, source: Source, force: bool) -> Stored:
    """Store the model, and let it count unless the one that counts is better, or `force`."""

    async def work(session: AsyncSession) -> Stored:
        values = {
            "weights": trained.weights,
            "threshold": trained.threshold,
            "figures": trained.figures,
            "source": source,
        }
        version = await add_model(session, tenant, values)
        before = judged_again(await active_model(session, tenant), trained)
        _, body = await current_policy(session, tenant)
        used = Policy.model_validate(body).trained_triage
        stored = Stored(version, True, trained, before, used.min_accuracy if used else None)
        if stored.worse and not force:
            return Stored(version, False, trained, before, stored.bar)
        await activate(session, tenant, version)
        return stored

    return in_session(settings, work)


def judged_again(counts: TriageModel | None, trained: Trained) -> dict[str, Any] | None:
    """The figures of the model that counts, on the tickets that the new one was measured on.

    It has not seen them either: which tickets are held out does not depend on the training.
    """
    if counts is None:
        return None
    try:
        model = unpack(counts.weights)
    except UnreadableModelError:
        return None
    figures = measured(model, trained.held_out, counts.threshold)
    return {"version": counts.version, "then": counts.figures["all"], **figures}


def show(tenant: str, stored: Stored) -> None:
    """The figures as a table by confidence, and what they mean for the tenant."""
    figures, out = stored.trained.figures, console()
    table = plain_table("confidence", "tickets", "right", "at least")
    for bucket in figures["buckets"]:
        reach = f"{bucket['low']:.2f} to {bucket['high']:.2f}"
        add_row(table, reach, bucket["tickets"], bucket["right"], f"{bucket['lower']:.3f}")
    add_row(table, "all", *_counts(figures["all"]))
    out.print(table)
    for line in said(tenant, stored):
        out.print(inert(line))


def said(tenant: str, stored: Stored) -> list[str]:
    """What the figures mean, a sentence a line."""
    figures = stored.trained.figures
    rows, beyond = figures["rows"], figures["out_of_scope"]
    lines = [f"Trained on {rows['train']} tickets, measured on {rows['held_out']} others."]
    lines.append(f"Out of scope: {beyond['caught']} of {beyond['tickets']} left to people.")
    sure = figures["from_threshold"]
    lines.append(
        f"Without a key it routes {sure['tickets']} of these, {sure['right']} rightly."
        if sure["tickets"]
        else "It is nowhere sure enough to route a ticket without a key."
    )
    lines.append(_before_the_paid_one(figures, stored.bar))
    if (before := stored.before) is not None:
        old = before["all"]
        lines.append(
            f"Model {before['version']}, which counted, had {old['right']} of these "
            f"{old['tickets']} right; this one {figures['all']['right']}."
        )
        if _share(old) < before["then"]["lower"]:
            lines.append(f"That is a drop: when it was made, {_counts_of(before['then'])}.")
    state = "counts from now on" if stored.active else "is worse and does not count"
    return [*lines, f"Model {stored.version} of {tenant} {state}."]


def _before_the_paid_one(figures: dict[str, Any], bar: float | None) -> str:
    if bar is None:
        return "The policy's trained_triage is null, so it is not used."
    reached = [bucket for bucket in figures["buckets"] if bucket["lower"] >= bar]
    count = sum(bucket["tickets"] for bucket in reached)
    return (
        f"Before a paid model it may answer where at least {bar} is right: "
        f"{count} of {figures['all']['tickets']}, if they ask one short thing."
    )


def _share(counts: dict[str, Any]) -> float:
    return float(counts["right"] / counts["tickets"]) if counts["tickets"] else 0.0


def _counts(counts: dict[str, Any]) -> tuple[object, ...]:
    return counts["tickets"], counts["right"], f"{counts['lower']:.3f}"


def _counts_of(counts: dict[str, Any]) -> str:
    return f"{counts['right']} of {counts['tickets']} were right"
