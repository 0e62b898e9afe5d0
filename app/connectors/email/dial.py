"""Opens a line to a mail server at an address that the operator's guard allows."""

import asyncio
import socket
import ssl
from functools import cache

from app.adapters.webhooks.ssrf_guard import ForbiddenTargetError, Guard
from app.connectors.email.settings import Security
from app.connectors.errors import SettingsError
from tools.errors import UnavailableError

CONNECT_SECONDS = 10.0


@cache
def tls_context() -> ssl.SSLContext:
    """Certificates are checked against the system's store, or SSL_CERT_FILE."""
    return ssl.create_default_context()


async def dial(guard: Guard, host: str, port: int, security: Security) -> socket.socket:
    """A connected socket, not encrypted yet; the caller closes it.

    Raises:
        SettingsError: the guard forbids the server.
        UnavailableError: nothing answers there.
    """
    try:
        addresses = await guard.mail_addresses(host, port, encrypted=security != "plain")
    except ForbiddenTargetError as error:
        raise SettingsError(f"the mail server {host}:{port} {error}") from None
    except (OSError, UnicodeError):
        raise UnavailableError(f"the name of the mail server {host} does not resolve") from None
    for address in addresses:
        if line := await _connected(address, port):
            return line
    raise UnavailableError(f"no way to the mail server {host}:{port}")


async def _connected(address: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    line.setblocking(False)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(line, (address, port))
    except (OSError, TimeoutError):
        line.close()
        return None
    except BaseException:
        line.close()
        raise
    return line
