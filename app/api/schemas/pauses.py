"""The pause switch as the API shows it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.base import Request


class PutPause(Request):
    """Switch the tenant's replies and effects off or on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"paused": True}]})

    paused: bool


class PauseEntry(BaseModel):
    """One switch that is on."""

    scope: Annotated[
        Literal["tenant", "everyone"], Field(description="Only an operator switches everyone.")
    ]
    paused_at: datetime
    paused_by: str


class PauseOut(BaseModel):
    """Whether replies and effects are held back, and by whom."""

    paused: bool
    pauses: list[PauseEntry]
    in_flight: Annotated[
        int, Field(description="Effects that have begun and not ended; a pause waits 10 s for 0.")
    ]
