"""Pseudonyms of erased customers: the same id gives the same one, and none leads back to an id."""

import hashlib
import hmac
import secrets

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.conversations import PseudonymSalt

# With a space, which no customer id may hold, so a pseudonym is never accepted as an id.
PREFIX = "erased "
SALT_BYTES = 32


def pseudonym(salt: bytes, customer_id: str) -> str:
    """HMAC-SHA256 of the id under the tenant's salt, 128 bits of it. Source: RFC 2104."""
    digest = hmac.new(salt, customer_id.encode("utf-8", "replace"), hashlib.sha256)
    return PREFIX + digest.hexdigest()[:32]


async def pseudonym_for(session: AsyncSession, tenant_id: str, customer_id: str) -> str:
    """The customer's pseudonym; the tenant's first one makes its salt."""
    fresh = insert(PseudonymSalt).values(tenant_id=tenant_id, salt=secrets.token_bytes(SALT_BYTES))
    await session.execute(fresh.on_conflict_do_nothing())
    query = select(PseudonymSalt.salt).where(PseudonymSalt.tenant_id == tenant_id)
    return pseudonym((await session.scalars(query)).one(), customer_id)


async def names_of(session: AsyncSession, tenant_id: str, customer_id: str) -> list[str]:
    """Every name under which the ledger may hold what this customer got: id and pseudonym."""
    query = select(PseudonymSalt.salt).where(PseudonymSalt.tenant_id == tenant_id)
    salt = (await session.scalars(query)).one_or_none()
    return [customer_id] if salt is None else [customer_id, pseudonym(salt, customer_id)]
