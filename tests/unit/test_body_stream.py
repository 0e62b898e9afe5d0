"""How a body is read: never past the limit, handed on as it came, dropped when it breaks off."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from app.api.http.strict_body import checked_body
from app.api.http.strict_url import StrictUrl, check_url
from app.api.http.unread_body import CloseUnread
from app.errors import InvalidUrlError, TooLargeError

LIMIT = 1000
Headers = list[tuple[bytes, bytes]]
JSON: Headers = [(b"content-type", b"application/json")]


class Caller:
    """A client at the other end of ASGI; counts how much of its request was asked for."""

    def __init__(self, *parts: bytes, complete: bool = True) -> None:
        self.parts = list(parts)
        self.complete = complete
        self.taken = 0
        self.answers: list[Message] = []

    async def receive(self) -> Message:
        """The next part; after the last one, the connection is gone."""
        if not self.parts:
            return {"type": "http.disconnect"}
        part = self.parts.pop(0)
        self.taken += len(part)
        more = bool(self.parts) or not self.complete
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(self, message: Message) -> None:
        """Keep the answer."""
        self.answers.append(message)

    @property
    def status(self) -> int:
        """What was answered."""
        return int(self.answers[0]["status"])


class Echo:
    """An application that reads its body."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read all of it."""
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        self.bodies.append(body)


def scope(headers: Headers, method: str = "POST", path: str = "/", query: bytes = b"") -> Scope:
    """What a server says about a request."""
    return {"type": "http", "method": method, "path": path, "query_string": query,
            "headers": headers}  # fmt: skip


async def ask(caller: Caller, headers: Headers | None = None, **more: Any) -> Echo:
    """Send the caller's request through the check. Raises what the check raises."""
    echo = Echo()
    asked = scope(JSON if headers is None else headers, **more)
    receive = await checked_body(asked, caller.receive, LIMIT)
    if receive is not None:
        await echo(asked, receive, caller.send)
    return echo


async def too_large(caller: Caller, headers: Headers | None = None) -> bool:
    """Whether the body is refused for its size."""
    try:
        await ask(caller, headers)
    except TooLargeError:
        return True
    return False


def cut(body: bytes, at: list[int]) -> list[bytes]:
    """The body in parts."""
    edges = sorted({0, len(body), *(point % (len(body) + 1) for point in at)})
    return [body[a:b] for a, b in itertools.pairwise(edges)] or [b""]


@given(st.text(max_size=100), st.lists(st.integers(0, 10**6), max_size=6))
async def test_body_arrives_as_it_was_sent(text: str, at: list[int]) -> None:
    """To the byte, however the network cut it."""
    body = json.dumps({"a": text.replace("\x00", "")}).encode()
    echo = await ask(Caller(*cut(body, at)))
    assert echo.bodies == [body]


@pytest.mark.parametrize(("size", "fits"), [(LIMIT - 1, True), (LIMIT, True), (LIMIT + 1, False)])
@pytest.mark.parametrize("declared", [True, False])
async def test_limit_counts_bytes(size: int, fits: bool, declared: bool) -> None:
    """With or without a declared length."""
    body = b'"' + b"x" * (size - 2) + b'"'
    length = [(b"content-length", str(size).encode())] if declared else []
    assert await too_large(Caller(body), [*JSON, *length]) != fits


async def test_declared_size_is_refused_unread() -> None:
    """Not one byte is taken."""
    caller = Caller(b"x" * LIMIT, b"x")
    assert await too_large(caller, [*JSON, (b"content-length", b"1001")])
    assert caller.taken == 0


@given(st.integers(1, 300), st.integers(10, 50))
async def test_reading_stops_at_the_limit(part: int, times: int) -> None:
    """Of an endless body, at most one part beyond the limit is taken."""
    caller = Caller(*[b" " * part] * (times * LIMIT // part), complete=False)
    assert await too_large(caller)
    assert LIMIT < caller.taken <= LIMIT + part


@pytest.mark.parametrize("declared", [b"x", b"-1", b"", b"0x10", b"1 000", b"\xff"])
async def test_nonsense_length_is_no_crash(declared: bytes) -> None:
    """What was really sent is what counts."""
    caller = Caller(b"{}")
    echo = await ask(caller, [*JSON, (b"content-length", declared)])
    assert echo.bodies == [b"{}"]


@pytest.mark.parametrize("parts", [(), (b'{"a"',), (b"", b"{}")])
async def test_request_that_breaks_off_reaches_no_route(parts: tuple[bytes, ...]) -> None:
    """The client is gone before its body ended: the application must not act on half of it."""
    echo = await ask(Caller(*parts, complete=False))
    assert echo.bodies == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_method_without_a_body_takes_none(method: str) -> None:
    """A body beside GET has no meaning (RFC 9110, 9.3.1); it is not even read."""
    caller = Caller(b"x" * LIMIT, b"x" * LIMIT, complete=False)
    echo = await ask(caller, [], method=method)
    assert (caller.taken, caller.answers, echo.bodies) == (0, [], [b""])


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_other_protocols_pass_by(kind: str) -> None:
    """Only HTTP has addresses and bodies."""
    caller, echo = Caller(b"not json"), Echo()
    await CloseUnread(StrictUrl(echo))({"type": kind}, caller.receive, caller.send)
    assert echo.bodies == [b"not json"]


@pytest.mark.parametrize(
    ("path", "query"),
    [("/\x00", b""), ("/a\ufffd", b""), ("/\ud800", b""), ("/", b"a=%00"), ("/", b"%00"),
     ("/", b"a=\x00"), ("/", b"a=b&c=d%00e")],
)  # fmt: skip
async def test_address_that_holds_no_text_is_refused(path: str, query: bytes) -> None:
    """400 before the application sees it, and the answer itself can be sent."""
    with pytest.raises(InvalidUrlError):
        check_url(scope([], path=path, query=query))
    caller, echo = Caller(b"{}"), Echo()
    await StrictUrl(echo)(scope([], path=path, query=query), caller.receive, caller.send)
    assert (caller.status, caller.taken, echo.bodies) == (400, 0, [])
    assert json.loads(caller.answers[1]["body"])["code"] == "invalid-url"


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffd")),
    st.binary().filter(lambda query: b"%00" not in query and b"\x00" not in query),
)
def test_any_other_address_is_left_to_the_routes(path: str, query: bytes) -> None:
    """The check knows no routes."""
    check_url(scope([], path="/" + path, query=query))
