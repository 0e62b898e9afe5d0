"""Messages of a ticket that wait together become one run, whatever happens at the same time."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.db.core.connections import Sessions
from app.db.runs import scheduling, transitions
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.errors import RunFinishedError
from app.execution import claim as claims
from app.execution.claim import Claimant
from app.lifecycle import RunStatus
from app.services.runs import start_and_cancel
from app.services.runs.merge_messages import absorb
from app.services.runs.start_and_cancel import NewRun
from tests.conftest import Tenant

pytestmark = pytest.mark.no_articles

WORKER = 79


async def start(sessions: Sessions, tenant: Tenant, body: str, customer: str = "c",
                ticket: str = "T-1", **more: Any) -> Run:  # fmt: skip
    """One message, in a transaction of its own."""
    wanted = {"id": ticket, "subject": "s", "body": body, "customer": {"id": customer}, **more}
    async with sessions.begin() as session:
        key_id = tenant.starter.split("_")[1]
        new = NewRun(wanted, None, {})
        return await start_and_cancel.start(session, tenant.id, key_id, new)


async def claim(sessions: Sessions, run_id: UUID, per_customer: int = 100) -> Run | None:
    """Take the run as a worker does."""
    by = Claimant(WORKER, per_customer)
    return await claims.claim(sessions, run_id, by)


async def now(sessions: Sessions, tenant: Tenant, run: Run) -> Run:
    """The run as it is stored."""
    async with sessions() as session:
        return await start_and_cancel.get(session, tenant.id, run.id)


async def test_waiting_messages_are_answered_together(sessions: Sessions, tenant: Tenant) -> None:
    """The first one to start takes the others, in order; each of them tells where it went."""
    made = [await start(sessions, tenant, body) for body in ("one", "two", "three")]
    first = await claim(sessions, made[0].id)
    assert first is not None
    assert first.ticket["body"] == "one\n\ntwo\n\nthree"
    assert (await now(sessions, tenant, first)).ticket == first.ticket
    for other in [await now(sessions, tenant, run) for run in made[1:]]:
        assert (other.status, other.merged_into) == (RunStatus.CANCELLED, first.id)
        assert other.finished_at is not None
        assert await claim(sessions, other.id) is None


async def test_only_neighbours_of_the_same_customer_merge(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Another customer's message on the ticket ends the row, and another ticket is not touched."""
    made = [
        await start(sessions, tenant, body, customer)
        for body, customer in (("one", "a"), ("two", "a"), ("three", "b"), ("four", "a"))
    ]
    elsewhere = await start(sessions, tenant, "other", "a", "T-2")
    first = await claim(sessions, made[0].id)
    assert first is not None
    assert first.ticket["body"] == "one\n\ntwo"
    left = [await now(sessions, tenant, run) for run in (*made[2:], elsewhere)]
    assert [run.status for run in left] == [RunStatus.PENDING] * 3


@pytest.mark.parametrize(
    ("bodies", "taken"),
    [(["x"] * 25, 20), (["x" * 30_000, "y" * 19_998, "z"], 2), (["x" * 30_000, "y" * 19_999], 1)],
)
async def test_what_does_not_fit_waits_for_the_next_run(
    sessions: Sessions, tenant: Tenant, bodies: list[str], taken: int
) -> None:
    """At most 20 messages and 50,000 characters become one run."""
    made = [await start(sessions, tenant, body) for body in bodies]
    first = await claim(sessions, made[0].id)
    assert first is not None
    assert first.ticket["body"] == "\n\n".join(bodies[:taken])
    statuses = [(await now(sessions, tenant, run)).status for run in made[taken:]]
    assert statuses == [RunStatus.PENDING] * (len(bodies) - taken)


@pytest.mark.parametrize(
    ("languages", "kept"),
    [(["de", None], "de"), ([None, "de"], "de"), (["de", "de"], "de"), (["de", "en"], None)],
)
async def test_a_named_language_is_kept_if_the_messages_agree(
    sessions: Sessions, tenant: Tenant, languages: list[str | None], kept: str | None
) -> None:
    """Two names for one text are none."""
    made = [await start(sessions, tenant, "b", language=language) for language in languages]
    first = await claim(sessions, made[0].id)
    assert first is not None
    assert first.ticket["language"] == kept


