"""An answer that leaves a body unread is sent whole, then its connection is closed."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.api.http.unread_body import LINGER_BYTES, CloseUnread

ANSWER: list[Message] = [
    {"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]},
    {"type": "http.response.body", "body": b"no"},
]
LONG = [(b"content-length", b"9000000")]


class Route:
    """An application that reads the first `parts` of a body, then answers."""

    def __init__(self, parts: int) -> None:
        self.parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read and answer."""
        for _ in range(self.parts):
            await receive()
        for message in ANSWER:
            await send({**message, "headers": list(message.get("headers", []))})


class Upload:
    """A client that sends parts of a body, and then holds the rest back or leaves."""

    def __init__(self, *parts: bytes, then: str) -> None:
        self.parts = list(parts)
        self.then = then
        self.answers: list[Message] = []
        self.taken_before_answer = 0
        self.taken = 0

    async def receive(self) -> Message:
        """The next part; the last one ends the body if `then` is "end"."""
        if not self.parts:
            await (asyncio.Event().wait() if self.then == "hold" else asyncio.sleep(0))
            return {"type": "http.disconnect"}
        part = self.parts.pop(0)
        self.taken += len(part)
        more = bool(self.parts) or self.then != "end"
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(self, message: Message) -> None:
        """Keep the answer."""
        if message["type"] == "http.response.start":
            self.taken_before_answer = self.taken
        self.answers.append(message)

    @property
    def closes(self) -> bool:
        """Whether the answer says that the connection ends."""
        return (b"connection", b"close") in self.answers[0]["headers"]

    @property
    def ended(self) -> bool:
        """Whether the answer was completed, once and at last."""
        *before, last = self.answers[1:]
        return all(part.get("more_body") for part in before) and not last.get("more_body")


async def serve(upload: Upload, parts: int, headers: Any = LONG, seconds: float = 60) -> None:
    """One request."""
    asked = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    await CloseUnread(Route(parts), seconds)(asked, upload.receive, upload.send)


@pytest.mark.parametrize("headers", [LONG, [(b"transfer-encoding", b"chunked")]])
@pytest.mark.parametrize("then", ["end", "leave"])
async def test_unread_body_closes_the_connection(headers: Any, then: str) -> None:
    """The whole answer leaves before a byte is taken; what arrives then is discarded."""
    upload = Upload(b"x" * 100, b"x" * 100, then=then)
    await serve(upload, 0, headers)
    assert (upload.closes, upload.ended) == (True, True)
    assert (upload.taken_before_answer, upload.taken) == (0, 200)
    assert b"".join(part["body"] for part in upload.answers[1:]) == b"no"


async def test_large_upload_is_not_read_to_its_end() -> None:
    """After LINGER_BYTES the connection is closed, whatever is still to come."""
    parts = [b"x" * 65_536] * 1000
    upload = Upload(*parts, then="end")
    await serve(upload, 1)
    assert (upload.closes, upload.ended) == (True, True)
    assert upload.taken <= 65_536 + LINGER_BYTES


async def test_client_that_holds_its_body_back_is_left() -> None:
    """The connection is closed after some seconds of silence."""
    upload = Upload(b"x", then="hold")
    await serve(upload, 0, seconds=0.05)
    assert (upload.closes, upload.ended) == (True, True)


@pytest.mark.parametrize("headers", [LONG, [], [(b"content-length", b"0")]])
async def test_read_body_keeps_the_connection(headers: Any) -> None:
    """An answer to a request that was read, or has no body, changes nothing."""
    upload = Upload(b"x", then="end")
    await serve(upload, 1, headers)
    assert upload.answers == [*ANSWER[:1], {**ANSWER[1], "headers": []}]
