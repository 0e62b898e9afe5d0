"""All settings, read once at start. Units are in the names; secrets have no default."""

from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]

# `host:port` in the usual spelling; everything with a slash is a network.
Endpoint = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")]
MicroUsdPerMtok = Annotated[int, Field(ge=0, le=10**12)]


class ModelPrice(BaseModel):
    """What a model costs, in millionths of a US dollar per million tokens: 1.25 USD is 1250000."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_micro_usd_per_mtok: MicroUsdPerMtok
    output_micro_usd_per_mtok: MicroUsdPerMtok
    cached_input_micro_usd_per_mtok: MicroUsdPerMtok | None = None


class Settings(BaseSettings):
    """Environment variables with the prefix DESKGRAPH_, or a `.env` file beside the process."""

    model_config = SettingsConfigDict(
        env_prefix="DESKGRAPH_",
        env_file=".env",
        # `VARIABLE=` in a compose file means unset.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    database_url: SecretStr | None = Field(
        None, description="Any Postgres 15+; `dev` starts an embedded one when unset."
    )
    direct_database_url: SecretStr | None = Field(
        None, description="Postgres itself, when the URL above is that of a pooler."
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("deskgraph"),
        description="Where the embedded Postgres keeps its data.",
    )
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the API; 0 picks a free one.")
    secret_key: SecretStr | None = Field(
        None, description="Signs page cursors; the same on every replica. `dev` makes its own."
    )
    max_body_bytes: int = Field(262_144, ge=1024, description="Largest request body in bytes.")
    streams_per_tenant: int = Field(
        1000, ge=1, description="Event streams that a tenant may have open at each API."
    )
    pool_size: int = Field(10, ge=1, description="Database connections of use cases.")
    saver_pool_size: int = Field(
        6, ge=1, description="Database connections of checkpoints and of what every run asks."
    )
    prepared_statements: bool = Field(True, description="false: none, for a transaction pooler.")
    worker_concurrency: int = Field(20, ge=1, description="Runs a worker advances at once.")
    customer_concurrency: int = Field(
        1, ge=1, description="Runs of one customer that advance at once."
    )
    drain_seconds: Seconds = Field(20, description="How long a stop waits for a step border.")
    run_timeout_seconds: Seconds = Field(300, description="Longest time one execution may take.")
    max_losses: int = Field(5, ge=1, description="Workers a run may lose before it is an error.")
    retention_every_seconds: Seconds = Field(
        600, description="Pause between two looks for what tenants no longer keep."
    )
    callback_allow: list[IPv4Network | IPv6Network | Endpoint] = Field(
        [], description="Networks and `host:port` that callbacks may reach besides the internet."
    )
    callback_timeout_seconds: Seconds = Field(15, description="Longest time of one delivery.")
    callback_concurrency: int = Field(20, ge=1, description="Deliveries of a worker at once.")
    openai_api_key: SecretStr | None = Field(None, description="Unset: the offline model answers.")
    openai_base_url: str | None = Field(None, description="Any OpenAI-compatible server.")
    fast_model: str = Field("gpt-5-mini", description="Model of the role `fast`.")
    strong_model: str = Field("gpt-5", description="Model of the role `strong`.")
    fallback_model: str | None = Field(
        None, description="Asked when the others do not answer, before the offline model."
    )
    fallback_api_key: SecretStr | None = Field(
        None, description="Key of the fallback's server; unset: the same as above."
    )
    fallback_base_url: str | None = Field(
        None, description="Server of the fallback; unset: the same as above."
    )
    model_timeout_seconds: Seconds = Field(20, description="Longest time of one model call.")
    model_wait_seconds: float = Field(
        8, gt=0, le=15, description="Longest wait for `Retry-After`, or for a free model call."
    )
    model_calls_per_tenant: int = Field(
        10, ge=1, description="Model calls of one tenant at once, in each worker process."
    )
    circuit_failures: int = Field(
        5, ge=1, description="Failed calls in a row after which a model is left alone."
    )
    circuit_pause_seconds: Seconds = Field(
        30, description="How long it is left alone before one call tries again."
    )
    model_prices: dict[str, ModelPrice] = Field(
        {}, description="Prices by model that come before the built-in list, as JSON."
    )

    smtp_host: str | None = Field(
        None, description="Mail server of bulk mail; unset: mails are kept in the sandbox."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_username: str | None = Field(None, description="Unset: no sign-in.")
    smtp_password: SecretStr | None = Field(None, description="Password of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is encrypted: `starttls`, `tls` or `none`."
    )
    smtp_timeout_seconds: Seconds = Field(10, description="Longest wait for the mail server.")
    smtp_retry_seconds: Seconds = Field(
        10, description="First pause before a recipient refused for now is tried again."
    )
    mail_from: str = Field(
        "deskgraph <support@example.com>", description="Sender of bulk mail, as in a From header."
    )
    mail_unsubscribe_url: str | None = Field(
        None, description="List-Unsubscribe link; `{contact_id}` stands for the contact's id."
    )

    embeddings_model: str | None = Field(
        None, description="Model of `/embeddings`; unset: articles are searched by words alone."
    )
    embeddings_base_url: str | None = Field(
        None, description="Server of `/embeddings`, if not that of the chat models."
    )
    embeddings_api_key: SecretStr | None = Field(
        None, description="Key of that server, if it wants one."
    )
    embeddings_timeout_seconds: Seconds = Field(
        5, description="Longest time of one embeddings call; then words alone answer."
    )
    context_token_budget: int = Field(
        3000, ge=200, description="Tokens of article text that one search hands to a model."
    )

    langsmith_api_key: SecretStr | None = Field(None, description="Unset: nothing is traced.")
    langsmith_endpoint: str = Field(
        "https://api.smith.langchain.com", description="Where traces are sent."
    )
    langsmith_project: str = Field("deskgraph", description="Project that traces are filed under.")
    trace_url: str | None = Field(
        None, description="Link to a trace; `{trace_id}` stands for its id."
    )
    trace_flush_seconds: Seconds = Field(5, description="Longest wait for traces at exit.")

    @field_validator("trace_url")
    @classmethod
    def _only_trace_id(cls, value: str | None) -> str | None:
        try:
            return value if value is None else value and value.format(trace_id="{trace_id}")
        except (KeyError, IndexError, ValueError):
            raise ValueError("only {trace_id} may stand in braces") from None

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

    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_json: bool = Field(False, description="One JSON object a line instead of text.")


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
