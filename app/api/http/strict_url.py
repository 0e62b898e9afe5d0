"""Before any route sees an address: refuses what holds no text, keeps slashes inside ids apart."""

import re
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.http.problems import SLASH_IN_ID, address, problem
from app.errors import InvalidUrlError

SURROGATE = re.compile("[\ud800-\udfff]")
ENCODED_SLASH = re.compile("%2F", re.IGNORECASE)


class StrictUrl:
    """ASGI middleware: answers 400 for an address that holds no text.

    Servers decode `%2F` before any route is asked: the ticket "a/takeover" and the takeover of the
    ticket "a" would be one address. So an encoded slash goes on as SLASH_IN_ID.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, and hand it on."""
        try:
            if scope["type"] == "http":
                check_url(scope)
        except InvalidUrlError as error:
            await problem(address(scope), error)(scope, receive, send)
        else:
            await self.app(with_ids_whole(scope), receive, send)


def check_url(scope: Scope) -> None:
    """Raises InvalidUrlError for NUL, or for bytes that are not UTF-8."""
    query = scope["query_string"]
    if b"%00" in query or b"\x00" in query or "\x00" in scope["path"]:
        raise InvalidUrlError("The URL holds a NUL character.")
    if "\ufffd" in scope["path"] or SURROGATE.search(scope["path"]):
        raise InvalidUrlError("The path is not UTF-8.")


def with_ids_whole(scope: Scope) -> Scope:
    """The request with SLASH_IN_ID in its path for every encoded slash."""
    parts = ENCODED_SLASH.split(scope.get("raw_path", b"").decode("latin-1"))
    return scope if len(parts) == 1 else {**scope, "path": SLASH_IN_ID.join(map(unquote, parts))}
