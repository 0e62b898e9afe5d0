"""Use cases of connections: set up, change, rotate the hook's secret, remove. They never commit."""

import base64
import secrets as random
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.catalog import CONNECTORS
from app.connectors.connector import Connector, Fields, Opened
from app.connectors.http import HttpClient
from app.db.connections import deliveries, inbox, queries
from app.db.connections.tokens import Owner
from app.db.core.connections import Sessions
from app.db.effects import ledger
from app.db.tables.connections import Connection
from app.db.tables.tenants import ApiKey
from app.errors import (
    ConnectionInUseError,
    InvalidRequestError,
    NotFoundError,
    PaymentsConnectedError,
)
from app.services.connections.encryption import Vault
from app.services.connections.tokens import SharedTokens
from app.services.webhooks.signing_secrets import new_secret

ID_BYTES = 10
MAX_SECRETS = 5


def connector_of(kind: str) -> Connector:
    """The connector of that kind. Raises InvalidRequestError for one that does not exist."""
    if kind not in CONNECTORS:
        raise InvalidRequestError(
            f"There is no connector {kind[:50]!r}; there are {', '.join(sorted(CONNECTORS))}."
        )
    return CONNECTORS[kind]


async def add(
    session: AsyncSession,
    vault: Vault,
    tenant_id: str,
    kind: str,
    name: str,
    settings: dict[str, Any],
    credentials: dict[str, Any],
) -> tuple[Connection, str]:
    """Connect an outside system; the row, and the secret that signs its hooks, shown once.

    Raises:
        InvalidRequestError: no such kind, or settings that do not fit it.
        PaymentsConnectedError, EncryptionError.
    """
    connector = connector_of(kind)
    checked = _checked(connector, settings)
    role = "payments" if connector.payments else "desk"
    if role == "payments" and await queries.payments_of(session, tenant_id):
        raise PaymentsConnectedError("A tenant has one payment provider; remove the other first.")
    secret, connection_id = new_secret(), _new_id()
    key = ApiKey(
        id=random.token_hex(6),
        tenant_id=tenant_id,
        name=f"connection {name}",
        # Of nothing: no token is this key's, and it holds no scope.
        secret_sha256=random.token_bytes(32),
        scopes=[],
    )
    session.add(key)
    await session.flush()
    row = Connection(
        id=connection_id,
        tenant_id=tenant_id,
        kind=kind,
        role=role,
        name=name,
        settings=checked,
        secrets=vault.seal([{"secret": secret, "expires_at": None}]),
        key_id=key.id,
    )
    store_credentials(row, vault, credentials)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return row, secret


async def change(
    session: AsyncSession,
    vault: Vault,
    tenant_id: str,
    connection_id: str,
    *,
    name: str | None = None,
    settings: dict[str, Any] | None = None,
    credentials: dict[str, Any] | None = None,
    paused: bool | None = None,
) -> Connection:
    """Change what is given; new settings or credentials end a pause, and what waited goes on.

    Raises:
        NotFoundError, InvalidRequestError, EncryptionError.
    """
    row = await get(session, tenant_id, connection_id, lock=True)
    connector = connector_of(row.kind)
    row.name = name or row.name
    if settings is not None:
        changed = _checked(connector, settings)
        if credentials is None:
            _refuse_other_destination(connector, row, changed)
        row.settings = changed
    if credentials is not None:
        store_credentials(row, vault, credentials)
    if paused:
        row.paused_because = "An operator paused it."
    elif paused is False or settings is not None or credentials is not None:
        row.paused_because, row.not_before = None, None
    await session.flush()
    await session.refresh(row)
    return row


async def rotate_secret(
    session: AsyncSession, vault: Vault, tenant_id: str, connection_id: str, overlap: timedelta
) -> str:
    """A new secret for the connection's hooks; the one before is taken as well for `overlap`.

    Raises:
        NotFoundError, EncryptionError.
    """
    row = await get(session, tenant_id, connection_id, lock=True)
    assert row.secrets is not None, "only a removed connection has none"
    now = datetime.now(UTC)
    until = (now + overlap).isoformat()
    kept = [
        {**known, "expires_at": min(known["expires_at"] or until, until)}
        for known in vault.open(row.secrets)
        if _is_live(known, now)
    ]
    secret = new_secret()
    row.secrets = vault.seal([{"secret": secret, "expires_at": None}, *kept][:MAX_SECRETS])
    await session.flush()
    return secret


