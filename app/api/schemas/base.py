"""What requests share: no unknown fields, no converted types, ids that fit a URL."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Ids of outside systems: printable ASCII without spaces, so that they fit a URL and a log line.
# Dots alone would be resolved away by every client.
OutsideId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^\.*[!-\-/-~][!-~]*$")]


class Request(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", strict=True)
