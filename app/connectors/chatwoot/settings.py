"""What a tenant gives to connect Chatwoot."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from app.connectors.connector import DeskFields, Fields
from app.connectors.helpdesk import Priority, Status

IDENTIFIER = "identifier"


class ChatwootSettings(DeskFields):
    """One account of a Chatwoot; docs/connect/chatwoot.md explains every field.

    `external_id_field` is where the tenant's own id of a contact stands: `identifier`, which the
    website's widget sets, or a custom attribute of contacts. A group is a team, by its name.
    """

    base_url: Annotated[str, Field(max_length=500)]
    account_id: Annotated[int, Field(ge=1, le=10**12)]
    external_id_field: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$")] = IDENTIFIER

    @model_validator(mode="after")
    def _is_an_address(self) -> Self:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url is where Chatwoot is, such as https://app.chatwoot.com")
        if parts.query or parts.fragment or parts.username or parts.password:
            raise ValueError("base_url has neither a user nor ? nor #")
        return self

    @property
    def destination(self) -> tuple[str | int, ...]:
        """Where the credentials go."""
        return (self.base_url,)

    @property
    def account(self) -> str:
        """Where the interface of the account is."""
        return f"{self.base_url.rstrip('/')}/api/v1/accounts/{self.account_id}"


Token = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class ChatwootCredentials(Fields):
    """The agent bot's token, which writes; an agent's, which reads; the secret of the bot's hooks.

    Chatwoot lets no bot read messages, and takes what an agent writes for a person's.
    """

    bot_token: Token
    agent_token: Token
    webhook_secret: Token

    @property
    def hook_secrets(self) -> tuple[str, ...]:
        """The secret that Chatwoot made for the bot."""
        return (self.webhook_secret.get_secret_value(),)

    @field_validator("bot_token", "agent_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        if not (text.isascii() and text.isprintable() and " " not in text):
            raise ValueError("a token of Chatwoot has letters and digits")
        return token


# `pending` is the bot's in Chatwoot, `open` is people's.
STATUSES: dict[Status, str] = {"open": "open", "pending": "pending", "solved": "resolved"}
PRIORITIES: dict[Priority, str] = {
    "low": "low", "normal": "medium", "high": "high", "urgent": "urgent",
}  # fmt: skip