def reseal(row: Connection, vault: Vault) -> None:
    """Encrypt credentials and secrets with the newest key. Raises EncryptionError."""
    assert row.credentials is not None and row.secrets is not None, "it is not removed"  # noqa: PT018
    row.credentials, row.secrets = vault.reseal(row.credentials), vault.reseal(row.secrets)
    row.tokens = vault.reseal(row.tokens) if row.tokens is not None else None


async def remove(
    session: AsyncSession, tenant_id: str, connection_id: str, *, force: bool = False
) -> None:
    """Forget the credentials; take no hook and deliver nothing more.

    With `force` also while a refund or cancellation that was begun there has no known end: how it
    ended can then not be looked up any more, and it is not made again anywhere else.

    Raises:
        NotFoundError, ConnectionInUseError.
    """
    row = await get(session, tenant_id, connection_id, lock=True)
    if not force and (begun := await ledger.started_at(session, tenant_id, row.id)):
        raise ConnectionInUseError(
            f"{begun} refunds or cancellations were begun there and their end is not known; only"
            " this connection can say it. Remove it with force once a person has looked."
        )
    row.credentials, row.secrets, row.tokens, row.removed_at = None, None, None, func.now()
    await deliveries.cancel_of_connection(session, tenant_id, row.id)
    await inbox.drop_of_connection(session, tenant_id, row.id)
    await session.flush()


async def get(
    session: AsyncSession, tenant_id: str, connection_id: str, *, lock: bool = False
) -> Connection:
    """The tenant's connection. Raises NotFoundError for any other."""
    row = await queries.get_connection(session, tenant_id, connection_id, lock=lock)
    if row is None:
        raise NotFoundError(f"There is no connection {connection_id}.")
    return row


def open_connection(
    row: Connection, vault: Vault, http: HttpClient, sessions: Sessions | None = None
) -> Opened:
    """The connection ready to be used, behind its circuit; its access tokens need `sessions`.

    Raises:
        EncryptionError.
        InvalidRequestError: settings that a newer release no longer takes.
    """
    assert row.credentials is not None and row.secrets is not None, "it is not removed"  # noqa: PT018
    connector, now = connector_of(row.kind), datetime.now(UTC)
    secrets = [known["secret"] for known in vault.open(row.secrets) if _is_live(known, now)]
    credentials = vault.open(row.credentials)
    return Opened(
        row.id,
        row.tenant_id,
        _parsed(connector.settings, row.settings, "settings"),
        _parsed(connector.credentials, credentials, "credentials"),
        http.of(row.id),
        secrets,
        SharedTokens(sessions, vault, Owner(row.tenant_id, row.id, row.credentials))
        if sessions
        else None,
    )


def _is_live(known: dict[str, Any], now: datetime) -> bool:
    until = known["expires_at"]
    return until is None or datetime.fromisoformat(until) > now


def _new_id() -> str:
    return "con_" + base64.b32encode(random.token_bytes(ID_BYTES)).decode().lower()


def _checked(connector: Connector, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as they are stored."""
    return _parsed(connector.settings, settings, "settings").model_dump(mode="json")


def _refuse_other_destination(
    connector: Connector, row: Connection, changed: dict[str, Any]
) -> None:
    """Keep credentials from a place that they were not given for.

    Who may change settings could else have them sent to a server of their own, and read them.

    Raises:
        InvalidRequestError.
    """
    try:
        before = _parsed(connector.settings, row.settings, "settings").destination
    except InvalidRequestError:
        # Of another release; whether it is the same place cannot be said.
        before = ()
    if _parsed(connector.settings, changed, "settings").destination != before:
        raise InvalidRequestError(
            "These settings lead to another server than the stored credentials were given for: "
            "give the credentials again with them."
        )


def store_credentials(row: Connection, vault: Vault, credentials: dict[str, Any]) -> None:
    """Encrypt new credentials into the row, and note when they end, for its alarm.

    Raises:
        InvalidRequestError: they do not fit the connector. EncryptionError.
    """
    parsed = _parsed(connector_of(row.kind).credentials, credentials, "credentials")
    row.credentials = vault.seal(credentials)
    row.expires_at, row.expiry_warned_at = parsed.expires_at, None
    # Who renews with the old ones stores nothing, and no longer ends its lease either.
    row.tokens_leased_until = None


def _parsed(model: type[Fields], given: dict[str, Any], what: str) -> Fields:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # Never the values: one of them may be a password in the wrong field.
        wrong = [
            f"{'.'.join(map(str, (what, *problem['loc'])))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        known = f"The {what} are: {', '.join(model.model_fields) or 'none'}."
        raise InvalidRequestError(f"{'; '.join(wrong[:10])[:1000]}. {known}") from None
