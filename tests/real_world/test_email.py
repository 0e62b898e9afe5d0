"""The connector of a mailbox over Dovecot: the same laws, and TLS."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from app.connectors.email.dial import tls_context
from tests.email_laws import FIRST, EmailLaws
from tests.mailboxes import MailPlace, mail, mail_place, stamped
from tests.real_world.dovecot import Dovecot, dovecot
from tools.errors import UnavailableError

pytestmark = pytest.mark.real_world
numbers = itertools.count()


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Dovecot]:
    """One server for all tests."""
    async with dovecot() as started:
        yield started


@pytest.fixture
async def place(server: Dovecot) -> AsyncIterator[MailPlace]:
    """A mailbox of its own."""
    async with mail_place(server.box(f"box{next(numbers)}@desk.example")) as place:
        yield place


@pytest.fixture
def trusted(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator trusts the authority of the test, as with SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


class TestOverDovecot(EmailLaws):
    """Everything that holds for a mailbox."""


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_mail_over_tls(
    server: Dovecot, place: MailPlace, trusted: None, security: str
) -> None:
    """Both ways of TLS, with a certificate that is checked."""
    secured = over_tls(server, place, security, "localhost")
    assert (await secured.arrives(stamped(mail(**FIRST)))).event.kind == "message"


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_certificate_of_another_name_is_refused(
    server: Dovecot, place: MailPlace, trusted: None, security: str
) -> None:
    """No password goes to a server that cannot prove its name."""
    secured = over_tls(server, place, security, "127.0.0.1")
    with pytest.raises(UnavailableError, match=r"SSL|TLS"):
        await secured.mailbox.poll(None)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_certificate_of_a_stranger_is_refused(
    server: Dovecot, place: MailPlace, security: str
) -> None:
    """One that no authority of this machine vouches for."""
    with pytest.raises(UnavailableError, match=r"SSL|TLS"):
        await over_tls(server, place, security, "localhost").mailbox.poll(None)


def over_tls(server: Dovecot, place: MailPlace, security: str, host: str) -> MailPlace:
    """The same mailbox by another way; the guard lets the second port pass as well."""
    number = server.imaps if security == "tls" else server.imap
    place.allow(f"{host}:{number}")
    return place.with_settings(imap_security=security, imap_host=host, imap_port=number)
