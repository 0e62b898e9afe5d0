"""What requests share: no unknown fields or converted types, ids that fit a URL, languages."""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic_core import PydanticCustomError

from app.services.approvals.people import folded
from tools.language_tags import is_language_tag

# Ids of outside systems: printable ASCII without spaces, so that they fit a URL and a log line.
# Dots alone would be resolved away by every client.
OutsideId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^\.*[!-\-/-~][!-~]*$")]


def known_language(tag: str) -> str:
    """The tag as it was given. Raises PydanticCustomError for one that no language has."""
    if not is_language_tag(tag):
        raise PydanticCustomError(
            "language", "Should be a language tag of BCP 47 with a known language: en, pt-BR, ..."
        )
    return tag


LanguageTag = Annotated[
    str,
    Field(
        max_length=35,
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$",
        description="A language tag of BCP 47, such as `en` or `pt-BR`; kept as it is given.",
    ),
    AfterValidator(known_language),
]


def named_visibly(name: str) -> str:
    """The name as it was given. Raises PydanticCustomError for one that no reader sees."""
    if not any(letter.isalnum() for letter in folded(name)):
        raise PydanticCustomError("name", "Should hold a letter or a digit that a reader sees")
    return name


PersonName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
        description="With a letter or digit that a reader sees.",
    ),
    AfterValidator(named_visibly),
]
CostUsd = Annotated[
    float | None,
    Field(
        description="US dollars, as a number, here and everywhere; null when a price is unknown."
    ),
]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$", re.ASCII)


def with_zone(sent: Any) -> Any:
    """The text as it was given. Raises PydanticCustomError unless it is a time of RFC 3339."""
    if not isinstance(sent, str) or not TIME.match(sent):
        raise PydanticCustomError(
            "time", "Should be a time with its zone: 2026-11-22T09:00:00Z, and `+` sent as %2B"
        )
    return sent


Time = Annotated[AwareDatetime, BeforeValidator(with_zone)]


class Request(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", strict=True)
