"""Who issued which key, as the audit trail says it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.audit import AuditEvent


async def issuers_of_keys(session: AsyncSession, tenant_id: str) -> dict[str, str]:
    """The key by which each of the tenant's keys was issued, as far as a key issued it."""
    query = select(AuditEvent.subjects, AuditEvent.actor_key).where(
        AuditEvent.tenant_id == tenant_id,
        AuditEvent.kind == "key.issued",
        AuditEvent.actor_key.is_not(None),
    )
    return {
        subjects[0].removeprefix("key:"): str(issuer)
        for subjects, issuer in await session.execute(query)
    }
