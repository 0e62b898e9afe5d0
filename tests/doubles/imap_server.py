"""A real IMAP server on loopback: pymap with its mailboxes in memory, in the test's own loop.

It speaks for itself, so our client is held to another reading of RFC 3501. It drops
keywords, as some servers do: only flags of the RFC may be used.
"""

import asyncio
import imaplib
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pysasl.hashing import BuiltinHash

USER, PASSWORD = "support@desk.example", 'pass word"\\é'
ARGUMENTS = Namespace(
    host="127.0.0.1", port=0, debug=False, cert=None, key=None, tls=False, passlib_cfg=None,
    proxy_protocol=None, demo_data=False, demo_user=USER, demo_password=PASSWORD,
)  # fmt: skip


@dataclass
class ImapBox:
    """Where the server listens, and what tests do to the mailbox from outside, by imaplib."""

    port: int
    user: str = USER
    password: str = PASSWORD
    folders: list[str] = field(default_factory=list)

    async def put(self, raw: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """A mail arrives, or a mail program files one."""
        await asyncio.to_thread(self._put, raw, folder, flags)

    async def all(self, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder as they are kept."""
        return [raw for _, raw in await asyncio.to_thread(self._all, folder)]

    async def flags(self, folder: str) -> list[str]:
        """The flags of a folder's mails, each as the server says them."""
        return [flags for flags, _ in await asyncio.to_thread(self._all, folder)]

    async def remove_all(self, folder: str = "INBOX") -> None:
        """A person tidies up."""
        await asyncio.to_thread(self._remove_all, folder)

    def _client(self, folder: str | None = None) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        client.authenticate("PLAIN", lambda _: f"\0{self.user}\0{self.password}".encode())
        if folder:
            client.select(folder)
        return client

    def _put(self, raw: bytes, folder: str, flags: str) -> None:
        with self._client() as client:
            answer, said = client.append(folder, flags, "", raw)
            assert answer == "OK", said

    def _all(self, folder: str) -> list[tuple[str, bytes]]:
        with self._client(folder) as client:
            _, [numbers] = client.search(None, "ALL")
            if not numbers:
                return []
            _, found = client.fetch("1:*", "(FLAGS BODY.PEEK[])")
            parts = [part for part in found if isinstance(part, tuple)]
            return [(head.decode(), raw) for head, raw in parts]

    def _remove_all(self, folder: str) -> None:
        with self._client(folder) as client:
            client.store("1:*", "+FLAGS", r"(\Deleted)")
            client.expunge()


@asynccontextmanager
async def imap_server() -> AsyncIterator[ImapBox]:
    """Serve an empty mailbox with a folder Sent, on a free port."""
    # A hash for show: each test signs in dozens of times.
    cheap = BuiltinHash(rounds=1)
    backend, config = await DictBackend.init(ARGUMENTS, hash_context=cheap)
    config.apply_context()
    serve = IMAPServer(backend.login, config)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer, SocketInfoLocal(writer))

    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        await stack.enter_async_context(server)
        box = ImapBox(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(_make_sent, box)
        yield box


def _make_sent(box: ImapBox) -> None:
    with box._client() as client:
        client.create("Sent")
