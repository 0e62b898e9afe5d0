"""What requests share: no unknown fields or converted types, ids that fit a URL, languages."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

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


class Request(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", strict=True)
