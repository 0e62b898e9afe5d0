"""Closes the connection of a request that was answered before its body was read.

A server that keeps such a connection must read the body to its end (RFC 9112, 9.3), however large
it is. A server that closes it at once resets it while the client still sends, and the client may
lose the answer (RFC 9112, 9.6). So the answer goes out whole, what arrives is discarded for a
moment, and then the connection is closed.
"""

import asyncio
import contextlib

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_SECONDS = 2
LINGER_BYTES = 1024 * 1024


class CloseUnread:
    """ASGI middleware: `Connection: close` with every answer that leaves a body unread."""

    def __init__(self, app: ASGIApp, linger_seconds: float = LINGER_SECONDS) -> None:
        self.app = app
        self.linger_seconds = linger_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the last, empty part of its answer waits for the discarding."""
        if scope["type"] != "http" or not announces_body(scope):
            await self.app(scope, receive, send)
            return
        read = closing = answered = False

        async def reading() -> Message:
            nonlocal read
            message = await receive()
            read = read or not message.get("more_body", False)
            return message

        async def answering(message: Message) -> None:
            nonlocal closing, answered
            if message["type"] == "http.response.start" and not read:
                closing = True
                MutableHeaders(scope=message)["Connection"] = "close"
            if closing and message["type"] == "http.response.body":
                answered = not message.get("more_body", False)
                message = {**message, "more_body": True}
            await send(message)

        await self.app(scope, reading, answering)
        if answered:
            await discard(receive, self.linger_seconds)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def announces_body(scope: Scope) -> bool:
    """Whether a body follows the headers (RFC 9112, 6.3)."""
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


async def discard(receive: Receive, seconds: float) -> None:
    """Take what the client sends until it ends, within some seconds and LINGER_BYTES."""
    taken = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while taken < LINGER_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
