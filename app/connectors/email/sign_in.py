"""Into the mailbox: a line to the IMAP server, encrypted and signed in as the settings say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.connectors.connector import Opened
from app.connectors.email.dial import dial, tls_context
from app.connectors.email.imap import MAX_LINE, Imap, ImapRefusedError
from app.connectors.email.settings import EmailSettings
from app.connectors.email.wire import WireError
from tools.errors import UnavailableError


@asynccontextmanager
async def signed_in(opened: Opened) -> AsyncIterator[Imap]:
    """A line that is signed in; closed at the end.

    It waits for an answer as long as the connection's HTTP client does. While the server lets no
    line in, it is tried once every few seconds, whatever waits for it.

    Raises:
        SettingsError, CredentialsError, UnavailableError.
    """
    # Only the way in: a line may then be held for minutes, until there is mail.
    with opened.http.behind_circuit("imap"):
        imap = await _entered(opened)
    try:
        yield imap
    # What no caller expected of a server is an answer that makes no sense.
    except (ImapRefusedError, WireError) as error:
        raise _senseless(error) from None
    finally:
        imap.writer.close()


async def _entered(opened: Opened) -> Imap:
    settings: EmailSettings = opened.settings
    imap = await _connected(opened)
    try:
        await imap.greet()
        if settings.imap_security == "starttls":
            await imap.start_tls(settings.imap_host)
        await imap.ask_capabilities()
        await imap.sign_in(opened.credentials)
    except (ImapRefusedError, WireError) as error:
        imap.writer.close()
        raise _senseless(error) from None
    except BaseException:
        imap.writer.close()
        raise
    return imap


async def _connected(opened: Opened) -> Imap:
    settings: EmailSettings = opened.settings
    seconds = opened.http.timeout_seconds
    line = await dial(
        opened.http.guard, settings.imap_host, settings.imap_port, settings.imap_security
    )
    encrypted = settings.imap_security == "tls"
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(
                sock=line,
                limit=MAX_LINE,
                ssl=tls_context() if encrypted else None,
                server_hostname=settings.imap_host if encrypted else None,
            )
    except (OSError, TimeoutError) as error:
        line.close()
        raise UnavailableError(f"no way into the mailbox ({type(error).__name__})") from None
    except BaseException:
        line.close()
        raise
    return Imap(reader, writer, seconds)


def _senseless(error: ImapRefusedError | WireError) -> UnavailableError:
    return UnavailableError(f"the mail server refused: {error}"[:300])
