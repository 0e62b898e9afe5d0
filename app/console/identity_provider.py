"""The OpenID Connect provider: where to send a browser, and what the code that comes back means.

Authorization code flow with PKCE. The token's signature, issuer, audience, expiry and nonce are
checked before any claim of it counts.
"""

import secrets
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from app.adapters.tls import tls_context
from app.errors import UnauthorizedError
from app.log import get_logger
from app.settings import Settings

log = get_logger(__name__)

TIMEOUT_SECONDS = 10
ASKED_FOR = "openid profile email"
# Asymmetric ones alone: an ID token signed with a shared secret proves less.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
LEEWAY_SECONDS = 60


class ProviderError(Exception):
    """The provider does not answer, or not as OpenID Connect says."""


class Metadata(BaseModel):
    """What the provider's discovery document says."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Attempt(BaseModel):
    """One try to sign in, kept in the browser's signed cookie until the provider sends it back."""

    state: str
    nonce: str
    verifier: str
    next: str


class IdentityProvider:
    """The provider of the settings."""

    def __init__(self, settings: Settings) -> None:
        assert settings.oidc_issuer is not None, "made only where a provider is set up"
        self._settings = settings
        self._issuer = settings.oidc_issuer
        self._metadata: Metadata | None = None

    async def begin(self, callback_url: str, next_path: str) -> tuple[str, Attempt]:
        """The provider's address for the browser, and what to remember. Raises ProviderError."""
        attempt = Attempt(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            next=next_path,
        )
        known = await self._known()
        async with self._client(callback_url) as client:
            url, _ = client.create_authorization_url(
                known.authorization_endpoint,
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return str(url), attempt

    async def finish(self, callback_url: str, attempt: Attempt, code: str) -> dict[str, Any]:
        """The claims of the person whom the code stands for.

        Raises:
            ProviderError, UnauthorizedError: the provider refused the code, or its token is wrong.
        """
        known = await self._known()
        try:
            async with self._client(callback_url) as client:
                token = await client.fetch_token(
                    known.token_endpoint, code=code, code_verifier=attempt.verifier
                )
            keys = (await fetched(known.jwks_uri)).json()
        except OAuthError:
            raise UnauthorizedError("The provider did not accept the sign-in. Try again.") from None
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError from error
        return self._checked(token.get("id_token"), keys, known, attempt.nonce)

    def _checked(self, token: Any, keys: Any, known: Metadata, nonce: str) -> dict[str, Any]:
        refused = UnauthorizedError("The provider's answer is not for this sign-in. Try again.")
        try:
            decoded = jwt.decode(str(token), KeySet.import_key_set(keys), algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": known.issuer},
                aud={"essential": True, "value": self._settings.oidc_client_id or ""},
                exp={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(decoded.claims)
        except (JoseError, ValueError, KeyError, TypeError):
            log.warning("oidc_token_refused")
            raise refused from None
        return dict(decoded.claims)

    async def _known(self) -> Metadata:
        if self._metadata is None:
            url = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
            try:
                found = Metadata.model_validate_json((await fetched(url)).content)
            except (httpx.HTTPError, ValidationError) as error:
                raise ProviderError from error
            # A document for another issuer could lead people to a stranger's sign-in.
            if found.issuer.rstrip("/") != self._issuer.rstrip("/"):
                raise ProviderError
            self._metadata = found
        return self._metadata

    def _client(self, callback_url: str) -> AsyncOAuth2Client:
        secret = self._settings.oidc_client_secret
        return AsyncOAuth2Client(
            client_id=self._settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            redirect_uri=callback_url,
            scope=ASKED_FOR,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
            verify=tls_context(),
        )


async def fetched(url: str) -> httpx.Response:
    """A document of the provider. Raises httpx.HTTPError."""
    async with httpx.AsyncClient(verify=tls_context(), timeout=TIMEOUT_SECONDS) as client:
        return (await client.get(url)).raise_for_status()
