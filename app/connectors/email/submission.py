"""Hands one mail to the SMTP server, and says whether it was taken. Never twice by itself.

Source: RFC 5321, 4.2.1 (4xx: later, 5xx: refused) and 4.5.3.2; RFC 6409 (submission).
"""

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from app.connectors.connector import Opened
from app.connectors.email.dial import dial, tls_context
from app.connectors.email.settings import EmailCredentials, EmailSettings
from app.connectors.errors import CredentialsError
from tools.errors import UnavailableError

LOST = (SMTPServerDisconnected, SMTPTimeoutError, OSError)
REFUSED_FROM = 500
# 534, 535: the password; 530: it was not asked for, so TLS or the account is wrong.
NO_ENTRY = (530, 534, 535)


class NotTakenError(Exception):
    """The server did not take the mail, for sure; `later` when it may take it another time."""

    def __init__(self, why: str, *, later: bool) -> None:
        super().__init__(why)
        self.later = later


async def connected(opened: Opened) -> SMTP:
    """A connection that is greeted, encrypted and signed in; the caller closes it.

    It waits for an answer as long as the connection's HTTP client does. While the server lets no
    connection in, it is tried once every few seconds, whatever waits for it.

    Raises:
        SettingsError, CredentialsError, UnavailableError.
    """
    with opened.http.behind_circuit("smtp"):
        return await _entered(opened)


async def _entered(opened: Opened) -> SMTP:
    settings: EmailSettings = opened.settings
    credentials: EmailCredentials = opened.credentials
    host, port, security = settings.smtp_host, settings.smtp_port, settings.smtp_security
    line = await dial(opened.http.guard, host, port, security)
    server = SMTP(
        hostname=host,
        sock=line,
        local_hostname=settings.domain,
        timeout=opened.http.timeout_seconds,
        use_tls=security == "tls",
        start_tls=security == "starttls",
        tls_context=None if security == "plain" else tls_context(),
    )
    try:
        await server.connect()
        if server.supports_extension("auth"):
            await server.login(credentials.user, credentials.password.get_secret_value())
    except SMTPAuthenticationError as refusal:
        server.close()
        if refusal.code in NO_ENTRY:
            raise CredentialsError("the mail server refused user or password (SMTP)") from None
        raise UnavailableError(f"the mail server lets no one in for now ({refusal.code})") from None
    except (SMTPException, OSError, ValueError) as error:
        server.close()
        line.close()
        raise UnavailableError(f"no way to send mail ({type(error).__name__})") from None
    except BaseException:
        server.close()
        line.close()
        raise
    return server


async def submit(server: SMTP, sender: str, to: str, content: bytes) -> None:
    """Send one mail.

    Raises:
        NotTakenError: it was not taken.
        UnavailableError: the line went dead after the mail was on its way: unknown.
    """
    try:
        await server.mail(sender)
        await server.rcpt(to)
    except SMTPResponseException as refusal:
        raise _not_taken(refusal) from None
    except LOST as error:
        why = f"the mail server hung up before the mail ({type(error).__name__})"
        raise NotTakenError(why, later=True) from None
    try:
        await server.data(content)
    except SMTPResponseException as refusal:
        raise _not_taken(refusal) from None
    except LOST as error:
        why = f"no answer after the mail was sent ({type(error).__name__})"
        raise UnavailableError(why) from None


def _not_taken(refusal: SMTPResponseException) -> NotTakenError:
    why = f"the mail server refuses: {refusal.code} {refusal.message}"[:300]
    return NotTakenError(why, later=refusal.code < REFUSED_FROM)
