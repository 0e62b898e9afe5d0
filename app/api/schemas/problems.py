"""Problems (RFC 9457) as the OpenAPI document describes them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

UriReference = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]


class ProblemDetail(BaseModel):
    """One wrong value of a request."""

    pointer: Annotated[
        str, Field(description="JSON Pointer into the body, or `query/<name>`, `header/<name>`.")
    ]
    detail: str


class Problem(BaseModel):
    """Why a request was refused; some codes add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: UriReference
    title: str
    status: int
    code: Annotated[str, Field(description="Stable; decide by it.")]
    detail: str
    instance: UriReference
    errors: list[ProblemDetail] = Field(default_factory=list)
