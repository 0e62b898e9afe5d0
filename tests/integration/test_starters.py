"""Who started any part of a run may not decide about it, by whatever detour they come."""

import random
from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import update
from uuid_utils.compat import uuid7

from app.db.runs.queries import replayed, starters
from app.db.runs.queue import enqueue_run
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey
from app.errors import InvalidRequestError, OwnRunError
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.services.approvals.decide import Verdict
from app.services.runs import replay as replays
from app.services.runs.replay import NewReplay
from app.services.tenants import policy as policies
from graphs.policy import Policy, ReplyMode
from tests.conftest import Tenant
from tests.integration.workplace import Workplace

E42 = "My upload fails with error E42. How do I fix it?"
VERDICTS: tuple[Verdict, ...] = ("approve", "edit", "reject", "respond")


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


async def refused(place: Workplace, run: Run, keys: Collection[ApiKey]) -> None:
    """None of the keys may give any answer, and nothing has changed."""
    before = await place.effects()
    for key in keys:
        for verdict in VERDICTS:
            with pytest.raises(OwnRunError):
                await place.decide(run, verdict, "because", by=key)
    assert (await place.run(run.id)).status is RunStatus.INTERRUPTED
    assert await place.effects() == before


async def rejected(place: Workplace, by: ApiKey) -> Run:
    """A run of that key whose plan was refused by a reviewer."""
    run = await place.decide(await place.advance(await place.start(by=by)), "reject")
    assert run.outcome == "rejected"
    return run


async def test_starter_does_not_approve_a_replay_by_another_key(place: Workplace) -> None:
    """The key that started the first run and the key that replays it; a third one may."""
    first, second = await place.key("first"), await place.key("second")
    again = await place.replay(await rejected(place, first), "approve", by=second)
    await refused(place, again, [first, second])
    done = await place.decide(again)
    assert (done.outcome, (await place.effects())["sandbox_refunds"]) == ("acted", 1)


async def test_starter_does_not_approve_a_replay_of_a_replay(place: Workplace) -> None:
    """However many replays lie between."""
    keys = [await place.key(name) for name in ("first", "second", "third")]
    run = await rejected(place, keys[0])
    for key in keys[1:]:
        run = await place.replay(run, "approve", by=key)
        if key is not keys[-1]:
            run = await place.decide(run, "reject")
    await refused(place, run, keys)


async def test_sender_of_a_merged_message_does_not_approve_the_replay(place: Workplace) -> None:
    """Their words are in the first run's ticket, and so in the plan."""
    first, sender, second = [await place.key(name) for name in ("first", "sender", "second")]
    run = await place.start(by=first)
    merged = await place.start("Please hurry, I want one of them back", by=sender)
    run = await place.advance(run)
    assert (await place.run(merged.id)).merged_into == run.id
    await refused(place, run, [first, sender])
    again = await place.replay(await place.decide(run, "reject"), "approve", by=second)
    await refused(place, again, [first, sender, second])


async def test_sender_does_not_take_their_own_message_in(place: Workplace) -> None:
    """An answer that would make them one of the starters is refused, and the message waits on."""
    sender = await place.key("sender")
    run = await place.advance(await place.start())
    waiting = await place.start("Please refund one of them", by=sender)
    with pytest.raises(OwnRunError):
        await place.decide(run, "respond", "see below", by=sender)
    assert (await place.run(waiting.id)).merged_into is None
    going = await place.decide(run, "respond", "see below")
    assert (await place.run(waiting.id)).merged_into == going.id
    await refused(place, going, [sender])


async def with_policy(place: Workplace, policy: Policy) -> None:
    """The tenant's runs are held to that policy from now on."""
    async with place.service.sessions.begin() as session:
        await policies.replace(session, place.tenant.id, policy, None)


async def test_starter_does_not_let_a_replayed_reply_leave(place: Workplace) -> None:
    """A draft that waits for a person is decided by the same rule as a plan."""
    await with_policy(place, Policy(reply_mode=ReplyMode(default="draft")))
    first, second = await place.key("first"), await place.key("second")
    run = await place.advance(await place.start(E42, by=first))
    await refused(place, run, [first])
    run = await place.decide(run, "reject")
    again = await place.replay(run, "review", by=second)
    await refused(place, again, [first, second])


