"""The settings of Prometheus' port; a group of app/settings."""

from typing import Annotated

from pydantic import BaseModel, Field


class MonitoringSettings(BaseModel):
    """Monitoring: where Prometheus reads the metrics of a process."""

    metrics_host: str = Field("127.0.0.1", description="Address of the port for metrics.")
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None,
        description="TCP port of each API and worker for `GET /metrics`; 0 picks a free one."
        " Unset: metrics are on the API's own port, and workers have none.",
    )
