"""Use case: store a new version of a tenant's policy, unless it equals the newest.

A version that loosens limits waits for a second admin, where the tenant has one.
"""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.audit.actor import COMMAND_LINE, act_as, by_key
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.tenants import ApiKey, PolicyVersion
from app.db.tenants import queries as tenant_queries
from app.errors import InvalidRequestError, NotFoundError, StaleVersionError
from app.log.error_text import wrong_value
from app.services.tenants import policy_changes
from graphs.policy import Policy
from graphs.policy_loosening import loosened

# A stored version, a change that waits for a second admin, or None: the default policy stays.
Stored = PolicyVersion | PolicyChange | None


async def replace(
    session: AsyncSession,
    tenant_id: str,
    policy: Policy,
    by: ApiKey | None,
    expects: Callable[[int], bool] = lambda _version: True,
) -> Stored:
    """Store the whole policy for runs that start from now on.

    `by` is the admin's key; None is the command line, whose user may write to the database and
    waits for no other. `expects` says of the newest version whether the caller has seen it. The
    same content again is no new version. Never commits.

    Raises:
        NotFoundError: there is no such tenant.
        StaleVersionError: another version was stored meanwhile.
    """
    return await _store(session, tenant_id, lambda _: policy, by, expects)


async def change(
    session: AsyncSession,
    tenant_id: str,
    fields: dict[str, Any],
    by: ApiKey | None,
    expects: Callable[[int], bool] = lambda _version: True,
) -> Stored:
    """Store the newest policy with these fields in the place of its own; else as `replace`.

    Raises:
        NotFoundError, StaleVersionError: as `replace`.
        InvalidRequestError: the fields do not fit those that stay.
    """
    return await _store(session, tenant_id, lambda newest: merged(newest, fields), by, expects)


def merged(newest: Policy, fields: dict[str, Any]) -> Policy:
    """The policy with these fields in the place of its own; InvalidRequestError if none can be."""
    try:
        return Policy.model_validate(newest.model_dump() | fields)
    except ValidationError as error:
        why = wrong_value(error.errors()[0]["msg"])
        raise InvalidRequestError(f"With what stays: {why}", errors=[]) from None


def refuse_stale(version: int, expects: Callable[[int], bool]) -> None:
    """Raise StaleVersionError unless the caller has seen this version, which counts now."""
    if not expects(version):
        raise StaleVersionError(f"Version {version} counts now; read it and change that one.")


async def _store(
    session: AsyncSession,
    tenant_id: str,
    make: Callable[[Policy], Policy],
    by: ApiKey | None,
    expects: Callable[[int], bool],
) -> Stored:
    await act_as(session, by_key(by.id) if by else COMMAND_LINE)
    if not await tenant_queries.lock_policy(session, tenant_id):
        raise NotFoundError(f"There is no tenant {tenant_id}.")
    newest = await tenant_queries.newest_policy(session, tenant_id)
    version, body = (newest.version, newest.body) if newest else (0, {})
    refuse_stale(version, expects)
    known = Policy.model_validate(body)
    policy = make(known)
    if known == policy:
        return newest
    dumped = policy.model_dump(mode="json")
    if by and (rules := loosened(known, policy)):
        return await policy_changes.ask(session, by, version, dumped, rules)
    name = by.name if by else "cli"
    return await tenant_queries.add_policy(session, tenant_id, version + 1, dumped, name)
