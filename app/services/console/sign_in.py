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
from app.errors import UnauthorizedError
from app.log import get_logger
from app.services.approvals.people import holder, same_person
from app.services.tenants.keys import USE_NOTED

log = get_logger(__name__)

Way = Literal["key", "link", "oidc"]
SESSION_LASTS = timedelta(hours=12)
LINK_LASTS = timedelta(minutes=15)


async def sign_in(session: AsyncSession, key: ApiKey, way: Way) -> str:
    """The opaque id of a new session of the key's holder, 256 random bits."""
    opaque = secrets.token_urlsafe(32)
    await note_use(session, key, USE_NOTED)
    await queries.add_session(session, sha256(opaque), key, way, SESSION_LASTS)
    log.info("console_signed_in", tenant_id=key.tenant_id, key_id=key.id, way=way)
    return opaque


async def person_of(session: AsyncSession, opaque: str) -> ApiKey | None:
    """The key that a session acts as; None once it is over."""
    return await queries.key_of_session(session, sha256(opaque))


async def sign_out(session: AsyncSession, key: ApiKey, opaque: str, *, everywhere: bool) -> None:
    """End the session, or every session of the person, whichever key each is of."""
    if everywhere:
        keys = await list_keys(session, key.tenant_id)
        own = [one.id for one in keys if same_person(holder(one), holder(key))]
        await queries.end_sessions(session, key.tenant_id, own)
    else:
        await queries.end_session(session, sha256(opaque))
    log.info("console_signed_out", tenant_id=key.tenant_id, key_id=key.id, everywhere=everywhere)


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


async def sign_in_by_link(session: AsyncSession, code: str) -> str:
    """The opaque id of a new session; the link works no more. Raises UnauthorizedError."""
    key = await who_of_link(session, code)
    if not await queries.use_link(session, sha256(code)):
        raise UnauthorizedError("This link was used already. Ask for another.")
    return await sign_in(session, key, "link")


def sha256(secret: str) -> bytes:
    """The hash that stands for a random secret in the database."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
