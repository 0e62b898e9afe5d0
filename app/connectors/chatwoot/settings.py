"""What a tenant gives to connect Chatwoot."""

from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import Field, SecretStr

from app.connectors.connector import Fields
from app.connectors.desk_settings import HeaderToken, ServedDesk
from app.connectors.helpdesk import Priority, Status

IDENTIFIER = "identifier"


class ChatwootSettings(ServedDesk):
    """One account of a Chatwoot; docs/connect/chatwoot.md explains every field.

    `external_id_field` is where the tenant's own id of a contact stands: `identifier`, which the
    website's widget sets, or a custom attribute of contacts. A group is a team, by its name.
    """

    EXAMPLE: ClassVar = "Chatwoot is, such as https://app.chatwoot.com"

    account_id: Annotated[int, Field(ge=1, le=10**12)]
    external_id_field: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$")] = IDENTIFIER

    @property
    def account(self) -> str:
        """Where the interface of the account is."""
        return f"{self.base_url.rstrip('/')}/api/v1/accounts/{self.account_id}"

    def ticket_page(self, desk_ticket_id: str) -> str:
        """The conversation where agents work."""
        site = f"{self.base_url.rstrip('/')}/app/accounts/{self.account_id}"
        return f"{site}/conversations/{quote(desk_ticket_id, safe='')}"


Token = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class ChatwootCredentials(Fields):
    """The agent bot's token, which writes; an agent's, which reads; the secret of the bot's hooks.

    Chatwoot lets no bot read messages, and takes what an agent writes for a person's.
    """

    bot_token: HeaderToken
    agent_token: HeaderToken
    webhook_secret: Token

    @property
    def hook_secrets(self) -> tuple[str, ...]:
        """The secret that Chatwoot made for the bot."""
        return (self.webhook_secret.get_secret_value(),)


# `pending` is the bot's in Chatwoot, `open` is people's.
STATUSES: dict[Status, str] = {"open": "open", "pending": "pending", "solved": "resolved"}
PRIORITIES: dict[Priority, str] = {
    "low": "low", "normal": "medium", "high": "high", "urgent": "urgent",
}  # fmt: skip
