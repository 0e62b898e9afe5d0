"""A callback over https goes only to a server that can prove the name in the URL."""

import shutil
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.adapters.webhooks.delivery import Receipt, Sender
from app.adapters.webhooks.ssrf_guard import make_guard
from app.services.webhooks.signing_secrets import new_secret
from tests.doubles.certificates import Authority
from tests.doubles.receiver import Receiver
from tests.doubles.server import serving
from tests.integration.outbox import always

NAME, BODY = "hooks.example", '{"type": "run.finished"}'
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the servers' certificates."""
    return Authority(Path(tmp_path_factory.mktemp("tls")))


@pytest.fixture(scope="module")
def receiver() -> Receiver:
    """Takes everything."""
    return Receiver()


@pytest.fixture(scope="module")
def port(authority: Authority, receiver: Receiver) -> Iterator[str]:
    """Where the receiver listens, with the certificate of `NAME`."""
    with serving(receiver.app, authority.server(NAME)) as url:
        yield url.rsplit(":", 1)[1]


async def deliver(url: str, secret: str = "") -> Receipt:
    """One attempt; whatever the name is, it leads to this machine."""
    guard = make_guard([ip_network("127.0.0.0/8")], always("127.0.0.1"))
    async with Sender(guard, 10) as sender:
        return await sender.send(url, "msg_1", BODY, [secret or new_secret()])


async def test_receiver_with_the_right_certificate_gets_it(
    authority: Authority, receiver: Receiver, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the authorities of SSL_CERT_FILE, for the name of the URL, signed as ever."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    secret = new_secret()
    assert await deliver(f"https://{NAME}:{port}/hook", secret) == Receipt()
    assert receiver.deliveries[-1].verified(secret) == {"type": "run.finished"}
    assert receiver.deliveries[-1].headers["host"] == f"{NAME}:{port}"


@pytest.mark.parametrize(
    ("name", "trusted", "why"),
    [
        (NAME, False, "unable to get local issuer certificate"),
        ("other.example", True, "Hostname mismatch"),
        ("127.0.0.1", True, "IP address mismatch"),
    ],
)
async def test_receiver_with_a_wrong_certificate_is_sent_nothing(
    authority: Authority, receiver: Receiver, port: str, monkeypatch: pytest.MonkeyPatch,
    name: str, trusted: bool, why: str,
) -> None:  # fmt: skip
    """An unknown authority or another name: a failure to be tried again, and not a byte of it."""
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    before = len(receiver.deliveries)
    answer = await deliver(f"https://{name}:{port}/hook")
    assert "CERTIFICATE_VERIFY_FAILED" in str(answer.error)
    assert why in str(answer.error)
    assert not answer.gone
    assert len(receiver.deliveries) == before