async def test_starter_is_neither_of_two_approvers(place: Workplace) -> None:
    """Not the first to agree, and not the second after another person agreed."""
    await with_policy(place, Policy(refund_second_approver_from={"USD": 1}))
    first, second = await place.key("first"), await place.key("second")
    again = await place.replay(await rejected(place, first), "plan", by=second)
    await refused(place, again, [first, second])
    halfway = await place.decide(again)
    assert halfway.status is RunStatus.INTERRUPTED
    await refused(place, halfway, [first, second])
    other = await place.key("Vic")
    assert (await place.decide(halfway, by=other)).outcome == "acted"


async def test_another_key_of_the_starters_name_does_not_decide(place: Workplace) -> None:
    """A person with two keys is one person, however they spell their name's letters."""
    run = await place.advance(await place.start(by=await place.key("Ann Lee")))
    await refused(place, run, [await place.key("Ann Lee"), await place.key(" ann  LEE ")])
    assert (await place.decide(run)).outcome == "acted"


async def test_every_starter_in_a_tangle_of_replays_and_merges(place: Workplace) -> None:
    """One query finds what a walk over all rows finds, and nothing of another tenant."""
    chance = random.Random(7)  # noqa: S311  # a reproducible tangle, no secret
    runs: list[Run] = []
    for number in range(40):
        key = await place.key(f"k{number}")
        runs.append(await place.start(ticket=f"T-{number}", by=key))
    before: dict[UUID, set[UUID]] = {run.id: set() for run in runs}
    async with place.service.sessions.begin() as session:
        for at, run in enumerate(runs[1:], 1):
            other = chance.choice(runs[:at])
            if chance.random() < 0.5:
                values: dict[str, object] = {"replay_of": other.id}
                before[run.id].add(other.id)
            else:
                values = {"merged_into": other.id, "status": "cancelled"}
                values["finished_at"] = run.created_at
                before[other.id].add(run.id)
            await session.execute(update(Run).where(Run.id == run.id).values(**values))
    for run in runs:
        reached, frontier = {run.id}, [run.id]
        while frontier:
            new = before[frontier.pop()] - reached
            reached |= new
            frontier += new
        wanted = {f"k{number}" for number, other in enumerate(runs) if other.id in reached}
        async with place.service.sessions() as session:
            held = await starters(session, await place.run(run.id))
            assert {holder.name for holder in held} == wanted


async def chain(place: Workplace, length: int) -> list[Run]:
    """Finished runs, each but the first a replay of the one before."""
    first = await place.advance(await place.start(E42))
    columns = {column.key for column in Run.__mapper__.column_attrs} - {"seq"}
    values = {key: getattr(first, key) for key in columns}
    runs = [first]
    async with place.service.sessions.begin() as session:
        for _ in range(length):
            values |= {"id": uuid7(), "thread_id": uuid7(), "replay_of": runs[-1].id}
            runs.append(Run(**values))
        session.add_all(runs[1:])
    return [await place.run(run.id) for run in runs]


async def test_chain_of_replays_has_an_end(place: Workplace) -> None:
    """So many replays stand on each other and no more: a decision looks at every one of them."""
    runs = await chain(place, replays.MAX_REPLAYED)
    async with place.service.sessions() as session:
        assert list(await replayed(session, runs[-1])) == [run.id for run in runs[-2::-1]]
    new = NewReplay(runs[-1].id, "1f", {}, dry_run=True, idempotency_key=None)
    for run, why in ((runs[-1], "replays before it"), (runs[-2], "one of the run's steps")):
        async with place.service.sessions.begin() as session:
            with pytest.raises(InvalidRequestError, match=why):
                await replays.replay(
                    session,
                    enqueue_run,
                    place.tenant.id,
                    place.starter,
                    replace(new, run_id=run.id),
                )
