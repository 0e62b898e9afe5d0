"""Adds the console to the application of the API: same process, same rows, same rules."""

from app.api.http.openapi_document import DocumentedApi
from app.console.identity_provider import IdentityProvider
from app.console.routes import (
    approval,
    articles,
    audit,
    figures,
    handoff,
    inbox,
    items,
    keys,
    live,
    pause,
    policy,
    policy_changes,
    provider,
    replays,
    runs,
    settings,
    sign_in,
    static,
    threads,
    unknown,
)

# The last one takes every address that the others do not know.
MODULES = (
    static,
    provider,
    sign_in,
    live,
    inbox,
    approval,
    items,
    handoff,
    threads,
    runs,
    figures,
    replays,
    articles,
    settings,
    policy,
    keys,
    audit,
    policy_changes,
    pause,
    unknown,
)


def install_console(app: DocumentedApi) -> None:
    """Serve the console under /console."""
    known = app.state.backend.settings
    app.state.identity_provider = IdentityProvider(known) if known.oidc_issuer else None
    for module in MODULES:
        app.include_router(module.router)
        app.state.routes += module.router.routes
