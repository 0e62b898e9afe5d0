"""What shows a connection shows no secret, and no answer of a desk unfolds in memory."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI, Request, Response
from pydantic import ValidationError

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened
from app.connectors.helpdesk import Requester
from app.connectors.http import HttpClient
from app.connectors.webhook import WebhookCredentials, WebhookSettings
from app.services.connections.encryption import Vault, new_key
from app.services.connections.retries import is_given_up
from app.services.connections.tickets import account_of
from tests.doubles.server import serving
from tools.errors import UnavailableError

BOMB_BYTES = 60_000_000


def test_shown_objects_hold_no_secret() -> None:
    """A log or a traceback that shows them shows neither keys nor secrets."""
    key, secret = new_key(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    settings, given = WebhookSettings(url="http://127.0.0.1"), WebhookCredentials()
    opened = Opened("con_a", "acme", settings, given, HttpClient(make_guard([])), (secret,))
    shown = f"{opened!r} {Vault([key])!r}"
    assert secret not in shown
    assert key not in shown
    assert opened.secrets == (secret,)


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
async def test_packed_answer_is_refused_before_it_unfolds(coding: str) -> None:
    """It is not asked for, and is not unpacked: one of 60 kB would be 60 MB, packed twice more."""
    packed = gzip.compress(bytes(BOMB_BYTES), 9)
    app, asked = FastAPI(), []

    @app.post("/")
    def bomb(request: Request) -> Response:
        asked.append(request.headers["accept-encoding"])
        return Response(packed, headers={"Content-Encoding": coding})

    with serving(app) as url:
        async with HttpClient(make_guard([url.removeprefix("http://")])) as http:
            with pytest.raises(UnavailableError, match="packed"):
                await http.call("POST", f"{url}/", body=b"{}")
    assert asked == ["identity"]


def test_requester_without_an_id_is_a_customer_of_one_ticket() -> None:
    """Two of them are not one person, and neither are two whose ids are not plain ASCII."""
    names = [account_of("con_a", Requester(id_), ticket)[0] for id_, ticket in (
        ("", "1"), ("", "2"), ("Jörg", "1"), ("Zoë", "1"), ("two words", "1"),
    )]  # fmt: skip
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.isprintable() and len(name) <= 128 for name in names)


def test_url_with_a_password_is_refused() -> None:
    """Settings are shown to everyone who may see connections."""
    with pytest.raises(ValidationError) as refused:
        WebhookSettings(url="https://user:geheim@desk.example/in")
    assert "geheim" not in str(refused.value)


def test_what_waited_for_a_pause_is_not_given_up_at_its_first_failure() -> None:
    """No attempt was made meanwhile; what failed all the time is given up after a day."""
    now = datetime.now(UTC)
    assert not is_given_up(now - timedelta(days=3), 1)
    assert not is_given_up(now - timedelta(hours=23), 200)
    assert is_given_up(now - timedelta(hours=25), 100)
