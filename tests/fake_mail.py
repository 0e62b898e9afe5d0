"""Subscriptions and mail in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tools.errors import RefusedError
from tools.models import (
    Audience,
    Cancellation,
    Contact,
    Delivery,
    Mail,
    MailTally,
    Subscription,
)
from tools.ports import Subscriptions


def subscription(id_: str, what: str, amount: int = 4900) -> Subscription:
    """An active subscription."""
    return {
        "id": id_,
        "description": what,
        "status": "active",
        "amount_minor": amount,
        "currency": "USD",
        "renews_at": "2026-12-18T09:00:00+00:00",
    }


class FakeSubscriptions(Subscriptions):
    """Subscriptions by customer: Ann has one, Eva two."""

    def __init__(self) -> None:
        self.by_customer = {
            "cus_ann": [subscription("sub_1001", "Pro plan")],
            "cus_eva": [
                subscription("sub_5001", "Pro plan"),
                subscription("sub_5002", "Extra storage", 900),
            ],
        }
        self.booked: dict[str, Cancellation] = {}
        self.calls = 0

    @property
    def repeats_safely(self) -> bool:
        return True

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        return [s.copy() for s in self.by_customer.get(customer_id, [])]

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        self.calls += 1
        if key in self.booked:
            return self.booked[key]
        everyone = [s for own in self.by_customer.values() for s in own]
        found = next((s for s in everyone if s["id"] == subscription_id), None)
        if found is None or found["status"] != "active":
            raise RefusedError(f"no active subscription {subscription_id}")
        found["status"], found["renews_at"] = "cancelled", None
        self.booked[key] = {
            "id": f"can_{len(self.booked) + 1}",
            "subscription_id": subscription_id,
            "description": found["description"],
        }
        return self.booked[key]

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        found = self.booked.get(key)
        return found if found and found["subscription_id"] == subscription_id else None


class FakeContacts:
    """Three people on the Pro plan, one of them with a hostile name."""

    def __init__(self) -> None:
        self.people: dict[str, list[Contact]] = {
            "pro": [
                {"id": "c1", "email": "ann@example.com", "name": "Ann"},
                {"id": "c2", "email": "bob@example.com", "name": "Bob\r\nBcc: x@evil.example"},
                {"id": "c3", "email": "eva@example.com", "name": "Eva {name}"},
            ],
            "empty": [],
        }
        self.asked = 0

    async def audiences(self) -> dict[str, int]:
        self.asked += 1
        return {name: len(people) for name, people in self.people.items()}

    async def audience(self, name: str, first: int) -> Audience:
        people = self.people.get(name, [])
        as_of = "2026-11-22T00:00:00+00:00"
        return {"count": len(people), "as_of": as_of, "first": people[:first]}


class FakeMailings:
    """One list for every mailing; each of them is handed out once."""

    def __init__(self) -> None:
        self.waiting: list[Contact] = [
            {"id": "c1", "email": "ann@example.com", "name": "Ann"},
            {"id": "c2", "email": "bob@example.com", "name": "Bob"},
        ]
        self.noted: dict[str, Delivery] = {}
        self.begun: list[str] = []
        self.changed: str | None = None

    async def problem(self, audience: str, recipients: int, as_of: str) -> str | None:
        return self.changed

    async def begin(self, key: str, audience: str, recipients: int, as_of: str) -> None:
        self.begun.append(key)

    async def next(self, key: str) -> Contact | None:
        return self.waiting.pop(0) if self.waiting else None

    async def note(self, key: str, contact_id: str, delivery: Delivery) -> None:
        self.noted[contact_id] = delivery

    async def tally(self, key: str) -> MailTally:
        ends = [delivery["status"] for delivery in self.noted.values()]
        return {
            "sent": ends.count("sent"),
            "failed": ends.count("failed"),
            "unknown": ends.count("unknown"),
            "skipped": 0,
            "waiting": len(self.waiting),
        }


class FakeMailer:
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator["FakeMailer"]:
        yield self

    async def send(self, mail: Mail) -> Delivery:
        self.mails.append(mail)
        return {"status": "sent", "detail": ""}
