"""Stripe's webhooks: who signed one, and what it says about a refund of ours."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import stripe
from pydantic import Field

from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event
from app.connectors.stripe.answers import Id, Ref, Shape, Texts, read
from app.connectors.stripe.refunds import KEY_FIELD
from app.formats.strict_json import StrictJsonError, parse_json
from tools.errors import UnavailableError

TOLERANCE_SECONDS = 300
# One change of a refund comes under several of these names.
OF_REFUNDS = frozenset({"refund.updated", "refund.failed", "charge.refund.updated"})


class Envelope(Shape):
    """What every event has."""

    id: Id
    object: Literal["event"]
    type: str = Field(max_length=100)


class RefundNews(Shape):
    """The refund that an event is about."""

    id: Id
    object: Literal["refund"]
    charge: Ref | None = None
    status: str = Field(max_length=40)
    metadata: Texts = Field(default_factory=dict)


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> str:
    """The event's id, if one of the secrets ("whsec_...") signed exactly this body just now.

    Raises:
        ForgedHookError, MalformedHookError.
    """
    signature = headers.get("stripe-signature", "")
    if not any(_signed(body, signature, secret) for secret in secrets):
        raise ForgedHookError("no secret of the connection signed this body just now")
    try:
        return read(Envelope, _object(parse_json(body))).id
    except (StrictJsonError, UnavailableError):
        raise MalformedHookError("the body is no event of Stripe's") from None


def read_hook(opened: Opened, document: Any) -> Event:  # noqa: ARG001  # the port of all connectors
    """What an event says about a refund of ours; anything else is nothing.

    Raises:
        MalformedHookError.
    """
    try:
        envelope = read(Envelope, _object(document))
        if envelope.type not in OF_REFUNDS:
            return Event("nothing", why=f"no event about a refund: {envelope.type}")
        refund = read(RefundNews, _object(_object(document.get("data")).get("object")))
    except UnavailableError as error:
        raise MalformedHookError(f"the event cannot be read: {error}") from None
    if (key := refund.metadata.get(KEY_FIELD)) is None:
        return Event("nothing", refund_id=refund.id, why="a refund that deskgraph did not make")
    # A status is news once, under whichever names it comes.
    news = f"{refund.id}:{refund.status}"
    return Event("refund", message_id=news, refund_id=refund.id, key=key, why=refund.status)


def _signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether the secret signed the body within five minutes of now.

    The SDK looks at the past only, and lets three errors out: a body that is not UTF-8, a signature
    that is not ASCII, and its own.
    """
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        at = next(part[2:] for part in signature.split(",") if part.startswith("t="))
        return int(at) <= time.time() + TOLERANCE_SECONDS
    except (stripe.SignatureVerificationError, ValueError, TypeError, StopIteration):
        return False


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnavailableError("no object")
    return value
