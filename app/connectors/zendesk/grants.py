"""How an access token is had from Zendesk: by the OAuth client's own credentials, or by refresh.

A refresh ends the pair before it, and answers a new refresh token. Zendesk says when a token ends
only to those who ask for an end.
"""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.connectors.connector import Opened
from app.connectors.errors import CredentialsError
from app.connectors.http import HttpAnswer
from app.connectors.oauth import Renew, Token
from tools.errors import UnavailableError

# Zendesk takes 300 to 172,800.
TOKEN_SECONDS = 7200
# So long a refresh token lives that is not used: Zendesk's own default, of 7 to 90 days.
REFRESH_SECONDS = 2_592_000
# What an OAuth server says of credentials that are dead. Source: RFC 6749, section 5.2.
DEAD = ("invalid_grant", "invalid_client", "unauthorized_client", "access_denied")


Seconds = Annotated[int, Field(gt=0, le=10**9)]


class _Said(BaseModel):
    """Fields that we do not know are dropped."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    access_token: Annotated[str, Field(min_length=1, max_length=5000, pattern=r"^[!-~]+$")]
    refresh_token: Annotated[str, Field(max_length=5000)] | None = None
    expires_in: Seconds | None = None
    refresh_token_expires_in: Seconds | None = None


def source_of(opened: Opened) -> str:
    """Names what the tokens of a connection come from, without saying it."""
    given = opened.credentials
    refresh = given.refresh_token.get_secret_value() if given.refresh_token else ""
    parts = [
        opened.settings.base_url,
        opened.settings.client_id,
        opened.settings.scope,
        given.client_secret.get_secret_value(),
        refresh,
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()


def renewing(opened: Opened) -> Renew:
    """What asks Zendesk for the next token.

    It raises CredentialsError and UnavailableError; of the latter, what happened is unknown.
    """

    async def renew(kept: Token | None) -> Token:
        url = f"{opened.settings.base_url}/oauth/tokens"
        body = json.dumps(_asked(opened, kept)).encode()
        try:
            answer = await opened.http.call("POST", url, body=body)
        except CredentialsError:
            raise CredentialsError(_dead(opened, "HTTP 401")) from None
        if not answer.ok:
            raise CredentialsError(_dead(opened, _code(answer)))
        return _read(answer, kept)

    return renew


def _asked(opened: Opened, kept: Token | None) -> dict[str, Any]:
    settings, given = opened.settings, opened.credentials
    asked = {
        "client_id": settings.client_id,
        "client_secret": given.client_secret.get_secret_value(),
        "scope": settings.scope,
        "expires_in": TOKEN_SECONDS,
    }
    if given.refresh_token is None:
        return {"grant_type": "client_credentials", **asked}
    refresh = kept.refresh if kept and kept.refresh else given.refresh_token.get_secret_value()
    lives = {"refresh_token_expires_in": REFRESH_SECONDS}
    return {"grant_type": "refresh_token", "refresh_token": refresh, **asked, **lives}


def _read(answer: HttpAnswer, kept: Token | None) -> Token:
    try:
        said = _Said.model_validate(answer.json())
    except ValidationError:
        raise UnavailableError("the answer of /oauth/tokens holds no access token") from None
    refresh = said.refresh_token or (kept.refresh if kept else None)
    # Only of the token that it came with: an old one that goes on ends when it did before.
    lives = said.refresh_token_expires_in if said.refresh_token else None
    return Token(said.access_token, refresh, _in(said.expires_in), _in(lives))


def _in(seconds: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None


def _dead(opened: Opened, code: str) -> str:
    what = (
        "authorise the bot's user again and give the new refresh token"
        if opened.credentials.refresh_token
        else "look at the OAuth client in Admin Center and give its identifier and secret again"
    )
    return f"Zendesk gives no access token ({code}): {what}"


def _code(answer: HttpAnswer) -> str:
    """The error's name, when it is one that we know."""
    try:
        said = answer.json()
    except UnavailableError:
        said = None
    code = said.get("error") if isinstance(said, dict) else None
    return code if code in DEAD else f"HTTP {answer.status}"
