"""Refuses an address before any route sees it: NUL anywhere, or a path that is not UTF-8."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.http.problems import address, problem
from app.errors import InvalidUrlError

SURROGATE = re.compile("[\ud800-\udfff]")


class StrictUrl:
    """ASGI middleware: answers 400 for an address that holds no text."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        try:
            if scope["type"] == "http":
                check_url(scope)
        except InvalidUrlError as error:
            await problem(address(scope), error)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def check_url(scope: Scope) -> None:
    """Raises InvalidUrlError for NUL, or for bytes that are not UTF-8."""
    query = scope["query_string"]
    if b"%00" in query or b"\x00" in query or "\x00" in scope["path"]:
        raise InvalidUrlError("The URL holds a NUL character.")
    if "\ufffd" in scope["path"] or SURROGATE.search(scope["path"]):
        raise InvalidUrlError("The path is not UTF-8.")
