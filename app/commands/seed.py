"""Fill the demo tenant once: payments at the sandbox provider, people, and help articles."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import app.demo
from app.commands.articles import read_source, store
from app.db.articles import articles_of_tenant
from app.db.keys import ensure_tenant
from app.db.mail import Contact
from app.db.sandbox import Agent, SandboxPayment, SandboxSubscription

TENANT = "demo"
ARTICLES = Path(app.demo.__file__).parent / "articles"

# Customer, payment, what for, minor units, currency, captured so many hours ago.
PAYMENTS = (
    ("cus_ann", "pay_1001", "Pro plan", 4900, "USD", 9),
    ("cus_ann", "pay_1002", "Pro plan", 4900, "USD", 8),
    ("cus_bob", "pay_2001", "Annual plan", 60_000, "USD", 26 * 24),
    ("cus_yui", "pay_3001", "Pro plan", 5800, "JPY", 5 * 24),
    ("cus_max", "pay_4001", "Team seat September", 19_900, "USD", 70 * 24),
    ("cus_max", "pay_4002", "Team seat October", 19_900, "USD", 40 * 24),
    ("cus_max", "pay_4003", "Team seat November", 19_900, "USD", 10 * 24),
    ("cus_eva", "pay_5001", "Pro plan", 4900, "USD", 12 * 24),
    ("cus_eva", "pay_5002", "Extra storage", 900, "USD", 11 * 24),
    ("cus_lou", "pay_6001", "Pro plan", 4500, "EUR", 3 * 24),
)

# Customer, subscription, what, minor units, currency, days until it renews.
SUBSCRIPTIONS = (
    ("cus_ann", "sub_1001", "Pro plan", 4900, "USD", 29),
    ("cus_bob", "sub_2001", "Annual plan", 60_000, "USD", 339),
    ("cus_yui", "sub_3001", "Pro plan", 5800, "JPY", 25),
    ("cus_max", "sub_4001", "Team seat", 19_900, "USD", 20),
    ("cus_eva", "sub_5001", "Pro plan", 4900, "USD", 18),
    ("cus_eva", "sub_5002", "Extra storage", 900, "USD", 19),
    ("cus_lou", "sub_6001", "Pro plan", 4500, "EUR", 27),
)

# Contacts by segment; `pro` stays below the default gate of 25, `newsletter` reaches it.
SEGMENT_SIZES = {"pro": 4, "trial": 12, "newsletter": 40}

# Each pair covers every skill for twelve hours; the three time zones make it round the clock.
AGENTS = (
    ("ag_mia", "Mia Keller", ["billing", "complaints"], "Europe/Berlin", 7, 19),
    ("ag_tom", "Tom Brandt", ["technical", "general"], "Europe/Berlin", 7, 19),
    ("ag_zoe", "Zoe Carter", ["billing", "complaints", "general"], "America/New_York", 9, 21),
    ("ag_sam", "Sam Rivera", ["technical", "general"], "America/New_York", 9, 21),
    ("ag_ken", "Ken Mori", ["billing", "complaints"], "Asia/Tokyo", 7, 19),
    ("ag_rin", "Rin Sato", ["technical", "general"], "Asia/Tokyo", 7, 19),
)
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


async def seed(session: AsyncSession, tenant_id: str = TENANT) -> None:
    """Add what is missing; what is there stays as it is, refunds included."""
    await ensure_tenant(session, tenant_id, "Fernboard (demo)")
    # Noon of yesterday cannot be split by midnight: a duplicate charge stands on one date.
    yesterday = datetime.now(UTC) - timedelta(days=1)
    now = yesterday.replace(hour=12, minute=0, second=0, microsecond=0)
    payments = [
        {
            "tenant_id": tenant_id,
            "id": payment_id,
            "customer_id": customer,
            "description": description,
            "amount_minor": amount,
            "currency": currency,
            "captured_at": now - timedelta(hours=hours),
        }
        for customer, payment_id, description, amount, currency, hours in PAYMENTS
    ]
    await session.execute(insert(SandboxPayment).values(payments).on_conflict_do_nothing())
    subscriptions = [
        {
            "tenant_id": tenant_id,
            "id": subscription_id,
            "customer_id": customer,
            "description": description,
            "amount_minor": amount,
            "currency": currency,
            "renews_at": now + timedelta(days=days),
        }
        for customer, subscription_id, description, amount, currency, days in SUBSCRIPTIONS
    ]
    await session.execute(
        insert(SandboxSubscription).values(subscriptions).on_conflict_do_nothing()
    )
    await session.execute(insert(Contact).values(contacts(tenant_id)).on_conflict_do_nothing())
    agents = [
        {
            "tenant_id": tenant_id,
            "id": agent_id,
            "name": name,
            "skills": skills,
            "timezone": timezone,
            "opens_hour": opens,
            "closes_hour": closes,
            "weekdays": EVERY_DAY,
        }
        for agent_id, name, skills, timezone, opens, closes in AGENTS
    ]
    await session.execute(insert(Agent).values(agents).on_conflict_do_nothing())
    if not (await session.scalars(articles_of_tenant(tenant_id).limit(1))).first():
        await store(session, tenant_id, read_source(ARTICLES))


def contacts(tenant_id: str) -> list[dict[str, Any]]:
    """Forty invented people; a smaller segment is the beginning of a larger one."""
    return [
        {
            "tenant_id": tenant_id,
            "id": f"con_{number:04d}",
            "email": f"reader{number}@example.com",
            "name": f"Reader {number}",
            "segments": [name for name, size in SEGMENT_SIZES.items() if number <= size],
        }
        for number in range(1, max(SEGMENT_SIZES.values()) + 1)
    ]
