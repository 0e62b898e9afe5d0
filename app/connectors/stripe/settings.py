"""What a tenant gives to connect Stripe."""

import re
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from app.connectors.addresses import origin
from app.connectors.connector import Fields

API_BASE = "https://api.stripe.com"
# Restricted keys, and whole keys of the test mode, which move no money.
KEY = re.compile(r"(?:rk_(?:live|test)|sk_test)_[A-Za-z0-9_]{8,250}")
SIGNING_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,200}")
WHOLE_LIVE_KEY = "sk_live_"


class StripeSettings(Fields):
    """How the account is used.

    `cancel`: a cancelled subscription ends at the end of the period that is paid, or now and
    without money back. `api_base`: another server than Stripe's, for tests.
    """

    cancel: Literal["period_end", "now"] = "period_end"
    api_base: Annotated[str, Field(max_length=200), origin(API_BASE)] = API_BASE

    @property
    def destination(self) -> tuple[str | int, ...]:
        """Where the credentials go."""
        return (self.api_base,)


class StripeCredentials(Fields):
    """What Stripe made for us.

    `api_key`: a restricted key, rk_live_... or rk_test_...; in the test mode sk_test_... as well.
    `webhook_secret`: the signing secret of Stripe's webhook endpoint, which exists only once the
    connection does.
    """

    api_key: SecretStr
    webhook_secret: SecretStr | None = None

    @field_validator("api_key")
    @classmethod
    def _is_no_whole_live_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if text.startswith(WHOLE_LIVE_KEY):
            raise ValueError(
                "this is a secret key, which may do everything: make a restricted key (rk_live_...)"
                " with the rights that docs/connect/stripe.md lists"
            )
        if KEY.fullmatch(text) is None:
            raise ValueError("must be a restricted key: rk_live_..., rk_test_..., or sk_test_...")
        return key

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_signing_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None or not secret.get_secret_value():
            return None
        if SIGNING_SECRET.fullmatch(secret.get_secret_value()) is None:
            raise ValueError("must be the endpoint's signing secret: whsec_...")
        return secret

    @property
    def hook_secrets(self) -> tuple[str, ...]:
        """Stripe signs with a secret of its own; while it is rolled, with both."""
        return (self.webhook_secret.get_secret_value(),) if self.webhook_secret else ()

    @property
    def live(self) -> bool:
        """Whether the key moves real money."""
        return self.api_key.get_secret_value().startswith("rk_live_")

    @property
    def restricted(self) -> bool:
        """Whether the key can do only what it was given rights for."""
        return self.api_key.get_secret_value().startswith("rk_")
