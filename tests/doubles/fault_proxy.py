"""A proxy in front of a server over plain HTTP that spoils one answer, as a test says.

What a caller cannot know is whether the request took effect: here it always did, but for a limited
rate. One request a connection, on loopback.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["lost", "garbled", "slow", "limited"]
UPSTREAM_SECONDS = 60
GARBLED = b"<html><body>Please log in</body></html>"


@dataclass(slots=True)
class Fault:
    """Spoils the answer after the next `after` ones; `seconds` to wait, or to be waited."""

    kind: Kind
    after: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came, and the caller's port."""

    head: bytes
    body: bytes
    port: int

    def header(self, name: bytes) -> bytes:
        """A header's value, by its name in small letters; empty when it is not there."""
        for line in self.head.split(b"\r\n")[1:]:
            found, _, value = line.partition(b":")
            if found.lower() == name:
                return value.strip()
        return b""


class FaultProxy:
    """Hands requests on; `fault` is what is to come, None when it came or none was asked for.

    A subclass may choose the fault of each request (`due`) and act around it (`forward`).
    """

    def __init__(self, upstream_port: int) -> None:
        self.fault: Fault | None = None
        self.port = 0
        self.requests: list[str] = []
        self._upstream_port = upstream_port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["FaultProxy"]:
        """Itself, while it listens."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            self.requests.append(head.split(b"\r\n", 1)[0].decode("latin-1"))
            port = writer.get_extra_info("peername")[1]
            answer = await self._answer(Request(head, body, port))
            if answer is None:
                writer.transport.abort()
                return
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _answer(self, request: Request) -> bytes | None:
        """What the caller gets; None for a line that is cut."""
        fault = self.due(request)
        if fault and fault.kind == "limited":
            return _response("429 Too Many Requests", b"", f"Retry-After: {fault.seconds:g}")
        answer = await self.forward(request)
        if fault is None or answer is None:
            return answer
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return answer
        return None if fault.kind == "lost" else _response("200 OK", GARBLED)

    def due(self, _request: Request) -> Fault | None:
        """The fault, if it is this request's."""
        fault = self.fault
        if fault is None:
            return None
        if fault.after == 0:
            self.fault = None
            return fault
        fault.after -= 1
        return None

    async def forward(self, request: Request) -> bytes | None:
        """The server's whole answer; None when the line to the caller is to be cut."""
        lines = request.head.split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith(b"connection:")]
        kept[1:1] = [b"Connection: close"]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        try:
            writer.write(b"\r\n".join(kept) + request.body)
            await writer.drain()
            return await asyncio.wait_for(reader.read(-1), UPSTREAM_SECONDS)
        finally:
            writer.close()


def _length(head: bytes) -> int:
    """The body's length, by its header."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def _response(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
