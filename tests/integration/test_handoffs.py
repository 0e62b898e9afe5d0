"""Hand-offs on Postgres: who takes them, who waits, and when it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from app.adapters.ports.conversations import PostgresConversations
from app.db.core.connections import Sessions
from app.db.effects import handoffs
from app.db.tables import sandbox
from tests.conftest import Tenant
from tests.integration.reads import rows_read
from tools.models import Handoff, Urgency

pytestmark = pytest.mark.no_articles


async def hire(
    sessions: Sessions, tenant: Tenant, id_: str, *, there: bool, max_load: int = 2,
    skill: str = "legal",
) -> None:  # fmt: skip
    """An agent for questions of a skill, at work around the clock or on holiday until next week."""
    today = datetime.now(UTC).isoweekday()
    row = {
        "tenant_id": tenant.id, "id": id_, "name": id_.title(), "skills": [skill],
        "timezone": "UTC", "opens_hour": 0, "closes_hour": 0, "max_load": max_load,
        "weekdays": [1, 2, 3, 4, 5, 6, 7] if there else [(today + 2) % 7 + 1],
    }  # fmt: skip
    async with sessions.begin() as session:
        await session.execute(insert(sandbox.Agent).values(row))


async def hand_over(
    sessions: Sessions, tenant: Tenant, urgency: Urgency = "normal", ticket: str = "T-1",
    skill: str = "legal",
) -> Handoff:  # fmt: skip
    """Open a hand-off under a key of its own."""
    desk = PostgresConversations(sessions, tenant.id, uuid4())
    return await desk.open_handoff(ticket, skill, urgency, "Call.", key=str(uuid4()))


async def test_load_is_shared_until_everybody_is_full(sessions: Sessions, tenant: Tenant) -> None:
    """Two people with room for two: four find a person, the fifth waits, no critical one does."""
    for id_ in ("ann", "bob"):
        await hire(sessions, tenant, id_, there=True)
    tickets = [f"T-{n}" for n in range(5)]
    opened = [await hand_over(sessions, tenant, ticket=ticket) for ticket in tickets]
    names = [h["agent"]["name"] if h["agent"] else None for h in opened]
    assert names == ["Ann", "Bob", "Ann", "Bob", None]
    assert opened[-1]["queue_position"] == 1
    assert (await hand_over(sessions, tenant, "critical", ticket="T-9"))["agent"] is not None


async def test_suggestion_and_articles_stay_with_the_handoff(
    sessions: Sessions, tenant: Tenant
) -> None:
    """As they were first given; a hand-off without them has neither."""
    desk = PostgresConversations(sessions, tenant.id, uuid4())
    offered: Any = {
        "suggestion": {"text": "Choose Reset.", "citations": ["a"]},
        "articles": [{"article_id": "a", "title": "A", "excerpt": "Choose **Reset**."}],
    }
    await desk.open_handoff("T-1", "legal", "normal", "Call.", key="with", **offered)
    await desk.open_handoff("T-1", "legal", "normal", "Call.", key="with")
    await desk.open_handoff("T-2", "legal", "normal", "Call.", key="without")
    async with sessions() as session:
        rows = list(
            await session.scalars(
                handoffs.handoffs_of_tenant(tenant.id).order_by(sandbox.Handoff.id)
            )
        )
    found = {row.key: (row.suggestion, row.articles) for row in rows}
    assert found["with"] == (offered["suggestion"], offered["articles"])
    assert found["without"] == (None, [])


async def test_same_ticket_meets_the_same_person(sessions: Sessions, tenant: Tenant) -> None:
    """In the same hand-off while it is open, then in another, though others have less to do."""
    for id_ in ("ann", "bob"):
        await hire(sessions, tenant, id_, there=True)
    first = await hand_over(sessions, tenant, ticket="T-7")
    assert (await hand_over(sessions, tenant, ticket="T-7"))["id"] == first["id"]
    async with sessions.begin() as session:
        await handoffs.close_handoff(session, tenant.id, UUID(first["id"]))
    again = await hand_over(sessions, tenant, ticket="T-7")
    assert again["id"] != first["id"]
    assert again["agent"] == first["agent"]


async def test_each_part_of_a_ticket_has_a_handoff_of_its_own(
    sessions: Sessions, tenant: Tenant
) -> None:
    """One for each part and one of the whole; the same part again is the same one."""
    await hire(sessions, tenant, "ann", there=True, max_load=9)
    desk = PostgresConversations(sessions, tenant.id, uuid4())
    opened = [
        await desk.open_handoff("T-1", "legal", "normal", "Call.", key=f"handoff:{uuid4()}{part}")
        for part in ("", ":billing", ":technical", ":billing", "")
    ]
    ids = [handoff["id"] for handoff in opened]
    assert (ids[3], ids[4], len(set(ids))) == (ids[1], ids[0], 3)
    async with sessions() as session:
        rows = await session.scalars(
            handoffs.handoffs_of_tenant(tenant.id).order_by(sandbox.Handoff.id)
        )
        assert [row.part for row in rows] == [None, "billing", "technical"]


async def test_queue_puts_the_urgent_first_and_tells_the_next_opening(
    sessions: Sessions, tenant: Tenant
) -> None:
    """A place counts those of the same skill that are more urgent or older."""
    await hire(sessions, tenant, "ann", there=False)
    urgencies: list[Urgency] = ["normal", "normal", "critical", "low", "high"]
    places = [
        (await hand_over(sessions, tenant, urgency, f"T-{n}"))["queue_position"]
        for n, urgency in enumerate(urgencies)
    ]
    assert places == [1, 2, 1, 4, 2]
    opens_at = (await hand_over(sessions, tenant, ticket="T-9"))["opens_at"]
    assert opens_at is not None
    wait = datetime.fromisoformat(opens_at) - datetime.now(UTC)
    assert timedelta(days=1) < wait < timedelta(days=4)


async def test_queue_moves_when_an_agent_comes(sessions: Sessions, tenant: Tenant) -> None:
    """The most urgent go first, up to what the person can take; closing makes room again."""
    urgencies: list[Urgency] = ["low", "critical", "normal"]
    for n, urgency in enumerate(urgencies):
        await hand_over(sessions, tenant, urgency, f"T-{n}")
    await hire(sessions, tenant, "ann", there=True)
    async with sessions.begin() as session:
        assert await handoffs.assign_waiting(session, tenant.id) == 2
    async with sessions.begin() as session:
        [left] = await session.scalars(handoffs.queue_of(tenant.id))
        assert left.urgency == "low"
        taken = handoffs.handoffs_of_tenant(tenant.id).where(sandbox.Handoff.urgency == "critical")
        critical: UUID = (await session.scalars(taken)).one().id
        await handoffs.close_handoff(session, tenant.id, critical)
    async with sessions.begin() as session:
        assert await handoffs.assign_waiting(session, tenant.id) == 1


async def test_queue_without_people_holds_up_no_other(sessions: Sessions, tenant: Tenant) -> None:
    """A hundred and more urgent ones wait for lawyers; the fence still finds its builder."""
    await hire(sessions, tenant, "ann", there=False)
    many = """
        INSERT INTO handoffs (id, tenant_id, key, ticket_id, skill, urgency, summary)
        SELECT gen_random_uuid(), :tenant, 'many-' || i, 'T-' || i, 'legal', 'critical', ''
        FROM generate_series(1, 150) AS i"""
    async with sessions.begin() as session:
        await session.execute(text(many), {"tenant": tenant.id})
    await hand_over(sessions, tenant, "low", "F-1", skill="fences")
    await hand_over(sessions, tenant, "low", "F-2", skill="fences")
    await hire(sessions, tenant, "bob", there=True, skill="fences", max_load=1)
    async with sessions.begin() as session:
        before = await rows_read(session, "agents")
        assert await handoffs.assign_waiting(session, tenant.id) == 1
        people = len(await handoffs.agents_of(session, tenant.id))
        assert await rows_read(session, "agents") - before <= 2 * people


async def test_tenants_do_not_see_each_other(sessions: Sessions, tenant: Tenant) -> None:
    """Another tenant's people take nothing, and its hand-offs cannot be closed from here."""
    await hire(sessions, tenant, "ann", there=True)
    mine = await hand_over(sessions, tenant)
    async with sessions.begin() as session:
        assert await handoffs.agents_of(session, "other") == []
        assert await handoffs.close_handoff(session, "other", UUID(mine["id"])) is None
