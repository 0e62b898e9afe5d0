"""Tokens in the address of an event stream, for browsers: `EventSource` sends no headers."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request
from itsdangerous import BadData, URLSafeTimedSerializer

from app.api.http.dependencies import Backend, Credentials, RequiredScope, bearer, key_of_id
from app.db.tables.tenants import ApiKey
from app.errors import UnauthorizedError

# A token opens streams for so long; one that is open stays so, as long as its key is live.
TOKEN_SECONDS = 300
PARAMETER = "token"
Token = Annotated[
    str | None,
    Query(alias=PARAMETER, max_length=500, description="In the place of the header, for browsers."),
]


def _signer(backend: Backend) -> URLSafeTimedSerializer:
    return backend.cursors.timed_signer(["event-stream"])


def issue_token(backend: Backend, key: ApiKey) -> str:
    """A token that opens event streams in the key's name for TOKEN_SECONDS."""
    return str(_signer(backend).dumps([key.tenant_id, key.id]))


async def key_of_token(backend: Backend, token: str) -> ApiKey:
    """The live key in whose name a token was made.

    Raises:
        UnauthorizedError: forged, too old, or its key is revoked.
    """
    refused = UnauthorizedError("Ask for another token: `POST /v1/events/tokens`.")
    try:
        tenant_id, key_id = _signer(backend).loads(token, max_age=TOKEN_SECONDS)
    except (BadData, ValueError, TypeError):
        raise refused from None
    key = await key_of_id(backend, str(key_id))
    if key is None or key.tenant_id != tenant_id:
        raise refused
    return key


@dataclass(frozen=True, slots=True)
class StreamScope(RequiredScope):
    """The scope of an event stream, by a key in the header or a token in the address."""

    async def key_of(self, request: Request) -> ApiKey:
        """The header counts if there are both. Raises UnauthorizedError."""
        credentials: Any = await bearer(request)
        token = request.query_params.get(PARAMETER)
        if credentials is None and token is not None:
            return await key_of_token(request.app.state.backend, token[:500])
        # By name, since a class with slots is another one than the name's own when it is made.
        return await RequiredScope.key_of(self, request)

    # Both are only here for the OpenAPI document; `check` has read them.
    async def __call__(self, request: Request, _: Credentials, _token: Token = None) -> ApiKey:
        """The key that `check` found."""
        key: ApiKey = request.state.api_key
        return key
