"""Use case: test a connection by harmless calls, beside what is known of it here."""

from dataclasses import dataclass, replace

from app.connectors.connector import Check, Connector
from app.connectors.http import HttpClient
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection
from app.services.connections import manage
from app.services.connections.encryption import Vault
from app.services.connections.expiry import expires_soon


@dataclass(frozen=True, slots=True)
class Reach:
    """What a process needs to use connections: the client, and the keys of the credentials."""

    http: HttpClient
    vault: Vault


async def test_connection(
    sessions: Sessions, reach: Reach, tenant_id: str, connection_id: str
) -> list[Check]:
    """What harmless calls found, in sentences. Holds no database connection meanwhile.

    Raises:
        NotFoundError, EncryptionError.
    """
    async with sessions() as session:
        row = await manage.get(session, tenant_id, connection_id)
    connector = manage.connector_of(row.kind)
    opened = manage.open_connection(row, reach.vault, reach.http, sessions)
    # Its own calls, whatever other calls have found.
    opened = replace(opened, http=reach.http)
    return [*await connector.test(opened), *_known(row, connector)]


def is_failing(row: Connection) -> bool:
    """Whether its last error is newer than what it took last."""
    if row.last_error_at is None:
        return False
    return row.last_write_at is None or row.last_error_at > row.last_write_at


def _known(row: Connection, connector: Connector) -> list[Check]:
    found = []
    if connector.mailbox is not None:
        read = row.cursor is not None
        says = "It is being read." if read else "It was not read yet: is a worker running?"
        found.append(Check("read", ok=read, says=says))
    if row.paused_because:
        found.append(Check("paused", ok=False, says=f"Nothing is sent: {row.paused_because}"))
    if row.expires_at is not None:
        says = f"The credentials end at {row.expires_at:%Y-%m-%d %H:%M} UTC."
        found.append(Check("credentials", ok=not expires_soon(row), says=says))
    if is_failing(row):
        says = f"At {row.last_error_at:%Y-%m-%d %H:%M} UTC: {row.last_error}"
        found.append(Check("last call", ok=False, says=says))
    if connector.verify is not None:
        seen = row.last_hook_at
        says = f"The last hook came at {seen:%Y-%m-%d %H:%M} UTC." if seen else (
            f"No hook came yet: let the system post to /v1/hooks/{row.id}."
        )  # fmt: skip
        found.append(Check("hooks", ok=seen is not None, says=says))
    return found
