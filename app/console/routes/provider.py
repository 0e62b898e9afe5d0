"""/console/sign-in/with-provider and its callback: sign in by OpenID Connect."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import ValidationError

from app.api.http.dependencies import Backend, BackendDep
from app.console.console_route import ConsoleRoute
from app.console.identity_provider import Attempt, IdentityProvider, ProviderError
from app.console.routes.sign_in import INBOX, Next, end_previous, own_path, session_lasts
from app.console.templating import HEADERS, page
from app.console.viewer import cookie_name, on_loopback, set_cookie
from app.errors import NotFoundError, UnauthorizedError
from app.log import get_logger
from app.services.console.oidc_person import person_by_claims
from app.services.console.sign_in import sign_in

log = get_logger(__name__)

router = APIRouter(prefix="/console/sign-in", route_class=ConsoleRoute)

COOKIE = "deskgraph_sign_in"
ATTEMPT_SECONDS = 600
AWAY = "The identity provider does not answer as it should. Try again, or use an API key."
Given = Annotated[str, Query(max_length=4000)]


def provider_of(request: Request) -> IdentityProvider:
    """The process's identity provider. Raises NotFoundError where none is set up."""
    provider: IdentityProvider | None = request.app.state.identity_provider
    if provider is None:
        raise NotFoundError("No identity provider is set up here.")
    return provider


@router.get("/with-provider")
async def begin(request: Request, backend: BackendDep, wanted: Next = INBOX) -> Response:
    """Send the browser to the provider."""
    provider = provider_of(request)
    try:
        url, attempt = await provider.begin(callback_url(request, backend), own_path(wanted))
    except ProviderError as error:
        return _away(request, error)
    answer = RedirectResponse(url, 303, HEADERS)
    answer.set_cookie(
        cookie_name(request, COOKIE),
        str(_signer(backend).dumps(attempt.model_dump())),
        max_age=ATTEMPT_SECONDS,
        path="/",
        secure=not on_loopback(request),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/callback")
async def finish(
    request: Request, backend: BackendDep, code: Given = "", state: Given = "", error: Given = ""
) -> Response:
    """Start a session as the person whom the provider names."""
    provider, attempt = provider_of(request), _attempt(request, backend)
    if attempt is None or not secrets.compare_digest(attempt.state.encode(), state.encode()):
        raise UnauthorizedError("This sign-in did not begin in this browser, or took too long.")
    if error or not code:
        raise UnauthorizedError("The provider did not sign you in. Try again.")
    try:
        claims = await provider.finish(callback_url(request, backend), attempt, code)
    except ProviderError as failure:
        return _away(request, failure)
    async with backend.sessions.begin() as session:
        key = await person_by_claims(session, backend.settings, claims)
        opaque = await sign_in(session, key, "oidc", session_lasts(backend))
        await end_previous(request, session)
    answer = RedirectResponse(own_path(attempt.next), 303, HEADERS)
    set_cookie(request, answer, opaque)
    answer.delete_cookie(
        cookie_name(request, COOKIE), path="/", secure=not on_loopback(request), httponly=True
    )
    return answer


def callback_url(request: Request, backend: Backend) -> str:
    """Where the provider sends the browser back to."""
    asked = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    base = backend.settings.console_url or asked
    return f"{base}/console/sign-in/callback"


def _signer(backend: Backend) -> URLSafeTimedSerializer:
    return backend.cursors.timed_signer(["console sign-in"])


def _attempt(request: Request, backend: Backend) -> Attempt | None:
    try:
        kept = _signer(backend).loads(
            request.cookies.get(cookie_name(request, COOKIE), ""), max_age=ATTEMPT_SECONDS
        )
        return Attempt.model_validate(kept)
    except (BadData, ValidationError):
        return None


def _away(request: Request, error: ProviderError) -> Response:
    log.warning("identity_provider_unavailable", error=error.__cause__ or error)
    return page(request, "message.html", 502, title="Signing in did not work", text=AWAY)
