"""Refuses a `callback_url` that could not be called anyway, before anything is stored."""

import asyncio

from app.adapters.webhooks.ssrf_guard import ForbiddenTargetError, make_guard, parse
from app.errors import InvalidRequestError
from app.settings import Settings

RESOLVE_SECONDS = 2


async def check_callback_url(settings: Settings, url: str, pointer: str = "/callback_url") -> None:
    """Let a URL pass that may be called; a name that does not resolve now may do so later.

    Raises:
        InvalidRequestError: with the pointer.
    """
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            await make_guard(settings.callback_allow).addresses(parse(url))
    except ForbiddenTargetError as error:
        problems = [{"pointer": pointer, "detail": str(error)}]
        raise InvalidRequestError(f"{pointer} {error}.", errors=problems) from None
    except OSError:  # TimeoutError among them
        return
