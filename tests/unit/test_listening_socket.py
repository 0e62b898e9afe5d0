"""What the server's listening socket gives to the connections that it takes."""

import asyncio
import socket

from app.commands.serve import bind


async def test_answers_are_sent_without_nagles_algorithm() -> None:
    """On asyncio's own loop as well, so that the second write of an answer waits for nothing."""
    loop = asyncio.get_running_loop()
    taken: asyncio.Future[socket.socket] = loop.create_future()

    class Taking(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.set_result(transport.get_extra_info("socket"))

    server = await loop.create_server(Taking, sock=bind("127.0.0.1", 0))
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        connection = await taken
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
