"""The official SDK, speaking through our one HTTP client; its errors in our words."""

import re
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import stripe

from app.connectors.connector import Opened
from app.connectors.errors import CredentialsError
from app.connectors.http import HttpClient
from app.formats.strict_json import StrictJsonError, parse_json
from tools.errors import RefusedError, UnavailableError

T = TypeVar("T")

# What the models of answers.py and the SDK's own types were written for.
API_VERSION = "2026-10-28.endive"
# The SDK would write an id into the home directory, and send the platform with every call.
stripe.enable_telemetry = False
# All that a call needs; the SDK's other headers describe this machine.
SENT = frozenset({"authorization", "content-type", "idempotency-key", "stripe-version"})

CODE = re.compile(r"[a-z0-9_]{1,60}")
WORDS = {
    "charge_already_refunded": "the payment was already given back in full",
    "charge_disputed": "the payment is under dispute, and its bank decides about the money",
    "amount_too_large": "the amount is more than is left of the payment",
    "balance_insufficient": "the Stripe account has too little balance for the refund",
    "insufficient_funds": "the Stripe account has too little balance for the refund",
    "resource_missing": "Stripe knows no such object in this account and mode",
    "charge_not_refundable": "Stripe cannot give this payment back",
    "refund_disputed_payment": "the payment is under dispute, and its bank decides about the money",
}
NOT_FOUND = 404
LACKS_RIGHT = "the key of the Stripe connection lacks the right for this call"


class MissingError(RefusedError):
    """Stripe knows no such object in this account and mode."""


class GuardedTransport(stripe.HTTPClient):
    """Sends the SDK's calls through our guarded, bounded client, once each."""

    name = "deskgraph"

    def __init__(self, http: HttpClient) -> None:
        super().__init__()
        self._http = http

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One call.

        Raises UnavailableError, CredentialsError, SettingsError.
        """
        form = str(post_data or "").encode()
        sent = {name: value for name, value in headers.items() if name.lower() in SENT}
        answer = await self._http.call(
            method.upper(),
            url,
            headers=sent,
            body=form,
            content_type="application/x-www-form-urlencoded",
        )
        _check_shape(answer.body, ok=answer.ok)
        # None of Stripe's headers: the SDK would print one of them as a warning.
        return answer.body, answer.status, {}


def _check_shape(body: bytes, *, ok: bool) -> None:
    """The SDK takes any JSON and fails on odd ones in many ways. Raises UnavailableError."""
    try:
        document = parse_json(body)
    except StrictJsonError as error:
        raise UnavailableError(f"Stripe's answer is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnavailableError("Stripe's answer is no object")
    if not ok and not isinstance(document.get("error"), dict):
        raise UnavailableError("Stripe's answer is an error without a description")


def open_client(opened: Opened) -> stripe.StripeClient:
    """The SDK for one connection: never a second try by itself, one version of the API."""
    return stripe.StripeClient(
        opened.credentials.api_key.get_secret_value(),
        base_addresses={"api": opened.settings.api_base},
        http_client=GuardedTransport(opened.http),
        max_network_retries=0,
        stripe_version=API_VERSION,
    )


async def answer_of(call: Awaitable[Any]) -> dict[str, Any]:
    """What the SDK answers, as plain data: its objects are no dicts.

    Raises:
        RefusedError: nothing happened, in words of ours; MissingError when it does not exist.
        UnavailableError: what happened is unknown.
        CredentialsError, SettingsError.
    """
    try:
        answer = await call
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise _denied(error) from None
    except (stripe.RateLimitError, stripe.IdempotencyError) as error:
        # An earlier call under the key, with other words or still on its way: what it did is to
        # be looked up.
        raise UnavailableError(f"Stripe answered {error.http_status}") from None
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        missing = error.http_status == NOT_FOUND or error.code == "resource_missing"
        raise (MissingError if missing else RefusedError)(_words(error.code)) from None
    except stripe.StripeError as error:
        raise UnavailableError(f"Stripe answered {error.http_status}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnavailableError(
            f"Stripe's answer has an odd shape ({type(error).__name__})"
        ) from None
    if not isinstance(answer, stripe.StripeObject):
        raise UnavailableError("Stripe's answer is no object")
    return answer.to_dict()


def _denied(error: stripe.StripeError) -> RefusedError | CredentialsError:
    if isinstance(error, stripe.PermissionError):
        return RefusedError(LACKS_RIGHT)
    return CredentialsError("Stripe refused the key of the connection")


def _words(code: object) -> str:
    if not isinstance(code, str) or CODE.fullmatch(code) is None:
        return "Stripe refused the call"
    return WORDS.get(code, f"Stripe refused the call ({code})")
