"""Access tokens of OAuth 2, which end: how a connector gets one, and who keeps it between calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

# A token that ends sooner than this is renewed first: a call may take a while.
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, with the refresh token that replaces it where there is one.

    `expires_at` is the end of the access token; `refresh_ends_at` is that of the refresh token, if
    it is not used until then, and None where there is none or the system does not say it.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_ends_at: datetime | None = None

    def is_live(self) -> bool:
        """Whether it may still be used; one whose end was not said is, until it is refused."""
        return self.expires_at is None or datetime.now(UTC) < self.expires_at - MARGIN


# Makes a new token: out of the one before, or out of the credentials when there is none.
Renew = Callable[[Token | None], Awaitable[Token]]


class Tokens(Protocol):
    """Keeps the token of one connection for all processes.

    To renew a token may end the one before it, so only one of them does so at a time.
    """

    async def get(self, source: str, renew: Renew, refused: str | None = None) -> str:
        """A live access token; `renew` is called when there is none, or when it is `refused`.

        `source` names the credentials that the tokens come from: those of others are not used.

        Raises:
            CredentialsError: the credentials give no token any more.
            UnavailableError: none could be had now.
        """
        ...
