"""Refuses a body before the route sees it: too large, not UTF-8, not strict JSON, too deep.

Everything is refused here, once, with the place and the reason.
"""

from starlette.types import Message, Receive, Scope

from app.errors import BodyError, MediaTypeError, TooLargeError
from app.formats.strict_json import StrictJsonError, parse_json

# No DELETE of ours takes a body; one that is sent meets the same limits before it is read.
WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}


async def checked_body(scope: Scope, receive: Receive, max_bytes: int) -> Receive | None:
    """Read the body up to the limit and check it; a `receive` that gives it again, unchanged.

    None when the client left before the end: half a request is not acted upon.

    Raises:
        TooLargeError, MediaTypeError, BodyError.
    """
    body = await read_body(scope, receive, max_bytes)
    if body is None:
        return None
    if body:
        check_json(scope, body)
    return replay(body, receive)


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes | None:
    """The whole body; None when the client left before its end. Raises TooLargeError."""
    if scope["method"] not in WITH_BODY:
        return b""
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    too_large = TooLargeError(f"A body may hold {max_bytes} bytes; send a shorter text.")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise too_large
        if not message.get("more_body"):
            return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the checked body first."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def check_json(scope: Scope, body: bytes) -> None:
    """Raises MediaTypeError or BodyError."""
    kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1").lower()
    media, *parameters = [part.strip() for part in kind.split(";")]
    charsets = {part.partition("=")[2].strip(' "') for part in parameters if _is_charset(part)}
    if media != "application/json" or charsets - {"utf-8"}:
        raise MediaTypeError("Send `Content-Type: application/json` in UTF-8.")
    try:
        parse_json(body)
    except StrictJsonError as error:
        raise BodyError(str(error)) from None


def _is_charset(parameter: str) -> bool:
    return parameter.partition("=")[0].strip() == "charset"
