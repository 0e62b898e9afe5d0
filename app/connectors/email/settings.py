"""What a tenant gives to connect a mailbox."""

import string
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from app.connectors.connector import DeskFields, Fields

Security = Literal["tls", "starttls", "plain"]
# ASCII only, and no quoted local part: what is compared, signed and searched for is unambiguous.
LOCAL = frozenset(f"{string.ascii_lowercase}{string.digits}!#$%&'*+/=?^_`{{|}}~-.")
DOMAIN = frozenset(f"{string.ascii_lowercase}{string.digits}-.")
MAX_ADDRESS = 254
# RFC 5321 allows 64 characters before the "@"; "+", the ticket, "." and the signature take 38.
MAX_SIGNED_LOCAL = 26

Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Folder = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Name = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
CustomerId = Annotated[str, StringConstraints(min_length=1, max_length=128)]


def mail_address(text: str) -> str | None:
    """The address in small letters, or None for what is none that we write to."""
    found = text[: MAX_ADDRESS + 80].strip().lower()
    local, at, domain = found.partition("@")
    if not at or len(found) > MAX_ADDRESS or not (set(local) <= LOCAL and set(domain) <= DOMAIN):
        return None
    dots_stand_well = all([*local.split("."), *domain.split(".")])
    odd = any(label.startswith("-") or label.endswith("-") for label in domain.split("."))
    return found if dots_stand_well and not odd else None


class EmailSettings(DeskFields):
    """A mailbox, its two servers, and who writes to it.

    `people` are the addresses of the tenant's own people: their mail is never a customer's.
    `customers` is the tenant's table of address -> customer id; an address counts only where our
    own server's Authentication-Results (`authserv_id`) say that DMARC passed. `received_above` is
    how many Received lines stand above that header: one further down is the sender's own.
    """

    address: str
    name: Name = ""
    imap_host: Host
    imap_port: Port = 993
    imap_security: Security = "tls"
    smtp_host: Host
    smtp_port: Port = 465
    smtp_security: Security = "tls"
    folder: Folder = "INBOX"
    sent_folder: Folder = "Sent"
    authserv_id: Annotated[str, StringConstraints(to_lower=True, max_length=253)] | None = None
    received_above: Annotated[int, Field(ge=0, le=10)] = 0
    people: Annotated[frozenset[str], Field(max_length=1_000)] = frozenset()
    customers: Annotated[dict[str, CustomerId], Field(max_length=10_000)] = Field(
        default_factory=dict
    )
    notes_to: str | None = None
    reply_address: Literal["signed", "plain"] = "signed"

    @field_validator("address", "notes_to")
    @classmethod
    def _one_address(cls, given: str | None) -> str | None:
        return None if given is None else _address(given)

    @field_validator("people")
    @classmethod
    def _addresses(cls, given: frozenset[str]) -> frozenset[str]:
        return frozenset(_address(each) for each in given)

    @field_validator("customers")
    @classmethod
    def _table(cls, given: dict[str, str]) -> dict[str, str]:
        return {_address(address): customer for address, customer in given.items()}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.notes_to == self.address:
            raise ValueError("notes_to is the mailbox itself: a note would become a ticket")
        if self.reply_address == "signed" and len(self.local) > MAX_SIGNED_LOCAL:
            raise ValueError(
                f"the part before the @ is longer than {MAX_SIGNED_LOCAL} characters, too long"
                " to be signed: set reply_address to plain"
            )
        return self

    @property
    def local(self) -> str:
        """The part before the "@"."""
        return self.address.partition("@")[0]

    @property
    def domain(self) -> str:
        """The part behind the "@"."""
        return self.address.partition("@")[2]

    @property
    def destination(self) -> tuple[str | int, ...]:
        """Where the account's password goes, and whether it goes there encrypted."""
        imap = (self.imap_host, self.imap_port, self.imap_security)
        return (*imap, self.smtp_host, self.smtp_port, self.smtp_security)


class EmailCredentials(Fields):
    """One account for both servers."""

    user: Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=r"^[^\x00\r\n]+$")]
    password: SecretStr

    @field_validator("password")
    @classmethod
    def _can_be_sent(cls, given: SecretStr) -> SecretStr:
        text = given.get_secret_value()
        if not 0 < len(text) <= 1_000 or any(sign in text for sign in "\x00\r\n"):
            raise ValueError("must have 1 to 1000 characters, and no line break")
        return given


def _address(given: str) -> str:
    found = mail_address(given)
    if found is None:
        raise ValueError("must be one plain mail address in ASCII, such as support@example.com")
    return found
