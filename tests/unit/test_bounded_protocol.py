"""A server reads no more of an unfinished head, chunk or trailer than its bound."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.api.http.bounded_protocol import MAX_HEAD_BYTES
from app.commands.serve import QuietServer, bind, server_config

START = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n"
# Just above the bound with what stands before it: a server that closes with bytes unread resets.
LONG = b"a" * MAX_HEAD_BYTES
MANY = b"X: a\r\n" * (MAX_HEAD_BYTES // 6)


async def size_of_body(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers how many bytes the body has."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port of a server that is configured as the API's is."""
    listener = bind("127.0.0.1", 0)
    listener.listen()
    server = QuietServer(server_config(size_of_body))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def answer_to(sent: bytes, *, rest: bytes = b"") -> tuple[int, str, bytes]:
    """Status, media type and body of what the server answers before it closes the connection."""
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await asyncio.sleep(0.05)
        writer.write(rest)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            body = await reader.read()
        finally:
            writer.close()
    fields = dict(line.split(": ", 1) for line in head.strip().splitlines()[1:])
    return int(head.split()[1]), fields["content-type"], body


@pytest.mark.parametrize(
    "sent",
    [
        START + b"X: " + LONG,
        START + LONG,
        b"POST /" + LONG,
        START + b"X: a\r\n" * (MAX_HEAD_BYTES // 6),
    ],
    ids=["value", "name", "address", "many"],
)
async def test_head_without_end_is_refused(sent: bytes) -> None:
    """Whatever part of it has no end, the answer is a problem and the connection ends."""
    status, media_type, body = await answer_to(sent)
    assert (status, media_type) == (431, "application/problem+json")
    assert json.loads(body)["code"] == "head-too-large"


async def test_trailers_without_end_close_the_connection() -> None:
    """They come after the body, while the route may answer already."""
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED + b"1\r\nx\r\n0\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"X: " + LONG)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


async def test_what_is_not_http_gets_a_problem() -> None:
    """Also what the parser refuses before any route sees it."""
    status, media_type, body = await answer_to(b"what is this?\r\n\r\n")
    assert (status, media_type) == (400, "application/problem+json")
    assert json.loads(body)["code"] == "malformed-request"


async def test_bound_is_not_on_the_body() -> None:
    """A body longer than the bound arrives whole, in one piece or in many small chunks."""
    size = 3 * MAX_HEAD_BYTES
    head = START + CLOSE + b"Content-Length: " + str(size).encode() + b"\r\n\r\n"
    status, _, body = await answer_to(head + b"b" * size)
    assert (status, body) == (200, str(size).encode())
    chunked = START + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    status, _, body = await answer_to(chunked + b"1\r\nb\r\n" * 40_000 + b"0\r\n\r\n")
    assert (status, body) == (200, b"40000")
