"""localstripe, a stateful stand-in for Stripe that others wrote, and a line to it that can be cut.

Installed from PyPI into an environment of its own and run as it is (GPL-3; nothing is copied).
It forgets every Idempotency-Key, as Stripe does after a day, and takes refunds above what is left.
"""

import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response

from app.connectors.connector import Payments
from app.connectors.stripe.connector import STRIPE
from tests.conformance.accounts import Feature, opened_at
from tests.doubles.server import serving
from tests.doubles.stripe_double import CUT
from tests.real_world.environments import environment_of

VERSION = "localstripe==1.15.10"
# It takes no restricted keys.
KEY = "sk_test_1234567890"
START_SECONDS = 20
# Its own command listens on every address and keeps its books in /tmp.
RUN = """
import sys
from aiohttp import web
from localstripe import server
server.store.dump_to_disk = lambda: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
CARD = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": "12",
        "card[exp_year]": "2032", "card[cvc]": "123"}  # fmt: skip


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Its URL on a free port of loopback. Raises NotInstalledError."""
    python = environment_of(VERSION)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = subprocess.Popen([python, "-c", RUN, str(port)], stdin=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"localstripe did not start: {process.poll()}")


@dataclass(slots=True)
class Line:
    """Hands calls on to it; the next writes may be cut off, before or after they are done.

    It refuses a refund's `reason`, which Stripe knows, so that is taken out on the way.
    """

    upstream: str
    drop: int = 0
    lose: int = 0

    @property
    def app(self) -> FastAPI:
        """What a server serves."""
        app = FastAPI()
        app.add_api_route("/{path:path}", self._hand_on, methods=["GET", "POST", "DELETE"])
        return app

    async def _hand_on(self, request: Request) -> Response:
        writes = request.method != "GET"
        if self.drop and writes:
            self.drop -= 1
            return CUT
        form = [(n, v) for n, v in parse_qsl((await request.body()).decode()) if n != "reason"]
        sent = {"authorization": request.headers["authorization"]}
        if form:
            sent["content-type"] = "application/x-www-form-urlencoded"
        url = f"{self.upstream}{request.url.path}?{request.url.query}"
        async with plain_client() as client:
            body = urlencode(form).encode()
            answer = await client.request(request.method, url, content=body, headers=sent)
        if self.lose and writes:
            self.lose -= 1
            return CUT
        kind = answer.headers.get("content-type")
        return Response(answer.content, answer.status_code, media_type=kind)


@dataclass
class LocalstripeAccount:
    """A new customer there with two payments and a subscription, and another one."""

    line: Line
    payments: Payments
    customer: str
    stranger: str
    paid: str
    paid_too: str
    of_stranger: str
    subscription: str
    subscription_of_stranger: str
    disputed: str = ""
    lacks: Mapping[Feature, str] = field(
        default_factory=lambda: {
            "disputes": "localstripe has no disputes",
            "statuses": "a card's refund succeeds at once at localstripe",
            "keeps_ends": "localstripe drops the metadata of a subscription that is changed",
        }
    )

    async def booked(self) -> list[int]:
        """The refunds of this customer's payments and of the other's."""
        found = []
        for charge in (self.paid, self.paid_too, self.of_stranger):
            listed = await ask(self.line.upstream, "GET", f"/v1/refunds?charge={charge}")
            found += [one["amount"] for one in listed["data"]]
        return found

    async def fail_writes(self, *, drop: int = 0, lose: int = 0) -> None:
        """Cut the line."""
        self.line.drop, self.line.lose = drop, lose

    async def forget_keys(self) -> None:
        """It never knew any."""

    async def refunds_are(self, status: str) -> None:
        """Never asked for."""
        raise AssertionError(self.lacks["statuses"])


def plain_client() -> httpx.AsyncClient:
    """A client for loopback; to load the certificates of the world takes most of a call."""
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(trust_env=False, timeout=30, verify=no_certificates)


async def ask(base: str, method: str, path: str, **form: str) -> dict[str, Any]:
    """What it answers to a call of the tenant's own system."""
    async with plain_client() as client:
        answer = await client.request(method, base + path, data=form or None, auth=(KEY, ""))
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def new_customer(url: str) -> tuple[str, str]:
    """A customer with a card, and the card."""
    customer = await ask(url, "POST", "/v1/customers", email="ann@example.com")
    card = await ask(url, "POST", "/v1/payment_methods", **CARD)
    path = f"/v1/payment_methods/{card['id']}/attach"
    await ask(url, "POST", path, customer=customer["id"])
    default = {"invoice_settings[default_payment_method]": card["id"]}
    await ask(url, "POST", f"/v1/customers/{customer['id']}", **default)
    return customer["id"], card["id"]


async def new_payment(url: str, customer: str, card: str, amount: int, currency: str) -> str:
    """A payment that succeeded; its charge."""
    form = {"amount": str(amount), "currency": currency, "customer": customer, "confirm": "true"}
    intent = await ask(url, "POST", "/v1/payment_intents", payment_method=card, **form)
    charge: str = intent["charges"]["data"][0]["id"]
    return charge


async def new_subscription(url: str, customer: str) -> str:
    """To the Pro plan."""
    plan = {"id": f"pro-{customer}", "amount": "4900", "currency": "usd", "interval": "month",
            "product[name]": "Pro plan", "nickname": "Pro plan"}  # fmt: skip
    await ask(url, "POST", "/v1/plans", **plan)
    items = {"items[0][plan]": plan["id"]}
    made = await ask(url, "POST", "/v1/subscriptions", customer=customer, **items)
    subscription: str = made["id"]
    return subscription


@contextlib.asynccontextmanager
async def localstripe_account(url: str, **settings: Any) -> AsyncIterator[LocalstripeAccount]:
    """The connector, over a line to a localstripe that runs at this URL."""
    ann, anns_card = await new_customer(url)
    bob, bobs_card = await new_customer(url)
    line = Line(url)
    with serving(line.app) as line_url:
        async with opened_at(line_url, key=KEY, **settings) as opened:
            assert STRIPE.payments is not None
            yield LocalstripeAccount(
                line=line,
                payments=STRIPE.payments(opened),
                customer=ann,
                stranger=bob,
                paid=await new_payment(url, ann, anns_card, 4900, "usd"),
                paid_too=await new_payment(url, ann, anns_card, 4900, "usd"),
                of_stranger=await new_payment(url, bob, bobs_card, 60_000, "usd"),
                subscription=await new_subscription(url, ann),
                subscription_of_stranger=await new_subscription(url, bob),
            )
