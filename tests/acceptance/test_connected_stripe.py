"""Stripe, connected, behind a desk of one's own: one refund whatever is lost, and news of it."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import stripe

from tests.acceptance.connected import Connected
from tests.acceptance.stack import Client, Stack
from tests.conftest import Tenant
from tests.doubles.own_desk import OwnDesk, until
from tests.doubles.server import serving
from tests.doubles.stripe_double import StripeDouble
from tests.tls import TLS

pytestmark = pytest.mark.no_articles

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
SIGNING = "whsec_of_the_endpoint_0123456789"


@dataclass(frozen=True, slots=True)
class StripeConnected(Connected):
    """With the desk, the books, and the address of Stripe's hooks."""

    desk: OwnDesk
    stripe: StripeDouble
    hooks: str


@pytest.fixture
def connected(
    stack: Stack, tenant: Tenant, starter: Client, approver: Client, admin: Client
) -> Iterator[StripeConnected]:
    """A tenant with a desk and with Stripe, where cus_ann paid twice."""
    desk, double = OwnDesk(), StripeDouble()
    double.charge("cus_ann", 4900)
    double.charge("cus_ann", 4900)
    with serving(desk.app) as url, serving(double.app) as stripe_url:
        paid = {
            "kind": "stripe",
            "name": "Stripe",
            "settings": {"api_base": stripe_url},
            "credentials": {"api_key": double.key, "webhook_secret": SIGNING},
        }
        provider = admin.http.post("/v1/connections", json=paid)
        assert provider.status_code == 201, provider.text
        asked = {"kind": "webhook", "name": "Own", "settings": {"url": f"{url}/deskgraph"}}
        body = admin.http.post("/v1/connections", json=asked).raise_for_status().json()
        desk.connect(f"{stack.url}{body['hook_path']}", body["hook_secret"])
        hooks = f"{stack.url}{provider.json()['hook_path']}"
        yield StripeConnected(body["id"], admin, approver, starter, desk, double, hooks)


def refunded(connected: StripeConnected) -> Any:
    """The run of a refund that was approved, once it has ended."""
    connected.desk.open("42", TWICE, external_id="cus_ann", verified=True)
    run = connected.rested("42")
    assert run["status"] == "interrupted", run
    assert connected.approver.decide(run, "approve").status_code == 202
    return until(lambda: ended(connected.starter.run(run["id"])))


def ended(run: Any) -> Any:
    """The run, if it has ended."""
    return run if run["status"] not in ("pending", "running", "interrupted") else None


def test_refund_is_booked_once_though_two_answers_are_lost(connected: StripeConnected) -> None:
    """Also where every key is forgotten: it is looked for by its metadata before it is repeated."""
    connected.stripe.forgets_keys = True
    connected.stripe.lose = 2
    run = refunded(connected)
    assert run["outcome"] == "acted", run
    assert [r["amount"] for r in connected.stripe.refunds.values()] == [4900]
    assert connected.settled("42", "reply")["status"] == "sent"
    [said] = connected.desk.public("42")
    assert "49.00 USD" in said


def test_refused_key_pauses_the_connection_once(connected: StripeConnected) -> None:
    """Nothing moves, a person gets the ticket, and the connection says why."""
    connected.stripe.key = "rk_test_another_key"
    connected.desk.open("42", TWICE, external_id="cus_ann", verified=True)
    run = connected.rested("42")
    assert run["outcome"] == "escalated"
    rows = connected.admin.http.get("/v1/connections").json()["items"]
    [row] = [row for row in rows if row["kind"] == "stripe"]
    assert row["paused_because"]
    assert connected.stripe.refunds == {}


def test_refund_that_fails_days_later_brings_a_person(connected: StripeConnected) -> None:
    """Stripe's own hook says so; a second one with the same news changes nothing."""
    refunded(connected)
    [refund] = connected.stripe.refunds.values()
    assert connected.approver.http.get("/v1/handoffs").json()["items"] == []
    failed = {**refund, "status": "failed"}
    for number in (1, 2):
        event = {
            "id": f"evt_{number}",
            "object": "event",
            "type": "refund.failed",
            "data": {"object": failed},
        }
        assert hook(connected, event).status_code == 202
    [handoff] = until(lambda: connected.approver.http.get("/v1/handoffs").json()["items"])
    assert handoff["ticket_id"] == f"{connected.id}:42"
    assert "failed" in handoff["summary"]


def test_forged_hook_of_stripe_is_refused(connected: StripeConnected) -> None:
    """Nothing is stored."""
    answer = httpx.post(
        connected.hooks,
        json={"id": "evt_1", "object": "event", "type": "refund.failed"},
        headers={"Stripe-Signature": f"t={int(time.time())},v1=00"},
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "hook-not-signed")


def hook(connected: StripeConnected, event: dict[str, Any]) -> httpx.Response:
    """An event as Stripe posts it."""
    body, now = json.dumps(event), int(time.time())
    signature = stripe.WebhookSignature._compute_signature(f"{now}.{body}", SIGNING)
    headers = {"Stripe-Signature": f"t={now},v1={signature}", "Content-Type": "application/json"}
    return httpx.post(connected.hooks, content=body, headers=headers, verify=TLS)
