"""A Stripe of our own on loopback, as the official SDK meets it: books, keys, rights and faults.

Its shapes are those of API version 2026-10-28.endive as the SDK describes them; its refusals those
of docs.stripe.com/error-codes. What it cannot prove is that Stripe itself behaves like this.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

Object = dict[str, Any]
ALL_RIGHTS = frozenset({"charges:read", "refunds:write", "subscriptions:read",
                        "subscriptions:write"})  # fmt: skip
RIGHTS = {
    ("GET", "charges"): "charges:read",
    ("GET", "refunds"): "charges:read",
    ("POST", "refunds"): "refunds:write",
    ("GET", "subscriptions"): "subscriptions:read",
    ("POST", "subscriptions"): "subscriptions:write",
    ("DELETE", "subscriptions"): "subscriptions:write",
    ("GET", "payouts"): "payouts:read",
}
# Announces more than it sends, so the line is cut in the middle of the answer.
CUT = Response(b'{"id": "', headers={"content-length": "4096"})


class StripeRefusalError(Exception):
    """An error of the API."""

    def __init__(self, status: int, code: str, *, kind: str = "invalid_request_error") -> None:
        super().__init__(code)
        self.status = status
        self.error = {"type": kind, "code": code, "message": f"A sentence of Stripe's: {code}"}


@dataclass(slots=True)
class StripeDouble:
    """The books of one account, and the faults that a test asks for.

    `forgets_keys`: every Idempotency-Key is as old as one that Stripe has pruned. `drop`: how many
    of the next writes are cut off before anything happens; `lose`: how many after that are carried
    out and lose their answer. `status`: what a new refund has. `override`: answers every call.
    """

    key: str = "rk_test_51DeskgraphDouble"
    rights: frozenset[str] = ALL_RIGHTS
    forgets_keys: bool = False
    drop: int = 0
    lose: int = 0
    hold_seconds: float = 0
    status: str = "succeeded"
    override: Callable[[], Response] | None = None
    charges: dict[str, Object] = field(default_factory=dict)
    refunds: dict[str, Object] = field(default_factory=dict)
    subscriptions: dict[str, Object] = field(default_factory=dict)
    answered: dict[str, tuple[list[tuple[str, str]], Object]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def charge(self, customer: str, amount: int, currency: str = "usd", **more: Any) -> str:
        """A payment that succeeded, in Stripe's unit; the newest."""
        id_ = f"ch_{next(self._numbers):06}"
        self.charges[id_] = {
            "id": id_, "object": "charge", "customer": customer, "amount": amount,
            "amount_captured": amount, "amount_refunded": 0, "currency": currency,
            "created": 1_790_000_000 + len(self.charges), "status": "succeeded", "captured": True,
            "disputed": False, "refunded": False, "description": "Pro plan",
            "calculated_statement_descriptor": "ACME", "metadata": {}, "payment_intent": None,
            "billing_details": {"email": "ann@example.com"}, **more,
        }  # fmt: skip
        return id_

    def subscription(self, customer: str, amount: int = 4900, **more: Any) -> str:
        """A subscription that goes on."""
        id_ = f"sub_{next(self._numbers):06}"
        price = {"id": "price_1", "object": "price", "unit_amount": amount, "currency": "usd",
                 "nickname": "Pro plan", "lookup_key": None, "product": "prod_1"}  # fmt: skip
        item = {"id": "si_1", "object": "subscription_item", "price": price, "quantity": 1,
                "current_period_end": 1_798_000_000}  # fmt: skip
        self.subscriptions[id_] = {
            "id": id_, "object": "subscription", "customer": customer, "status": "active",
            "currency": "usd", "cancel_at_period_end": False, "description": None, "metadata": {},
            "items": {"object": "list", "data": [item], "has_more": False, "url": "/x"}, **more,
        }  # fmt: skip
        return id_

    @property
    def app(self) -> FastAPI:
        """What a server serves."""
        app = FastAPI()
        app.add_api_route("/{path:path}", self._take, methods=["GET", "POST", "DELETE"])
        return app

    async def _take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        form = parse_qsl(body or request.url.query)
        self.calls.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        await asyncio.sleep(self.hold_seconds)
        if self.override is not None:
            return self.override()
        writes = request.method != "GET"
        if self.drop and writes:
            self.drop -= 1
            return CUT
        try:
            answer = self._once(request, form)
        except StripeRefusalError as refusal:
            return JSONResponse({"error": refusal.error}, refusal.status)
        if self.lose and writes:
            self.lose -= 1
            return CUT
        return JSONResponse(answer)

    def _once(self, request: Request, form: list[tuple[str, str]]) -> Object:
        """By the Idempotency-Key: the first answer again, and other parameters refused."""
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise StripeRefusalError(401, "api_key_expired")
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is not None and key in self.answered and not self.forgets_keys:
            before, answer = self.answered[key]
            if before != form:
                raise StripeRefusalError(400, "idempotency_key_in_use", kind="idempotency_error")
            return answer
        answer = self._carry_out(request.method, request.url.path.split("/")[2:], dict(form))
        if key is not None:
            self.answered[key] = (form, answer)
        return answer

    def _carry_out(self, method: str, path: list[str], form: dict[str, str]) -> Object:
        name, ids = path[0], path[1:]
        right = RIGHTS.get((method, name))
        if right is None:
            raise StripeRefusalError(404, "unrecognized_request")
        if right not in self.rights:
            raise StripeRefusalError(403, "more_permissions_required")
        if method == "GET":
            return self._read(name, ids, form)
        if name == "refunds":
            return self._refund(form)
        subscription = _running(self.subscriptions, ids[0])
        if method == "POST":
            return self._change(subscription, form)
        subscription["status"] = "canceled"
        return subscription

    def _read(self, name: str, ids: list[str], form: dict[str, str]) -> Object:
        objects: dict[str, Object] = {} if name == "payouts" else getattr(self, name)
        if ids:
            return _known(objects, ids[0])
        if "charge" in form:
            _known(self.charges, form["charge"])
        every = [*self.charges.values(), *self.subscriptions.values()]
        if "customer" in form and form["customer"] not in {one["customer"] for one in every}:
            raise StripeRefusalError(400, "resource_missing")
        return _page(objects, form, customer=form.get("customer"), charge=form.get("charge"))

    def _refund(self, form: dict[str, str]) -> Object:
        charge = _known(self.charges, form["charge"])
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = int(form.get("amount", left))
        if charge["disputed"]:
            raise StripeRefusalError(400, "charge_disputed")
        if not left:
            raise StripeRefusalError(400, "charge_already_refunded")
        if not 0 < amount <= left:
            raise StripeRefusalError(400, "amount_too_large")
        id_ = f"re_{next(self._numbers):06}"
        self.refunds[id_] = {
            "id": id_, "object": "refund", "charge": charge["id"], "amount": amount,
            "currency": charge["currency"], "status": self.status, "reason": form.get("reason"),
            "created": int(time.time()), "payment_intent": None, "metadata": _metadata(form),
        }  # fmt: skip
        if self.status != "failed":
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        return self.refunds[id_]

    def _change(self, subscription: Object, form: dict[str, str]) -> Object:
        subscription["metadata"] |= _metadata(form)
        if "cancel_at_period_end" in form:
            subscription["cancel_at_period_end"] = form["cancel_at_period_end"] == "true"
        return subscription


def _metadata(form: dict[str, str]) -> Object:
    return {
        name[len("metadata[") : -1]: value
        for name, value in form.items()
        if name.startswith("metadata[")
    }


def _known(objects: dict[str, Object], id_: str) -> Object:
    if id_ not in objects:
        raise StripeRefusalError(404, "resource_missing")
    return objects[id_]


def _running(subscriptions: dict[str, Object], id_: str) -> Object:
    """Stripe does not change one that was cancelled."""
    found = _known(subscriptions, id_)
    if found["status"] == "canceled":
        raise StripeRefusalError(404, "resource_missing")
    return found


def _page(objects: dict[str, Object], form: dict[str, str], **of: str | None) -> Object:
    """Newest first, from after an object on."""
    listed = [
        one
        for one in reversed([*objects.values()])
        if all(wanted is None or one[name] == wanted for name, wanted in of.items())
    ]
    if after := form.get("starting_after"):
        ids = [one["id"] for one in listed]
        listed = listed[ids.index(after) + 1 :]
    limit = int(form.get("limit", "10"))
    return {"object": "list", "data": listed[:limit], "has_more": len(listed) > limit, "url": "/"}
