"""What outside systems answer, read strictly: shapes that all connectors over HTTP share."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from app.connectors.http import HttpAnswer
from tools.errors import UnavailableError

T = TypeVar("T")


class Wire(BaseModel):
    """A part of an answer; what we do not read of it is dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


# Much that is a text or an object by a system's own documents comes as null.
NullableText = Annotated[str, BeforeValidator(lambda said: "" if said is None else said)]
Attributes = Annotated[
    dict[str, Any], BeforeValidator(lambda said: said if isinstance(said, dict) else {})
]


def document_of(answer: HttpAnswer) -> Any:
    """The JSON of a refusal, for its words; None where it has none."""
    try:
        return answer.json()
    except UnavailableError:
        return None


def read_as(kind: type[T], document: Any) -> T:
    """The answer as what it should be. Raises UnavailableError: what happened is unknown."""
    try:
        return TypeAdapter(kind).validate_python(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise UnavailableError(f"the answer has another shape: {where} {first['type']}") from None
