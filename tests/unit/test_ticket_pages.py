"""Where people see a ticket of each desk."""

import pytest

from app.connectors.catalog import CONNECTORS
from app.connectors.connector import DeskFields

SETTINGS = {
    "zendesk": {"base_url": "https://acme.zendesk.com/", "client_id": "c", "bot_id": "7"},
    "zammad": {"base_url": "https://desk.example.com/help/", "bot": "b"},
    "chatwoot": {"base_url": "https://chat.example.com", "account_id": 3},
    "request_tracker": {"base_url": "https://rt.example.com/REST/2.0", "bot": "b"},
}


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("zendesk", "https://acme.zendesk.com/agent/tickets/"),
        ("zammad", "https://desk.example.com/help/#ticket/zoom/"),
        ("chatwoot", "https://chat.example.com/app/accounts/3/conversations/"),
        ("request_tracker", "https://rt.example.com/Ticket/Display.html?id="),
    ],
)
def test_page_of_a_ticket(kind: str, page: str) -> None:
    """The desk's own address, and an id that cannot lead anywhere else."""
    settings = CONNECTORS[kind].settings.model_validate(SETTINGS[kind])
    assert isinstance(settings, DeskFields)
    assert settings.ticket_page("42") == f"{page}42"
    assert settings.ticket_page("../x?#") == f"{page}..%2Fx%3F%23"


def test_a_desk_without_pages_has_none() -> None:
    """A link that leads nowhere is none."""
    settings = CONNECTORS["webhook"].settings.model_validate({"url": "https://desk.example.com"})
    assert isinstance(settings, DeskFields)
    assert settings.ticket_page("42") == ""
