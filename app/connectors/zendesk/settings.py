"""What a tenant gives to connect Zendesk."""

from typing import Annotated
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator

from app.connectors.addresses import origin
from app.connectors.connector import DeskFields, FieldChange, Fields

Id = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=2000)]


class ZendeskSettings(DeskFields):
    """One Zendesk and how it is used; docs/connect/zendesk.md explains every field.

    `client_id` is the OAuth client's identifier, `bot_id` the user that its tokens act as. A group
    is named by its name or id. `on_reply` is changed in the same update that posts a reply.
    `proven_channels` are those whose requesters Zendesk knows to be who they say.
    """

    base_url: Annotated[str, Field(max_length=200), origin("https://acme.zendesk.com")]
    client_id: Name
    bot_id: Id
    bot_group_id: Id | None = None
    handback_tag: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,80}$")] | None = None
    scope: Name = "read tickets:write"
    follow_up: bool = True
    on_reply: FieldChange = FieldChange()
    proven_channels: frozenset[Name] = frozenset()

    @field_validator("on_reply")
    @classmethod
    def _moves_no_ticket(cls, change: FieldChange) -> FieldChange:
        if change.group is not None:
            raise ValueError("a reply moves no ticket to a group: use outcomes")
        return change

    def ticket_page(self, desk_ticket_id: str) -> str:
        """The ticket where agents work."""
        return f"{self.base_url}/agent/tickets/{quote(desk_ticket_id, safe='')}"

    @property
    def destination(self) -> tuple[str | int, ...]:
        """Where the credentials go."""
        return (self.base_url,)


class ZendeskCredentials(Fields):
    """What Zendesk made for us.

    `client_secret`: of the OAuth client. `refresh_token`: of an authorization by the bot's user;
    without it the client's own credentials give the tokens. `webhook_secret`: the webhook's signing
    secret, which exists only once the webhook does.
    """

    client_secret: Secret
    refresh_token: Secret | None = None
    webhook_secret: Secret | None = None

    @field_validator("refresh_token", "webhook_secret", mode="before")
    @classmethod
    def _may_be_left_empty(cls, secret: object) -> object:
        return secret or None

    @field_validator("client_secret", "refresh_token", "webhook_secret")
    @classmethod
    def _is_plain(cls, secret: SecretStr | None) -> SecretStr | None:
        text = secret.get_secret_value() if secret else ""
        if not (text.isascii() and (text.isprintable() or not text)) or " " in text:
            raise ValueError("a secret of Zendesk has letters, digits and signs, and no blank")
        return secret

    @property
    def hook_secrets(self) -> tuple[str, ...]:
        """Zendesk signs with a secret of its own."""
        return (self.webhook_secret.get_secret_value(),) if self.webhook_secret else ()
