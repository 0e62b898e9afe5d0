"""Refuses a body before the route sees it: too large, not UTF-8, not strict JSON, too deep.

Python's JSON reader takes duplicate keys, NaN and lone surrogates; Postgres and the next reader do
not. Everything is refused here, once, with the place and the reason.
"""

import json
import re
from typing import Any

from starlette.types import Message, Receive, Scope

from app.errors import BodyError, MediaTypeError, TooLargeError

MAX_DEPTH = 32
# No DELETE of ours takes a body; one that is sent meets the same limits before it is read.
WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DIGITS = 30


async def checked_body(scope: Scope, receive: Receive, max_bytes: int) -> Receive | None:
    """Read the body up to the limit and check it; a `receive` that gives it again, unchanged.

    None when the client left before the end: half a request is not acted upon.

    Raises:
        TooLargeError, MediaTypeError, BodyError.
    """
    body = await _read(scope, receive, max_bytes)
    if body is None:
        return None
    if body:
        check_json(scope, body)
    return replay(body, receive)


async def _read(scope: Scope, receive: Receive, max_bytes: int) -> bytes | None:
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
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_int,
            parse_float=_float,
        )
        check_value(document)
    except RecursionError:
        raise BodyError(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except UnicodeDecodeError as error:
        raise BodyError(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise BodyError(f"{error.msg} at line {error.lineno}, column {error.colno}.") from None


def _is_charset(parameter: str) -> bool:
    return parameter.partition("=")[0].strip() == "charset"


def check_value(value: Any, levels: int = 0) -> None:
    """Raises BodyError for NUL, lone surrogates, or a value inside `levels` that nests too deep.

    A list or object is a level, also an empty one; MAX_DEPTH of them may lie in each other.
    """
    if isinstance(value, str):
        if "\x00" in value:
            raise BodyError("A text holds a NUL character (U+0000).")
        if SURROGATE.search(value):
            raise BodyError("A text holds half of a surrogate pair.")
    elif isinstance(value, dict | list):
        if levels == MAX_DEPTH:
            raise BodyError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        for item in value if isinstance(value, list) else [*value, *value.values()]:
            check_value(item, levels + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BodyError(f"The key {json.dumps(name)[:100]} stands twice in one object.")
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise BodyError(f"{name} is not JSON.")


def _int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise BodyError(f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise BodyError("A number is too large.")
    return number
