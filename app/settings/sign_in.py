"""The settings of signing in to the console; a group of app/settings."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

# Those of an API key, which a test holds this list against; not `approvals:on_behalf_of`, which is
# for programs: a person at the console decides as themselves.
Scope = Literal[
    "runs:write",
    "runs:read",
    "approvals:decide",
    "articles:write",
    "mail:send",
    "traces:join",
    "admin",
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
LimitMinor = Annotated[int, Field(ge=0, le=10**12)]


class OidcRole(BaseModel):
    """What people of a role may do: scopes, and minor units by currency that they may approve.

    Without `approve_limits` a role approves any sum.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scopes: list[Scope]
    approve_limits: dict[Currency, LimitMinor] | None = None


class SignInSettings(BaseModel):
    """Signing in: who may use the console besides holders of API keys."""

    console_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+$",
        description="Where browsers reach the console, such as `https://desk.example.com`; unset:"
        " the address that they ask for.",
    )
    console_session_seconds: int = Field(
        43_200,
        ge=300,
        le=604_800,
        description="How long a person stays signed in. Roles taken away at the provider count"
        " until then: `deskgraph keys sign-out` ends it at once.",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="OpenID Connect provider that people sign in with; unset: by API keys alone.",
    )
    oidc_client_id: str | None = Field(None, description="The console's name at that provider.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="The console's secret at that provider."
    )
    oidc_provider_name: str = Field(
        "your organisation", description="What the sign-in button calls the provider."
    )
    oidc_tenant: str | None = Field(
        None, description="The tenant that people of this provider belong to."
    )
    oidc_role_claim: str = Field(
        "roles", min_length=1, description="Claim of the ID token that names a person's roles."
    )
    oidc_roles: dict[str, OidcRole] = Field(
        {},
        validate_default=True,
        description="Scopes and approval limits of each role; a person without one is refused.",
    )

    @field_validator("oidc_roles")
    @classmethod
    def _complete(cls, roles: dict[str, OidcRole], info: ValidationInfo) -> dict[str, OidcRole]:
        """A provider is of use with all that it needs."""
        needed = ("oidc_client_id", "oidc_client_secret", "oidc_tenant")
        missing = [name for name in needed if not info.data.get(name)]
        if info.data.get("oidc_issuer") and (missing or not roles):
            names = [f"DESKGRAPH_{name.upper()}" for name in missing]
            raise ValueError(f"with DESKGRAPH_OIDC_ISSUER, set this and {', '.join(names)}"
                             if names else "with DESKGRAPH_OIDC_ISSUER, name a role")  # fmt: skip
        return roles
