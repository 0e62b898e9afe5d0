"""Fill the demo tenant once: payments at the sandbox provider, people, and help articles."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import app.commands.demo_data
from app.commands.articles import read_source, store
from app.db.core.base import Base
from app.db.knowledge.articles import articles_of_tenant
from app.db.tables.mailings import Contact
from app.db.tables.sandbox import Agent, SandboxPayment, SandboxSubscription
from app.db.tenants.queries import ensure_tenant

TENANT = "demo"
ARTICLES = Path(app.commands.demo_data.__file__).parent / "articles"

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
    ("cus_kim", "pay_7001", "Pro plan", 4900, "USD", 6 * 24),
)
# Their customers have asked their bank for the money.
DISPUTED = {"pay_7001"}

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
    rows: list[tuple[type[Base], list[dict[str, Any]]]] = [
        (SandboxPayment, payments(now)),
        (SandboxSubscription, subscriptions(now)),
        (Contact, contacts()),
        (Agent, agents()),
    ]
    for table, some in rows:
        owned = [{"tenant_id": tenant_id, **row} for row in some]
        await session.execute(insert(table).values(owned).on_conflict_do_nothing())
    if not (await session.scalars(articles_of_tenant(tenant_id).limit(1))).first():
        await store(session, tenant_id, read_source(ARTICLES))


def payments(now: datetime) -> list[dict[str, Any]]:
    """Captured some hours before `now`."""
    names = ("customer_id", "id", "description", "amount_minor", "currency")
    return [
        {
            **dict(zip(names, row, strict=True)),
            "captured_at": now - timedelta(hours=hours),
            "disputed": row[1] in DISPUTED,
        }
        for *row, hours in PAYMENTS
    ]


def subscriptions(now: datetime) -> list[dict[str, Any]]:
    """Active; they renew some days after `now`."""
    names = ("customer_id", "id", "description", "amount_minor", "currency")
    return [
        {**dict(zip(names, row, strict=True)), "renews_at": now + timedelta(days=days)}
        for *row, days in SUBSCRIPTIONS
    ]


def agents() -> list[dict[str, Any]]:
    """People at work every day."""
    names = ("id", "name", "skills", "timezone", "opens_hour", "closes_hour")
    return [{**dict(zip(names, row, strict=True)), "weekdays": EVERY_DAY} for row in AGENTS]


def contacts() -> list[dict[str, Any]]:
    """Forty invented people; a smaller segment is the beginning of a larger one."""
    return [
        {
            "id": f"con_{number:04d}",
            "email": f"reader{number}@example.com",
            "name": f"Reader {number}",
            "segments": [name for name, size in SEGMENT_SIZES.items() if number <= size],
        }
        for number in range(1, max(SEGMENT_SIZES.values()) + 1)
    ]
