"""Policy sections with numbers: rates of runs, retention, and when a trained model may answer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PerMinute = Annotated[int, Field(ge=1, le=100_000)]
Days = Annotated[int, Field(ge=1, le=3650)]
Burst = Annotated[int, Field(ge=1, le=10_000)]


class Rates(BaseModel):
    """Runs per minute, and how many may come at once; a run over the rate waits, none is refused.

    `tenant_per_minute` is no limit when it is None.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    customer_per_minute: PerMinute = 60
    customer_burst: Burst = 30
    tenant_per_minute: PerMinute | None = None
    tenant_burst: Burst = 100


class Retention(BaseModel):
    """Days until events are deleted, and a finished run's steps and checkpoints but the last one.

    The ledger, the runs and the conversation are kept.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    checkpoints_days: Days = 30
    events_days: Days = 30
    steps_days: Days = 90


class TrainedTriage(BaseModel):
    """Where the tenant's own trained model answers before another one is asked.

    `min_accuracy` is held against the lower bound of what was right among held-out tickets of the
    same confidence, which never is 1.0.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    min_accuracy: Annotated[float, Field(ge=0.5, le=1)] = 0.98
