"""Queries on console sessions and sign-in links. Only hashes of their secrets are stored."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.console import ConsoleSession, SignInLink
from app.db.tables.tenants import ApiKey


async def add_session(
    session: AsyncSession, id_sha256: bytes, key: ApiKey, way: str, lasts: timedelta
) -> None:
    """Store that the key's holder is signed in; `way` is `key`, `link` or `oidc`."""
    session.add(
        ConsoleSession(
            id_sha256=id_sha256,
            tenant_id=key.tenant_id,
            key_id=key.id,
            signed_in_with=way,
            expires_at=func.now() + lasts,
        )
    )
    await session.flush()


async def key_of_session(session: AsyncSession, id_sha256: bytes) -> ApiKey | None:
    """The key behind a session; None once that ended, expired, or its key was revoked."""
    query = (
        select(ApiKey)
        .join(ConsoleSession, ConsoleSession.key_id == ApiKey.id)
        .where(
            ConsoleSession.id_sha256 == id_sha256,
            ConsoleSession.tenant_id == ApiKey.tenant_id,
            ConsoleSession.expires_at > func.now(),
            ApiKey.revoked_at.is_(None),
        )
    )
    return (await session.scalars(query)).one_or_none()


async def end_session(session: AsyncSession, id_sha256: bytes) -> None:
    """Sign one browser out."""
    await session.execute(delete(ConsoleSession).where(ConsoleSession.id_sha256 == id_sha256))


async def end_sessions(session: AsyncSession, tenant_id: str, key_ids: list[str]) -> int:
    """Sign every browser out that is signed in as one of the keys; how many there were.

    Links that have signed no person in yet work no more.
    """
    of_keys = (SignInLink.tenant_id == tenant_id, SignInLink.key_id.in_(key_ids))
    await session.execute(delete(SignInLink).where(*of_keys))
    query = delete(ConsoleSession).where(
        ConsoleSession.tenant_id == tenant_id,
        ConsoleSession.key_id.in_(key_ids),
        ConsoleSession.expires_at > func.now(),
    )
    return len((await session.scalars(query.returning(ConsoleSession.id_sha256))).all())


async def add_link(
    session: AsyncSession, code_sha256: bytes, key: ApiKey, lasts: timedelta
) -> None:
    """Store a link that signs the key's holder in, once."""
    session.add(
        SignInLink(
            code_sha256=code_sha256,
            tenant_id=key.tenant_id,
            key_id=key.id,
            expires_at=func.now() + lasts,
        )
    )
    await session.flush()


async def key_of_link(session: AsyncSession, code_sha256: bytes) -> ApiKey | None:
    """The key of an unused link that is still good, and whose key lives."""
    query = (
        select(ApiKey)
        .join(SignInLink, SignInLink.key_id == ApiKey.id)
        .where(
            SignInLink.code_sha256 == code_sha256,
            SignInLink.expires_at > func.now(),
            ApiKey.revoked_at.is_(None),
        )
    )
    return (await session.scalars(query)).one_or_none()


async def use_link(session: AsyncSession, code_sha256: bytes) -> bool:
    """Take the link away; of two that use it at once, one is True."""
    query = delete(SignInLink).where(SignInLink.code_sha256 == code_sha256)
    used = await session.scalars(query.returning(SignInLink.key_id))
    return used.one_or_none() is not None


async def prune_sessions(session: AsyncSession, limit: int) -> None:
    """Delete up to `limit` sessions and as many links whose time is over."""
    for table, key in (
        (ConsoleSession, ConsoleSession.id_sha256),
        (SignInLink, SignInLink.code_sha256),
    ):
        over = select(key).where(table.expires_at <= func.now()).limit(limit)
        await session.execute(delete(table).where(key.in_(over)))
