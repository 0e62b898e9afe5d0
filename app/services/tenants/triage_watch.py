"""Use case: hold a trained triage to what people decided about the tickets that it triaged."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects.triage_labels import watched_runs
from app.db.tenants.triage_models import hold_active_model
from graphs.trained.figures import at_most, has_dropped


@dataclass(frozen=True, slots=True)
class Watch:
    """How a model does: of `decided` tickets that it triaged people left `right` as it said.

    `measured` is the lower bound of what it had right of held-out tickets as sure as these were.
    """

    version: int
    decided: int
    right: int
    measured: float

    @property
    def at_most(self) -> float:
        """The upper end of the 95 % interval of what it has right."""
        return at_most(self.right, self.decided)

    @property
    def dropped(self) -> bool:
        """Whether it is right less often than it was measured to be, by more than chance."""
        return has_dropped(self.right, self.decided, self.measured)

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "at_most": self.at_most, "dropped": self.dropped}


async def watch_of(session: AsyncSession, tenant_id: str, version: int) -> Watch:
    """How one model of the tenant does on the newest tickets that people decided about."""
    runs = await watched_runs(session, tenant_id, version)
    measured = sum(run.accuracy for run in runs) / len(runs) if runs else 0.0
    return Watch(version, len(runs), sum(run.right for run in runs), measured)


async def note(session: AsyncSession, tenant_id: str) -> Watch | None:
    """Keep with the model that counts how it does. The watch when it has dropped just now.

    None as well while another process looks at it. Never commits.
    """
    model = await hold_active_model(session, tenant_id)
    if model is None:
        return None
    watch = await watch_of(session, tenant_id, model.version)
    before: dict[str, Any] = model.figures.get("since", {})
    if watch.shown() != before:
        model.figures = {**model.figures, "since": watch.shown()}
    return watch if watch.dropped and not before.get("dropped") else None
