"""Use cases of a policy change that loosens limits: ask for it, and confirm or refuse it.

It becomes the policy once another admin confirms it, if the policy is still the one that it was
asked to change. They never commit.
"""

from datetime import timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.audit.actor import act_as, by_key
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.tenants import ApiKey, PolicyVersion
from app.db.tenants import policy_changes as queries
from app.db.tenants import queries as tenant_queries
from app.errors import (
    NotFoundError,
    PolicyChangeClosedError,
    PolicyChangedError,
    PolicyChangeExpiredError,
    SecondAdminError,
)
from app.log import get_logger
from app.services.tenants.admins import other_admins, own_keys

log = get_logger(__name__)

Verdict = Literal["confirm", "refuse"]
VERDICTS = get_args(Verdict)
LASTS = timedelta(days=7)


async def ask(
    session: AsyncSession, by: ApiKey, base_version: int, body: dict[str, Any], rules: list[str]
) -> PolicyChange | PolicyVersion:
    """A change that waits for a second admin; the new version at once where there is none.

    The caller holds the policy's lock. Asked again, it is the same change.
    """
    alone = not await other_admins(session, by)
    new = PolicyChange(
        id=uuid7(),
        tenant_id=by.tenant_id,
        base_version=base_version,
        body=body,
        loosens=rules,
        asked_key=by.id,
        asked_by=by.name,
        expires_at=func.now() + LASTS,
        status="alone" if alone else "pending",
        version=base_version + 1 if alone else None,
    )
    if not alone and (known := await queries.pending_like(session, new)):
        return known
    session.add(new)
    await session.flush()
    await session.refresh(new)
    about = {"tenant_id": by.tenant_id, "change_id": str(new.id), "rules": rules}
    log.warning("policy_loosened", **about, waits=not alone)
    if alone:
        return await tenant_queries.add_policy(
            session, by.tenant_id, base_version + 1, body, by.name
        )
    return new


async def decide(
    session: AsyncSession, by: ApiKey, change_id: UUID, verdict: Verdict
) -> PolicyChange:
    """Confirm a change of another admin, which makes it the policy; or refuse one, also one's own.

    Raises:
        NotFoundError: the tenant has no such change.
        PolicyChangeClosedError: it was decided before. PolicyChangeExpiredError: it came too late.
        SecondAdminError: one person asks and confirms.
        PolicyChangedError: the policy is another one than it was asked to change.
    """
    await act_as(session, by_key(by.id))
    # Decisions and other writers of the policy wait for each other.
    await tenant_queries.lock_policy(session, by.tenant_id)
    change = await queries.get_change(session, by.tenant_id, change_id)
    if change is None:
        raise NotFoundError(f"There is no policy change {change_id}.")
    if change.status not in ("pending", "expired"):
        raise PolicyChangeClosedError(f"It was {change.status} before.", status_was=change.status)
    decided = {"decided_key": by.id, "decided_by": by.name}
    if verdict == "refuse":
        await _end(session, change, status="refused", **decided)
    else:
        await _confirm(session, by, change, decided)
    await session.refresh(change)
    return change


async def _confirm(
    session: AsyncSession, by: ApiKey, change: PolicyChange, decided: dict[str, str]
) -> None:
    # A key of theirs that was revoked meanwhile is still theirs.
    if change.asked_key in await own_keys(session, by):
        raise SecondAdminError("Another admin than the one who asked must confirm it.")
    newest, _ = await tenant_queries.current_policy(session, by.tenant_id)
    if newest != change.base_version:
        raise PolicyChangedError(
            f"It was asked of version {change.base_version}, and version {newest} counts now: "
            "refuse this change, and ask for it again if it is still wanted."
        )
    version = newest + 1
    await _end(session, change, status="confirmed", version=version, **decided)
    await tenant_queries.add_policy(
        session, by.tenant_id, version, change.body, f"{change.asked_by}, confirmed by {by.name}"
    )


async def _end(session: AsyncSession, change: PolicyChange, **values: Any) -> None:
    if not await queries.end_change(session, change, **values):
        raise PolicyChangeExpiredError("No other admin confirmed it within 7 days; ask again.")
