"""Queries on the secrets that sign a tenant's callbacks."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.webhooks import WebhookSecret

# Bounds the header's size, however often a secret is rotated within a day.
MAX_SIGNATURES = 5


def secrets_of_tenant(tenant_id: str) -> Select[WebhookSecret]:
    """Select the tenant's secrets, expired ones included."""
    return select(WebhookSecret).where(WebhookSecret.tenant_id == tenant_id)


async def live_secret(session: AsyncSession, tenant_id: str) -> WebhookSecret | None:
    """The secret that does not expire, if the tenant has one yet."""
    query = secrets_of_tenant(tenant_id).where(WebhookSecret.expires_at.is_(None))
    return (await session.scalars(query)).one_or_none()


async def signing_secrets(session: AsyncSession, tenant_id: str) -> list[str]:
    """Every secret that signs now, newest first."""
    query = (
        secrets_of_tenant(tenant_id)
        .where(or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > func.now()))
        .order_by(WebhookSecret.id.desc())
        .limit(MAX_SIGNATURES)
    )
    return [row.secret for row in await session.scalars(query)]


async def add(session: AsyncSession, secret_id: UUID, tenant_id: str, secret: str) -> None:
    """Store a secret as the live one, unless the tenant has one."""
    row = insert(WebhookSecret).values(id=secret_id, tenant_id=tenant_id, secret=secret)
    await session.execute(row.on_conflict_do_nothing())


async def expire_live(session: AsyncSession, tenant_id: str, after: timedelta) -> None:
    """Let the live secret sign for that long, and older ones no longer than that."""
    until = func.now() + after
    await session.execute(
        update(WebhookSecret)
        .where(
            WebhookSecret.tenant_id == tenant_id,
            or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > until),
        )
        .values(expires_at=until)
        .execution_options(synchronize_session=False)
    )


async def mark_shown(session: AsyncSession, secret_id: UUID) -> None:
    """Record that the secret was shown."""
    await session.execute(
        update(WebhookSecret).where(WebhookSecret.id == secret_id).values(shown_at=func.now())
    )
