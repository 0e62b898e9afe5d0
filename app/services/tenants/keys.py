"""Use cases of API keys: issue, revoke, note their use. A secret is shown once, never stored."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.audit.actor import act_as, by_key
from app.db.core.connections import Sessions
from app.db.tables.tenants import ApiKey
from app.db.tenants import keys as key_queries
from app.db.tenants import queries as tenant_queries
from app.errors import ConflictError, GrantError, NotFoundError
from app.log import get_logger

log = get_logger(__name__)

# A key's last use is stored this often at most: each request would else be a write.
USE_NOTED = timedelta(minutes=5)


def new_key_id() -> str:
    """A public id that no key has, 48 random bits."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made: who holds it, and what it may do; limits are minor units by currency."""

    name: str
    scopes: list[str]
    approve_limits: dict[str, int] | None = None
    person: str | None = None
    id: str = field(default_factory=new_key_id)


async def issue_key(
    session: AsyncSession,
    tenant_id: str,
    name: str,
    scopes: list[str],
    approve_limits: dict[str, int] | None = None,
    *,
    person: str | None = None,
) -> str:
    """Store a new key and return its token, `dg_<id>_<secret>` with 256 random bits."""
    new = NewKey(name, scopes, approve_limits, person)
    return (await _store(session, tenant_id, new, issued_by=None))[1]


async def issue(session: AsyncSession, issuer: ApiKey, new: NewKey) -> tuple[ApiKey, str]:
    """A key of the issuer's tenant that may do no more than they may; its row and its token.

    Raises:
        GrantError: they do not hold what it would be given.
        ConflictError: a key of that id was made before.
    """
    _refuse_beyond(issuer, new)
    await act_as(session, by_key(issuer.id))
    made = await _store(session, issuer.tenant_id, new, issued_by=issuer.id)
    log.info("key_issued", tenant_id=issuer.tenant_id, key_id=new.id, issued_by=issuer.id)
    return made


def _refuse_beyond(issuer: ApiKey, new: NewKey) -> None:
    if missing := sorted(set(new.scopes) - set(issuer.scopes)):
        raise GrantError(f"Your key does not hold {', '.join(missing)}, so it cannot grant it.")
    if "approvals:decide" not in new.scopes or issuer.approve_limits is None:
        return
    own = issuer.approve_limits
    if new.approve_limits is None:
        raise GrantError("Your key may not approve any sum, so give the new one limits as well.")
    for currency, limit in sorted(new.approve_limits.items()):
        if limit > own.get(currency, 0):
            raise GrantError(f"The limit in {currency} is above your own.")


async def _store(
    session: AsyncSession, tenant_id: str, new: NewKey, issued_by: str | None
) -> tuple[ApiKey, str]:
    secret = secrets.token_urlsafe(32)
    row = insert(ApiKey).values(
        id=new.id,
        tenant_id=tenant_id,
        name=new.name,
        secret_sha256=hashlib.sha256(secret.encode()).digest(),
        scopes=new.scopes,
        approve_limits=new.approve_limits,
        person=new.person,
        issued_by=issued_by,
    )
    stored = await session.scalars(row.on_conflict_do_nothing().returning(ApiKey))
    if (made := stored.one_or_none()) is None:
        raise ConflictError("A key of this id was made before, and none now.")
    return made, f"dg_{new.id}_{secret}"


async def revoke(session: AsyncSession, by: ApiKey, key_id: str) -> None:
    """Refuse the key of the same tenant from its next request on. Raises NotFoundError."""
    await act_as(session, by_key(by.id))
    if not await tenant_queries.revoke_key(session, by.tenant_id, key_id):
        raise NotFoundError(f"There is no live key {key_id}.")
    log.info("key_revoked", tenant_id=by.tenant_id, key_id=key_id, revoked_by=by.id)


async def note_use(sessions: Sessions, key: ApiKey) -> None:
    """Store that the key is used now, to five minutes; else it takes no connection."""
    last = key.last_used_at
    if last is not None and datetime.now(UTC) - last < USE_NOTED:
        return
    async with sessions.begin() as session:
        await key_queries.note_use(session, key, USE_NOTED)
