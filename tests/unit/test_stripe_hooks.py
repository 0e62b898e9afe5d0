"""Stripe's webhooks: signed just now by a secret of the connection, and read without trust."""

import json
import time
from typing import Any, cast

import pytest
import stripe

from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event
from app.connectors.stripe.hooks import read_hook, verify

OLD, NEW = "whsec_old_secret", "whsec_new_secret"
OPENED = cast("Opened", None)
REFUND = {
    "id": "re_1", "object": "refund", "charge": "ch_1", "amount": 4900, "currency": "usd",
    "status": "failed", "failure_reason": "expired_or_canceled_card",
    "metadata": {"deskgraph_key": "refund:ch_1:4900:USD:T-1"},
}  # fmt: skip


def event(type_: str = "refund.failed", **refund: Any) -> dict[str, Any]:
    """An event about a refund."""
    return {
        "id": "evt_1", "object": "event", "api_version": "2026-10-28.endive", "livemode": False,
        "type": type_, "data": {"object": {**REFUND, **refund}, "previous_attributes": {}},
    }  # fmt: skip


def signed(body: bytes, secret: str = NEW, *, at: int | None = None) -> dict[str, str]:
    """The headers that Stripe sends with a body."""
    sign = stripe.WebhookSignature.generate_signature_header
    text = body.decode("utf-8", "replace")
    return {"stripe-signature": cast("str", sign(text, secret, timestamp=at))}


BODY = json.dumps(event()).encode()


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_each_secret_of_the_connection_is_tried(secret: str) -> None:
    """While they are rotated both are in use."""
    assert verify(signed(BODY, secret), BODY, [NEW, OLD]) == "evt_1"


def test_stripe_that_rotates_signs_with_two_secrets() -> None:
    """Then one header has two signatures, and ours may be the second one."""
    at = int(time.time())
    first, second = (signed(BODY, secret, at=at)["stripe-signature"] for secret in (OLD, NEW))
    both = f"{first},{second.split(',')[1]}"
    assert verify({"stripe-signature": both}, BODY, [NEW]) == "evt_1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "t=,v1="},
        {"stripe-signature": "v1=00"},
        {"stripe-signature": f"t={int(time.time())},v1=é"},
        {"stripe-signature": f"t={'9' * 5000},v1=00"},
        {"stripe-signature": "t=-1,v0=00"},
        {"stripe-signature": "," * 60_000},
        signed(BODY, "whsec_other"),
        signed(BODY + b" "),
        signed(BODY, at=int(time.time()) - 301),
        # Read some minutes later, it still lies ahead.
        signed(BODY, at=int(time.time()) + 100_000),
    ],
    ids=range(12),
)
def test_forged_old_or_odd_signature_is_refused(headers: dict[str, str]) -> None:
    """By that error only; also one from the future, which the SDK takes."""
    with pytest.raises(ForgedHookError):
        verify(headers, BODY, [NEW, OLD])


def test_without_a_secret_nothing_is_taken() -> None:
    """Not even what is signed with no secret."""
    for secrets in ([], [""], [" "]):
        with pytest.raises(ForgedHookError):
            verify(signed(BODY, ""), BODY, secrets)


def test_body_that_is_no_utf8_is_refused() -> None:
    """The SDK lets a UnicodeDecodeError out."""
    with pytest.raises(ForgedHookError):
        verify(signed(b"\xff"), b"\xff", [NEW])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"[" * 9999, b'{"id": 7, "object": "event", "type": "x"}',
             b'{"id": "evt_1", "object": "v2.core.event", "type": "x"}']
)  # fmt: skip
def test_signed_body_that_is_no_event_is_malformed(body: bytes) -> None:
    """Stripe signed it, and it cannot be read."""
    with pytest.raises(MalformedHookError):
        verify(signed(body), body, [NEW])


@pytest.mark.parametrize("name", ["refund.updated", "refund.failed", "charge.refund.updated"])
def test_one_change_of_a_refund_is_one_fact(name: str) -> None:
    """It comes under several names; the message's id is the same, so that the second is dropped."""
    assert read_hook(OPENED, event(name)) == Event(
        "refund",
        message_id="re_1:failed",
        refund_id="re_1",
        key="refund:ch_1:4900:USD:T-1",
        why="failed",
    )
    assert read_hook(OPENED, event(name, status="succeeded")).message_id == "re_1:succeeded"
    assert (
        read_hook(OPENED, event(name, charge={"id": "ch_1", "object": "charge"})).kind == "refund"
    )


@pytest.mark.parametrize(
    "document",
    [
        event("charge.refunded"),
        event("customer.subscription.deleted"),
        event("refund.created"),
        event(metadata={}),
        event(metadata=None),
        event(metadata={"other": "x"}),
    ],
    ids=range(6),
)
def test_what_is_not_about_our_refunds_is_nothing(document: dict[str, Any]) -> None:
    """Other events, and refunds that a person made in the dashboard."""
    found = read_hook(OPENED, document)
    assert (found.kind, found.key) == ("nothing", None)
    assert found.why


@pytest.mark.parametrize(
    "document",
    [
        None, 7, [], {}, {"id": "evt_1", "object": "event", "type": "refund.failed"},
        event(id=None), event(status=None), event(object="charge"), event(metadata=[1]),
        event(metadata={"deskgraph_key": 7}), {**event(), "data": []},
        {**event(), "type": "x" * 101},
        {**event(), "data": {"object": "re_1"}},
    ],
    ids=range(13),
)  # fmt: skip
def test_event_that_cannot_be_read_is_malformed(document: Any) -> None:
    """By no other error."""
    with pytest.raises(MalformedHookError):
        read_hook(OPENED, document)
