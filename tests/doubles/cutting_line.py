"""A line to a server that is cut after so many commands of the client, before the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Line:
    """Where it listens; `left` is how many more chunks pass from the client, None for all."""

    port: int = 0
    left: int | None = None
    cuts: int = 0
    # What the client gets instead of the answer, and how long it waits for it.
    instead: bytes = b""
    seconds: float = 0.05
    # What has passed from the client.
    sent: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def cutting_line(to: int) -> AsyncIterator[Line]:
    """Pass everything on to the port. Cut, the last command arrives and its answer does not."""
    line = Line()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", to)
        back = asyncio.ensure_future(copied(inner_reader, writer))
        try:
            while data := await reader.read(65_536):
                if line.left is not None:
                    line.left -= 1
                    if line.left < 0:
                        # Once: the next line to the server is whole again.
                        line.left = None
                        back.cancel()
                        inner_writer.write(data)
                        await inner_writer.drain()
                        line.cuts += 1
                        writer.write(line.instead)
                        # Long enough for the server to do what was asked.
                        await asyncio.sleep(line.seconds)
                        break
                line.sent += data
                inner_writer.write(data)
        except OSError:
            line.cuts += 1
        finally:
            back.cancel()
            for each in (writer, inner_writer):
                each.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        line.port = server.sockets[0].getsockname()[1]
        yield line


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that the server says, to the client."""
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
