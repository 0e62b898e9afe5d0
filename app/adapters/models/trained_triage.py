"""The tenant's own trained triage, as one run may use it: loaded once a version and process."""

from collections import OrderedDict
from dataclasses import dataclass, field

from app.db.core.availability import DATABASE_ERRORS
from app.db.core.connections import Sessions
from app.db.tables.tenants import TriageModel
from app.db.tenants.triage_models import triage_model
from app.log import get_logger
from app.models.offline.trained import TrainedModel, before_a_model, without_a_model
from graphs.context import OwnTriage
from graphs.policy import Policy
from graphs.state import Ticket
from graphs.trained.model import UnreadableModelError, unpack

log = get_logger(__name__)

# Models in memory at once, the newest used; one takes half a megabyte.
KEPT = 32


@dataclass(frozen=True, slots=True)
class TrainedModels:
    """The models of a process, by tenant and version; None for one that cannot be read here."""

    kept: OrderedDict[tuple[str, int], TrainedModel | None] = field(default_factory=OrderedDict)

    async def of(self, sessions: Sessions, tenant_id: str, version: int) -> TrainedModel | None:
        """The tenant's model of that version."""
        key = (tenant_id, version)
        if key not in self.kept:
            async with sessions() as session:
                self.kept[key] = _loaded(await triage_model(session, tenant_id, version))
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        # Another run may have pushed it out meanwhile.
        found = self.kept.get(key)
        if key in self.kept:
            self.kept.move_to_end(key)
        return found


def _loaded(row: TriageModel | None) -> TrainedModel | None:
    if row is None:
        return None
    try:
        linear = unpack(row.weights)
    except UnreadableModelError as error:
        log.warning("trained_triage_unreadable", version=row.version, error=error)
        return None
    figures = row.figures
    routes = figures["from_threshold"]["lower"]
    return TrainedModel(row.version, linear, row.threshold, figures["buckets"], routes)


@dataclass(frozen=True, slots=True)
class PostgresTrainedTriage:
    """Bound to the run's tenant and policy. `with_model`: a configured model would be asked.

    `version` is that of the model which counted as the execution began; None while there is none.
    """

    sessions: Sessions
    models: TrainedModels
    tenant_id: str
    policy: Policy
    with_model: bool
    version: int | None

    async def opinion(self, ticket: Ticket) -> OwnTriage | None:
        """See `OwnTriageModel`."""
        used = self.policy.trained_triage
        if self.version is None or used is None or (self.with_model and used.min_accuracy >= 1):
            return None
        try:
            model = await self.models.of(self.sessions, self.tenant_id, self.version)
        except DATABASE_ERRORS as error:
            log.warning("trained_triage_failed", tenant_id=self.tenant_id, error=error)
            return None
        if model is None:
            return None
        least = self.policy.confidence_threshold
        if self.with_model:
            found = before_a_model(ticket, model, max(used.min_accuracy, least))
        else:
            found = without_a_model(ticket, model, least)
        return None if found is None else OwnTriage(found[0].model_dump(mode="json"), found[1])
