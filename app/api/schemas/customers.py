"""The response to erasing a customer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field


class ErasureOut(BaseModel):
    """What erasing a customer came to, in rows by kind; never their own id."""

    id: UUID
    pseudonym: Annotated[str, Field(description="What stands for the customer from now on.")]
    erased_by: Annotated[str, Field(description="Id of the API key, or `cli`.")]
    erased_at: datetime
    erased: dict[str, int]
    pseudonymised: Annotated[dict[str, int], Field(description="Kept without the customer's id.")]
    not_recalled: Annotated[dict[str, int], Field(description="Left outside; erase them there.")]
