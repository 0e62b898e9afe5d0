"""Use case: the person that an identity provider names, as a key that no program holds."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.tenants import ApiKey
from app.errors import UnauthorizedError
from app.services.approvals.people import folded
from app.settings import Settings
from app.settings.sign_in import OidcRole

MAX_NAME = 200


async def person_by_claims(
    session: AsyncSession, settings: Settings, claims: Mapping[str, Any]
) -> ApiKey:
    """The key of the person whom an ID token names, with what their roles are worth today.

    The row is made at the first sign-in and is the same one ever after, by issuer and subject: so
    the person stands on decisions by name, and `deskgraph keys revoke` shuts them out for good.

    Raises:
        UnauthorizedError: no role of theirs counts here, or the key was revoked.
    """
    tenant_id, issuer = settings.oidc_tenant, settings.oidc_issuer
    assert tenant_id, "the settings ask for it where there is an issuer"
    assert issuer, "only where there is an issuer may people sign in by it"
    roles = roles_of(settings, claims)
    if not roles:
        raise UnauthorizedError("Your account has no role that may use this console.")
    key_id = key_id_of(tenant_id, issuer, str(claims["sub"]))
    values = {
        "name": name_of(claims),
        "person": email_of(claims) or f"{issuer}#{claims['sub']}",
        "scopes": sorted({scope for role in roles for scope in role.scopes}),
        "approve_limits": limits_of(roles),
    }
    # The hash of random bytes that are not kept: no token belongs to it.
    secret = hashlib.sha256(secrets.token_bytes(32)).digest()
    row = insert(ApiKey).values(id=key_id, tenant_id=tenant_id, secret_sha256=secret, **values)
    query = row.on_conflict_do_update(
        index_elements=["id"], set_=values, where=ApiKey.revoked_at.is_(None)
    )
    known = (await session.scalars(query.returning(ApiKey))).one_or_none()
    if known is None:
        raise UnauthorizedError("Your access was revoked here; ask an administrator.")
    return known


def key_id_of(tenant_id: str, issuer: str, subject: str) -> str:
    """The id of the person's row: the same at each sign-in, whatever they are called."""
    named = "\x1f".join(("oidc", tenant_id, issuer, subject))
    return hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()[:24]


def roles_of(settings: Settings, claims: Mapping[str, Any]) -> list[OidcRole]:
    """The roles of the person that mean something here."""
    named = claims.get(settings.oidc_role_claim)
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return [settings.oidc_roles[name] for name in names
            if isinstance(name, str) and name in settings.oidc_roles]  # fmt: skip


def limits_of(roles: Iterable[OidcRole]) -> dict[str, int] | None:
    """What the person may approve: the most that a role which decides allows; None: any sum."""
    deciding = [role.approve_limits for role in roles if "approvals:decide" in role.scopes]
    most: dict[str, int] = {}
    for limits in deciding:
        if limits is None:
            return None
        for currency, limit in limits.items():
            most[currency] = max(limit, most.get(currency, 0))
    return most


def name_of(claims: Mapping[str, Any]) -> str:
    """What decisions call the person."""
    for claim in ("name", "preferred_username", "email"):
        if isinstance(name := claims.get(claim), str) and folded(name):
            return name.strip()[:MAX_NAME]
    return str(claims["sub"])[:MAX_NAME]


def email_of(claims: Mapping[str, Any]) -> str | None:
    """The address that makes an API key and this person one, if the provider vouches for it."""
    email = claims.get("email")
    vouched = claims.get("email_verified") is True
    return email[:MAX_NAME] if vouched and isinstance(email, str) and email.strip() else None