async def test_two_workers_and_a_cancel_at_the_same_instant(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Every message is in exactly one run, or cancelled by its sender; nothing waits forever."""

    async def cancel(run: Run) -> bool:
        try:
            async with sessions.begin() as session:
                await start_and_cancel.cancel(session, enqueue_run, tenant.id, run.id)
        except RunFinishedError as refused:
            return refused.extra["merged_into"] is None
        return True

    for attempt in range(12):
        one = f"c{attempt}", f"T-{attempt}"
        made = [await start(sessions, tenant, f"m{n}", *one) for n in range(4)]
        first, second, cancelled = await asyncio.wait_for(
            asyncio.gather(
                claim(sessions, made[0].id), claim(sessions, made[0].id), cancel(made[2])
            ),
            20,
        )
        [taken] = [run for run in (first, second) if run is not None]
        ended = await now(sessions, tenant, made[2])
        assert (ended.status, ended.merged_into is None) == (RunStatus.CANCELLED, cancelled)
        assert ("m2" in taken.ticket["body"]) == (not cancelled)
        assert taken.ticket["body"].startswith("m0\n\nm1")


async def test_cancel_does_not_wait_for_an_older_message(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Both cancelled at once, each would wait for the other one's row."""
    older, newer = [await start(sessions, tenant, body) for body in ("one", "two")]
    async with sessions.begin() as held:
        await start_and_cancel.get(held, tenant.id, older.id, lock=True)
        async with asyncio.timeout(5), sessions.begin() as session:
            ended = await start_and_cancel.cancel(session, enqueue_run, tenant.id, newer.id)
    assert ended.status is RunStatus.CANCELLED


async def test_messages_do_not_overtake_one_that_is_locked(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Another worker looks at the third message just then: it, and what is behind it, wait."""
    made = [await start(sessions, tenant, body) for body in ("one", "two", "three", "four")]
    async with sessions.begin() as session:
        await start_and_cancel.get(session, tenant.id, made[2].id, lock=True)
        first = await claim(sessions, made[0].id)
    assert first is not None
    assert first.ticket["body"] == "one\n\ntwo"
    left = [await now(sessions, tenant, run) for run in made[2:]]
    assert [run.status for run in left] == [RunStatus.PENDING] * 2


async def test_a_run_taken_up_again_reads_the_same_ticket(
    sessions: Sessions, tenant: Tenant
) -> None:
    """What came after its first start waits for the next run, also when a worker is lost."""
    made = [await start(sessions, tenant, body) for body in ("one", "two")]
    first = await claim(sessions, made[0].id)
    assert first is not None
    late = await start(sessions, tenant, "late")
    async with sessions.begin() as session:
        assert await transitions.settle(session, first.id, first.attempt, Ending(RunStatus.PENDING))
    again = await claim(sessions, first.id)
    assert again is not None
    assert again.ticket["body"] == "one\n\ntwo"
    assert (await now(sessions, tenant, late)).status is RunStatus.PENDING


async def test_a_paused_run_can_take_what_came_since(sessions: Sessions, tenant: Tenant) -> None:
    """`absorb` answers the texts and ends their runs; a second call finds nothing more."""
    run = await start(sessions, tenant, "one")
    claimed = await claim(sessions, run.id)
    assert claimed is not None
    newer = [await start(sessions, tenant, body) for body in ("two", "three")]
    async with sessions.begin() as session:
        assert await transitions.settle(
            session, run.id, claimed.attempt, Ending(RunStatus.INTERRUPTED)
        )
    async with sessions.begin() as session:
        held = await start_and_cancel.get(session, tenant.id, run.id, lock=True)
        assert await absorb(session, held) == ["two", "three"]
        assert await absorb(session, held) == []
    for other in newer:
        assert (await now(sessions, tenant, other)).merged_into == run.id


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [(["x"] * 9, ["y"] * 15, 10), (["x" * 30_000], ["y" * 19_997, "z"], 0), (["x"], ["y"], 1)],
)
async def test_what_a_paused_run_took_before_counts(
    sessions: Sessions, tenant: Tenant, first: list[str], second: list[str], taken: int
) -> None:
    """Its ticket is what it has read by now, so rounds of wishes cannot add up past the bounds."""
    run = await start(sessions, tenant, "one")
    claimed = await claim(sessions, run.id)
    assert claimed is not None
    async with sessions.begin() as session:
        assert await transitions.settle(
            session, run.id, claimed.attempt, Ending(RunStatus.INTERRUPTED)
        )
    read = ["one"]
    for bodies, expected in ((first, first), (second, second[:taken])):
        for body in bodies:
            await start(sessions, tenant, body)
        async with sessions.begin() as session:
            held = await start_and_cancel.get(session, tenant.id, run.id, lock=True)
            assert await absorb(session, held) == expected
        read += expected
        assert (await now(sessions, tenant, run)).ticket["body"] == "\n\n".join(read)


async def test_one_customer_has_a_bounded_number_of_runs_at_once(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Ten claims at one instant get two; the others follow when one of those ends."""
    made = [await start(sessions, tenant, "b", ticket=f"T-{n}") for n in range(10)]
    taken = [run for run in await asyncio.gather(*[claim(sessions, r.id, 2) for r in made]) if run]
    assert len(taken) == 2
    other = await start(sessions, tenant, "b", "quiet", "T-q")
    assert await claim(sessions, other.id, 2) is not None
    async with sessions.begin() as session:
        assert await transitions.settle(session, taken[0].id, 1, Ending(RunStatus.SUCCESS))
    async with sessions.begin() as session:
        queued: list[UUID] = []

        async def enqueue(_session: Any, run_id: UUID, _at: Any) -> None:
            queued.append(run_id)

        following = await scheduling.next_after(session, taken[0])
        await claims.queue_followers(session, enqueue, following)
    waiting = [run.id for run in made if run.id not in {t.id for t in taken}]
    assert queued == waiting[:1]
    assert await claim(sessions, queued[0], 2) is not None


async def test_a_run_before_its_time_waits_for_it(sessions: Sessions, tenant: Tenant) -> None:
    """Whatever set the clock back, the run stays on the queue, and does not wait for the sweep."""
    run = await start(sessions, tenant, "b")
    async with sessions.begin() as session:
        later = (await session.scalars(
            update(Run).where(Run.id == run.id)
            .values(not_before=Run.not_before + timedelta(hours=1))
            .returning(Run.not_before)
        )).one()  # fmt: skip
    assert await claims.claim(sessions, run.id, Claimant(WORKER, 1)) is None
    assert (await now(sessions, tenant, run)).queued_for == later
