"""A line to Postgres that notes what the client sends: after each batch the server waits for none.

Messages of the frontend as https://www.postgresql.org/docs/current/protocol-message-formats.html
has them: a letter, then the length of the rest.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.doubles.cutting_line import copied

EXECUTE, SYNC = "E", "S"


@dataclass
class PostgresLine:
    """Where it listens, and what the client has sent since `sent` was last emptied."""

    port: int = 0
    sent: bytearray = field(default_factory=bytearray)

    def batches(self) -> list[str]:
        """The letters of the messages, up to and without each Sync."""
        letters, at = "", 0
        while at < len(self.sent):
            letters += chr(self.sent[at])
            at += 1 + int.from_bytes(self.sent[at + 1 : at + 5])
        return letters.split(SYNC)[:-1]


@asynccontextmanager
async def postgres_line(to: int) -> AsyncIterator[PostgresLine]:
    """Pass everything on to the port."""
    line = PostgresLine()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", to)
        back = asyncio.ensure_future(copied(inner_reader, writer))
        while data := await reader.read(65_536):
            line.sent += data
            inner_writer.write(data)
        back.cancel()
        for each in (writer, inner_writer):
            each.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        line.port = server.sockets[0].getsockname()[1]
        yield line
