"""Stored credentials are sent only where they were given for, whatever changes in the settings."""

from typing import Any

import pytest

from app.connectors.catalog import CONNECTORS
from app.connectors.connector import Fields
from app.db.tables.connections import Connection
from app.errors import InvalidRequestError
from app.execution.wiring import Service
from app.services.connections import manage
from tests.conftest import Tenant

pytestmark = pytest.mark.no_articles

MAILBOX = {"address": "support@example.com", "imap_host": "mx.example", "smtp_host": "mx.example"}
CHATWOOT = {"bot_token": "b" * 24, "agent_token": "a" * 24, "webhook_secret": "w" * 24}
# Of each kind with credentials: the settings, the credentials, and settings of another place.
PLACES: list[tuple[str, dict[str, Any], dict[str, str], dict[str, Any]]] = [
    ("request_tracker", {"base_url": "https://rt.example.com", "bot": "bot"},
     {"token": "1-23-abcdef"}, {"base_url": "https://rt.evil.example"}),
    ("zendesk", {"base_url": "https://acme.zendesk.com", "client_id": "c", "bot_id": "1"},
     {"client_secret": "s"}, {"base_url": "https://evil.zendesk.com"}),
    ("zammad", {"base_url": "https://z.example.com", "bot": "bot"}, {"token": "t"},
     {"base_url": "http://z.example.com"}),
    ("chatwoot", {"base_url": "https://c.example.com", "account_id": 1}, CHATWOOT,
     {"base_url": "https://c.example.com:8443"}),
    ("email", MAILBOX, {"user": "support", "password": "p"}, {"smtp_host": "mx.evil.example"}),
    ("email", MAILBOX, {"user": "support", "password": "p"}, {"imap_security": "plain"}),
    ("stripe", {}, {"api_key": "rk_test_" + "a" * 24}, {"api_base": "https://evil.example"}),
]  # fmt: skip


@pytest.mark.parametrize("kind", CONNECTORS)
def test_kind_with_credentials_says_where_they_go(kind: str) -> None:
    """Also that of a new connector."""
    connector = CONNECTORS[kind]
    says = connector.settings.destination is not Fields.destination
    assert says or not connector.credentials.model_fields


@pytest.mark.parametrize(("kind", "settings", "credentials", "elsewhere"), PLACES)
async def test_credentials_are_given_again_for_another_place(
    service: Service,
    tenant: Tenant,
    kind: str,
    settings: dict[str, Any],
    credentials: dict[str, str],
    elsewhere: dict[str, Any],
) -> None:
    """Else an `admin` key reads what no answer shows; other settings change without them."""
    async with service.sessions.begin() as session:
        row, _ = await manage.add(
            session, service.vault, tenant.id, kind, "One", settings, credentials
        )

    async def change(**given: Any) -> Connection:
        async with service.sessions.begin() as session:
            return await manage.change(session, service.vault, tenant.id, row.id, **given)

    moved = {**settings, **elsewhere}
    with pytest.raises(InvalidRequestError, match="give the credentials again"):
        await change(settings=moved)
    async with service.sessions() as session:
        kept = await manage.get(session, tenant.id, row.id)
    assert kept.settings == row.settings
    assert (await change(settings=settings, name="Two")).name == "Two"
    there = await change(settings=moved, credentials=credentials)
    assert {name: there.settings[name] for name in elsewhere} == elsewhere
