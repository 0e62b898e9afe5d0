"""Events as the OpenAPI document describes them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field


class EventOut(BaseModel):
    """The `data` of one event of a stream; ignore types that you do not know."""

    type: Annotated[str, Field(examples=["run.started", "approval.opened", "run.finished"])]
    run_id: UUID
    at: datetime
    data: dict[str, Any]
