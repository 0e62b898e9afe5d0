"""Use cases of the console: sign a person in and out. They never commit."""

import hashlib
import secrets
from datetime import timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.console import sessions as queries
from app.db.tables.tenants import ApiKey
from app.db.tenants.keys import note_use
from app.db.tenants.queries import list_keys
from app.errors import MissingScopeError, UnauthorizedError
from app.log import get_logger
from app.services.approvals.people import holder, same_person
from app.services.tenants.keys import USE_NOTED

log = get_logger(__name__)

Way = Literal["key", "link", "oidc"]
LINK_LASTS = timedelta(minutes=15)
# A key with none of these has no page to see.
PAGE_SCOPES = ("approvals:decide", "runs:read", "admin", "articles:write")


def need_scope(key: ApiKey, *any_of: str) -> None:
    """Raise MissingScopeError unless the key holds one of the scopes."""
    if not set(any_of) & set(key.scopes):
        raise MissingScopeError(f"This needs a key with the scope {' or '.join(any_of)}.")


async def sign_in(session: AsyncSession, key: ApiKey, way: Way, lasts: timedelta) -> str:
    """The opaque id of a new session of the key's holder, 256 random bits.

    Raises:
        MissingScopeError: the key may see no page.
    """
    need_scope(key, *PAGE_SCOPES)
    opaque = secrets.token_urlsafe(32)
    await note_use(session, key, USE_NOTED)
    await queries.add_session(session, sha256(opaque), key, way, lasts)
    log.info("console_signed_in", tenant_id=key.tenant_id, key_id=key.id, way=way)
    return opaque


async def person_of(session: AsyncSession, opaque: str) -> ApiKey | None:
    """The key that a session acts as; None once it is over."""
    return await queries.key_of_session(session, sha256(opaque))


async def sign_out(session: AsyncSession, opaque: str) -> None:
    """End the session."""
    await queries.end_session(session, sha256(opaque))


async def sign_out_everywhere(session: AsyncSession, key: ApiKey) -> int:
    """End every session of the person, whichever key each is of; how many there were."""
    keys = await list_keys(session, key.tenant_id)
    own = [one.id for one in keys if same_person(holder(one), holder(key))]
    return await queries.end_sessions(session, key.tenant_id, own)


async def make_link(session: AsyncSession, key: ApiKey) -> str:
    """The code of a link that signs the key's holder in once, within LINK_LASTS."""
    code = secrets.token_urlsafe(32)
    await queries.add_link(session, sha256(code), key, LINK_LASTS)
    return code


async def who_of_link(session: AsyncSession, code: str) -> ApiKey:
    """Whom the link would sign in. Raises UnauthorizedError when it is used up or too old."""
    key = await queries.key_of_link(session, sha256(code))
    if key is None:
        raise UnauthorizedError("This link was used or is older than 15 minutes. Ask for another.")
    return key


async def sign_in_by_link(session: AsyncSession, code: str, lasts: timedelta) -> str:
    """The opaque id of a new session; the link works no more.

    Raises:
        UnauthorizedError, MissingScopeError.
    """
    key = await who_of_link(session, code)
    if not await queries.use_link(session, sha256(code)):
        raise UnauthorizedError("This link was used already. Ask for another.")
    return await sign_in(session, key, "link", lasts)


def sha256(secret: str) -> bytes:
    """The hash that stands for a random secret in the database."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
