"""Use cases of webhook secrets: made when first needed, shown once, rotated without a gap."""

import base64
import secrets as random
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.tables.webhooks import WebhookSecret
from app.db.tenants import queries as tenant_queries
from app.db.webhooks import secrets as webhook_secrets
from app.errors import NotFoundError

# The specification asks for 24 to 64 bytes.
SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)


def new_secret() -> str:
    """`whsec_` and base64 of 256 random bits, as the specification writes it."""
    return "whsec_" + base64.b64encode(random.token_bytes(SECRET_BYTES)).decode()


async def ensure_secret(session: AsyncSession, tenant_id: str) -> None:
    """Give the tenant a secret unless it has one, so that nothing is ever sent unsigned."""
    if await webhook_secrets.live_secret(session, tenant_id) is None:
        await webhook_secrets.add(session, uuid7(), tenant_id, new_secret())


async def issue(
    session: AsyncSession, tenant_id: str, *, overlap: timedelta = OVERLAP, rotate: bool = False
) -> WebhookSecret:
    """The secret to verify with, shown once: the live one if it was never shown, else a new one.

    The one before signs beside the new one for `overlap`. With `rotate` it is always a new one.

    Raises:
        NotFoundError: there is no such tenant.
    """
    # Of two at the same instant the second waits here, and rotates what the first one made.
    if not await tenant_queries.lock_policy(session, tenant_id):
        raise NotFoundError(f"There is no tenant {tenant_id}.")
    live = await webhook_secrets.live_secret(session, tenant_id)
    if live is not None and (rotate or live.shown_at is not None):
        await webhook_secrets.expire_live(session, tenant_id, overlap)
    await ensure_secret(session, tenant_id)
    made = await webhook_secrets.live_secret(session, tenant_id)
    assert made is not None, "it was just made, under the tenant's lock"
    await webhook_secrets.mark_shown(session, made.id)
    await session.refresh(made)
    return made
