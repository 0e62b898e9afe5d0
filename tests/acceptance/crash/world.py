"""The tenant of a campaign: its keys, its policy, and customers enough."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from app.commands.keys import issue_key
from app.db.core.connections import Sessions, make_engine
from app.db.tables.sandbox import SandboxPayment, SandboxSubscription
from app.db.tenants import queries as tenant_queries
from app.services.webhooks import signing_secrets
from tests.conftest import make_tenant

PRICE, SMALL = 4900, 900
BATCH = 500


@dataclass(frozen=True, slots=True)
class World:
    """The keys of the three desks, and what callbacks are verified with."""

    tenant_id: str
    starter: str
    approver: str
    marketing: str
    secret: str


async def make_world(url: str, customers: int) -> World:
    """A tenant where small refunds in euros need no person, with that many customers."""
    engine = make_engine(url, 1)
    try:
        async with Sessions(engine).begin() as session:
            tenant = await make_tenant(session)
            scopes = ["runs:write", "runs:read", "mail:send"]
            marketing = await issue_key(session, tenant.id, "marketing", scopes)
            secret = (await signing_secrets.issue(session, tenant.id)).secret
            policy = {"refund_auto_limit": {"EUR": 5000}}
            await tenant_queries.add_policy(session, tenant.id, 1, policy, "campaign")
            for first in range(1, customers + 1, BATCH):
                numbers = range(first, min(first + BATCH, customers + 1))
                payments = [row for n in numbers for row in payments_of(tenant.id, n)]
                await session.execute(insert(SandboxPayment).values(payments))
                subscriptions = [subscription_of(tenant.id, n) for n in numbers]
                await session.execute(insert(SandboxSubscription).values(subscriptions))
    finally:
        await engine.dispose()
    return World(tenant.id, tenant.starter, tenant.approver, marketing, secret)


def payments_of(tenant_id: str, number: int) -> list[dict[str, Any]]:
    """A payment, the same again an hour later, and a small one in another currency."""
    noon = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0)
    rows = ((1, "Pro plan", PRICE, "USD"), (2, "Pro plan", PRICE, "USD"),
            (3, "Extra storage", SMALL, "EUR"))  # fmt: skip
    return [
        {
            "tenant_id": tenant_id,
            "id": f"pay_{number}_{which}",
            "customer_id": f"cus_{number}",
            "description": description,
            "amount_minor": amount,
            "currency": currency,
            "captured_at": noon + timedelta(hours=which),
        }
        for which, description, amount, currency in rows
    ]


def subscription_of(tenant_id: str, number: int) -> dict[str, Any]:
    """One that renews."""
    return {
        "tenant_id": tenant_id,
        "id": f"sub_{number}_1",
        "customer_id": f"cus_{number}",
        "description": "Pro plan",
        "amount_minor": PRICE,
        "currency": "USD",
        "renews_at": datetime.now(UTC) + timedelta(days=20),
    }
