"""All settings, read once at start, in groups. Units are in the names; secrets have no default.

docs/configuration.md and deskgraph.env.example are written from this file.
"""

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.settings.monitoring import MonitoringSettings
from app.settings.sign_in import SignInSettings
from app.settings.tracing import TracingSettings

Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1)]

ENCRYPTION_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")  # 256 bits in the base64 of URLs
Endpoint = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")]
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$", max_length=300)]
MicroUsdPerMtok = Annotated[int, Field(ge=0, le=10**12)]


class ModelPrice(BaseModel):
    """What a model costs, in millionths of a US dollar per million tokens: 1.25 USD is 1250000."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_micro_usd_per_mtok: MicroUsdPerMtok
    output_micro_usd_per_mtok: MicroUsdPerMtok
    cached_input_micro_usd_per_mtok: MicroUsdPerMtok | None = None


class DatabaseSettings(BaseModel):
    """Database: where runs, checkpoints and jobs are stored."""

    database_url: SecretStr | None = Field(
        None, description="Any Postgres 15+; `deskgraph dev` starts an embedded one when unset."
    )
    direct_database_url: SecretStr | None = Field(
        None, description="Postgres itself, when `DESKGRAPH_DATABASE_URL` is that of a pooler."
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("deskgraph"),
        description="Folder of the embedded Postgres.",
    )
    pool_size: Count = Field(
        10, description="Connections of a process for requests and state changes."
    )
    saver_pool_size: Count = Field(
        6, description="Connections of a process for checkpoints and compiled statements."
    )
    prepared_statements: bool = Field(
        True, description="`false` behind a pooler in transaction mode."
    )

    @field_validator("database_url", "direct_database_url")
    @classmethod
    def _a_postgres_url(cls, value: SecretStr | None) -> SecretStr | None:
        """What libpq reads, whatever driver is named. The message has no word of the URL."""
        if value is not None and not _is_postgres_url(value.get_secret_value()):
            raise ValueError("must be a URL like postgresql://user:password@host:5432/database")
        return value


class ApiSettings(BaseModel):
    """API: how the HTTP API listens, and what it accepts."""

    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: Port = Field(8000, description="TCP port of the API; 0 picks a free one.")
    secret_key: SecretStr | None = Field(
        None, description="Signs cursors; the same on every API. `deskgraph dev` makes its own."
    )
    encryption_keys: list[SecretStr] = Field(
        [], description="Encrypt credentials; newest first, of `deskgraph connections new-key`."
    )
    max_body_bytes: int = Field(262_144, ge=1024, description="Largest request body.")
    streams_per_tenant: Count = Field(1000, description="Event streams of a tenant at each API.")
    cors_origins: list[Origin] = Field([], description="Web origins whose pages may call the API.")

    @field_validator("encryption_keys")
    @classmethod
    def _each_a_key(cls, keys: list[SecretStr]) -> list[SecretStr]:
        """As `new-key` prints them. The message has nothing of a key."""
        if all(ENCRYPTION_KEY.fullmatch(key.get_secret_value()) for key in keys):
            return keys
        raise ValueError("must hold keys that `deskgraph connections new-key` printed")


class WorkerSettings(BaseModel):
    """Worker: how many runs it advances, for how long, and how it stops."""

    worker_concurrency: Count = Field(20, description="Most runs that a worker advances at once.")
    customer_concurrency: Count = Field(
        1, description="Most runs of one customer that advance at once, over all workers."
    )
    run_timeout_seconds: Seconds = Field(300, description="Longest time of one execution.")
    max_losses: Count = Field(
        5, description="Dead workers after which a run ends as `error` instead of going on."
    )
    drain_seconds: Seconds = Field(
        20, description="How long a stopping worker waits for its runs to reach a step border."
    )
    retention_every_seconds: Seconds = Field(
        600, description="Pause between two deletions of what a tenant's retention has passed."
    )


class ModelSettings(BaseModel):
    """Models: which ones are asked, for how long, and what happens when they fail."""

    openai_api_key: SecretStr | None = Field(
        None, description="Key of the model server; unset: the offline model answers."
    )
    openai_base_url: str | None = Field(
        None, description="Any OpenAI-compatible server; unset: OpenAI."
    )
    fast_model: str = Field("gpt-5-mini", description="Model of the role `fast`.")
    strong_model: str = Field("gpt-5", description="Model of the role `strong`.")
    fallback_model: str | None = Field(
        None, description="Model asked when the two above fail, before the offline model."
    )
    fallback_api_key: SecretStr | None = Field(
        None, description="Key of the fallback's server; unset: `DESKGRAPH_OPENAI_API_KEY`."
    )
    fallback_base_url: str | None = Field(
        None, description="Server of the fallback; unset: `DESKGRAPH_OPENAI_BASE_URL`."
    )
    verify_model: str | None = Field(
        None, description="Model that verifies each claim of a reply; unset: the fast model."
    )
    verify_api_key: SecretStr | None = Field(
        None, description="Key of the verifier's server; unset: `DESKGRAPH_OPENAI_API_KEY`."
    )
    verify_base_url: str | None = Field(
        None, description="Server of the verifier; unset: `DESKGRAPH_OPENAI_BASE_URL`."
    )
    verify_wire: Literal["json", "minicheck"] = Field(
        "json",
        description="How the verifier is asked: `json` by a schema, `minicheck` for a MiniCheck"
        " model, which answers yes or no.",
    )
    model_timeout_seconds: Seconds = Field(20, description="Longest time of one model call.")
    model_wait_seconds: float = Field(
        8, gt=0, le=15, description="Longest wait for `Retry-After` or for a free call; at most 15."
    )
    model_calls_per_tenant: Count = Field(
        10, description="Open model calls of one tenant in each worker process."
    )
    circuit_failures: Count = Field(
        5, description="Failed calls in a row after which a model's circuit opens."
    )
    circuit_pause_seconds: Seconds = Field(
        30, description="How long an open circuit blocks calls before one call tries again."
    )
    model_prices: dict[str, ModelPrice] = Field(
        {}, description="Prices by model that override the built-in list."
    )


class SearchSettings(BaseModel):
    """Search: how articles are searched by meaning, and how much of them a model gets."""

    embeddings_model: str | None = Field(
        None, description="Model of `/embeddings`; unset: articles are searched by words alone."
    )
    embeddings_base_url: str | None = Field(
        None, description="Server of `/embeddings`; unset: `DESKGRAPH_OPENAI_BASE_URL`."
    )
    embeddings_api_key: SecretStr | None = Field(
        None, description="Key of that server, if it asks for one."
    )
    embeddings_sha256: str | None = Field(
        None,
        description="SHA-256 of `DESKGRAPH_EMBEDDINGS_FILE`, in hexadecimal.",
        pattern="^[0-9a-fA-F]{64}$",
    )
    embeddings_file: Path | None = Field(
        None,
        description="ZIP archive with `model.onnx` and `tokenizer.json`, instead of a server.",
    )
    embeddings_timeout_seconds: Seconds = Field(
        5, description="Longest time of one embeddings call; then the search goes by words alone."
    )
    context_token_budget: int = Field(
        3000, ge=200, description="Article text that one search hands to a model."
    )

    @field_validator("embeddings_file")
    @classmethod
    def _one_model_of_a_known_hash(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value and info.data.get("embeddings_model"):
            raise ValueError("set this or DESKGRAPH_EMBEDDINGS_MODEL, not both")
        # A hash that is not one has its own message.
        if value and info.data.get("embeddings_sha256", "bad") is None:
            raise ValueError("needs DESKGRAPH_EMBEDDINGS_SHA256")
        return value


class WebhookSettings(BaseModel):
    """Webhooks: where callbacks may go, and how many are delivered at once."""

    callback_allow: list[IPv4Network | IPv6Network | Endpoint] = Field(
        [], description="Networks and `host:port` that callbacks may reach besides the internet."
    )
    callback_timeout_seconds: Seconds = Field(15, description="Longest time of one delivery.")
    callback_concurrency: Count = Field(20, description="Open deliveries of a worker.")


class MailSettings(BaseModel):
    """Bulk mail: which server sends it, and in whose name."""

    smtp_host: str | None = Field(
        None, description="Mail server; unset: mails are stored in the sandbox and none leaves."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="TCP port of the mail server.")
    smtp_username: str | None = Field(
        None, description="User name at the mail server; unset: no sign-in."
    )
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Encryption of the connection: `starttls`, `tls` or `none`."
    )
    smtp_timeout_seconds: Seconds = Field(
        10, description="Longest wait for an answer of the mail server."
    )
    smtp_retry_seconds: Seconds = Field(
        10, description="Pause before a temporarily refused recipient is tried again."
    )
    mail_from: str = Field(
        "deskgraph <support@example.com>", description="Sender, as in a From header."
    )
    mail_unsubscribe_url: str | None = Field(
        None, description="List-Unsubscribe link; `{contact_id}` stands for the contact's id."
    )

    @field_validator("mail_unsubscribe_url")
    @classmethod
    def _only_contact_id(cls, value: str | None) -> str | None:
        try:
            made = value.format(contact_id="1") if value else ""
        except (KeyError, IndexError, ValueError):
            raise ValueError("only {contact_id} may stand in braces") from None
        if not made.isprintable() or set("<> ") & set(made):
            raise ValueError("must be a link without spaces and angle brackets")
        return value

    @field_validator("mail_from")
    @classmethod
    def _an_address(cls, value: str) -> str:
        _address(value)
        return value

    @property
    def mail_address(self) -> Address:
        """The sender of bulk mail."""
        return _address(self.mail_from)


class LogSettings(BaseModel):
    """Logs: what is logged on stderr, and in which form."""

    log_level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Lowest level that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`.",
    )
    log_json: bool = Field(False, description="One JSON object a line instead of text.")


class Settings(
    LogSettings,  # pydantic orders the fields from the last base to the first
    MonitoringSettings,
    TracingSettings,
    SignInSettings,
    MailSettings,
    WebhookSettings,
    SearchSettings,
    ModelSettings,
    WorkerSettings,
    ApiSettings,
    DatabaseSettings,
    BaseSettings,
):
    """Environment variables with the prefix DESKGRAPH_, or a `.env` file beside the process."""

    model_config = SettingsConfigDict(
        env_prefix="DESKGRAPH_",
        env_file=".env",
        env_ignore_empty=True,  # `VARIABLE=` in a compose file means unset
        extra="forbid",
        frozen=True,
    )


def _is_postgres_url(text: str) -> bool:
    try:
        url = make_url(text)
        conninfo_to_dict(url.set(drivername="postgresql").render_as_string(hide_password=False))
    except (ArgumentError, ProgrammingError, ValueError):
        return False
    return url.get_backend_name() in ("postgresql", "postgres")


def _address(text: str) -> Address:
    """`Name <user@host>` or `user@host`. Raises ValueError."""
    name, spec = parseaddr(text) if text.isprintable() else ("", "")
    try:
        address = Address(name, addr_spec=spec) if spec.isascii() else Address()
    except (MessageError, ValueError, IndexError) as error:
        raise ValueError(f"must be an address like `Name <user@host>`: {error}") from None
    if not (address.username and address.domain):
        raise ValueError("must be an address like `Name <user@host>`")
    return address
