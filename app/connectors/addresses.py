"""Addresses that a tenant gives for our calls, as fields of a connection's settings."""

from typing import Annotated

from pydantic import AfterValidator

from app.adapters.webhooks.ssrf_guard import ForbiddenTargetError, Target, parse


def _target(url: str) -> Target:
    try:
        return parse(url)
    except ForbiddenTargetError as error:
        raise ValueError(f"the URL {error}") from None


def _callable(url: str) -> str:
    _target(url)
    return url


# One that could be called, with any path.
CallableUrl = Annotated[str, AfterValidator(_callable)]


def origin(example: str) -> AfterValidator:
    """Takes scheme, host and port alone; the slash at the end is left out."""

    def checked(url: str) -> str:
        if _target(url).path != "/":
            raise ValueError(f"the URL is scheme and host alone, such as {example}")
        return url.rstrip("/")

    return AfterValidator(checked)
