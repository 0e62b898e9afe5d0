"""Use case: store a new version of a tenant's policy, unless it equals the newest."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.tenants import PolicyVersion
from app.db.tenants import queries as tenant_queries
from app.errors import NotFoundError, StaleVersionError
from graphs.policy import Policy


async def replace(
    session: AsyncSession,
    tenant_id: str,
    policy: Policy,
    created_by: str,
    expects: Callable[[int], bool] = lambda _version: True,
) -> PolicyVersion | None:
    """Store the policy for runs that start from now on; None when the default one stays.

    `expects` says of the newest version whether the caller has seen it. The same content again
    is no new version. Never commits.

    Raises:
        NotFoundError: there is no such tenant.
        StaleVersionError: another version was stored meanwhile.
    """
    if not await tenant_queries.lock_policy(session, tenant_id):
        raise NotFoundError(f"There is no tenant {tenant_id}.")
    newest = await tenant_queries.newest_policy(session, tenant_id)
    version, body = (newest.version, newest.body) if newest else (0, {})
    if not expects(version):
        raise StaleVersionError(f"Version {version} counts now; read it and change that one.")
    if Policy.model_validate(body) == policy:
        return newest
    return await tenant_queries.add_policy(
        session, tenant_id, version + 1, policy.model_dump(mode="json"), created_by
    )
