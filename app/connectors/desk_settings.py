"""What desks that a tenant serves itself ask for alike: their address, and tokens for a header."""

from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from app.connectors.connector import DeskFields


class ServedDesk(DeskFields):
    """A desk at an address of its own, with a path or without; `EXAMPLE` says what is asked for."""

    EXAMPLE: ClassVar[str]

    base_url: Annotated[str, Field(max_length=500)]

    @model_validator(mode="after")
    def _is_an_address(self) -> Self:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"base_url is where {self.EXAMPLE}")
        if parts.query or parts.fragment or parts.username or parts.password:
            raise ValueError("base_url has neither a user nor ? nor #")
        return self

    @property
    def destination(self) -> tuple[str | int, ...]:
        """Where the credentials go."""
        return (self.base_url,)


def _fits_a_header(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("a token has letters, digits and signs of ASCII, and no spaces")
    return token


HeaderToken = Annotated[
    SecretStr, Field(min_length=1, max_length=200), AfterValidator(_fits_a_header)
]
