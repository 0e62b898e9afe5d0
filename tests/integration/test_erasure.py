"""An erased customer leaves no word behind, and keeps the allowance that they used up."""

import asyncio
import secrets
from dataclasses import replace
from string import ascii_lowercase
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from sqlalchemy import delete, select, text

from app.db.core.connections import Sessions, open_saver_pool
from app.db.effects.ledger import refunded_24h
from app.db.runs.queue import enqueue_run
from app.db.runs.steps import steps_of_run
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.conversations import Erasure
from app.db.tables.mailings import Contact, MailRecipient
from app.db.tables.runs import Rate, Run
from app.errors import CustomerHasLiveRunsError
from app.execution.wiring import Service
from app.models.offline.chat_model import OfflineChatModel
from app.services.conversations import erase_customer
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from app.worker.run_runner import RunRunner
from graphs.context import Models
from graphs.llm.pool import open_pool
from tests.conftest import Tenant
from tests.doubles.openai_double import first_sentence
from tests.fakes import ScriptedModel
from tests.integration.conftest import Begin
from tests.unit.desk import article, claimed

WORKER = 79
WORD, ID = "quuxplugh", "cus_quuxplugh"
# What answers "How do I fix upload error E42?", and then "How do I export my data?"
ARTICLES = ("upload-error-e42", "export-data")
# Jobs name runs only; the sandbox's books belong to the payment provider.
OUTSIDE = ("sandbox_payments", "sandbox_refunds")


@pytest.fixture
def runner(service: Service) -> RunRunner:
    """A worker without a queue, whose model answers in the order in which the tests ask."""
    first = [claimed(first_sentence(article(id_)["text"]), id_) for id_ in ARTICLES]
    model = ScriptedModel(script={"Reply": [*first]})
    models = open_pool(Models(model, model, OfflineChatModel()))
    worker = RunRunner(replace(service, models=models), enqueue_run, id=WORKER)
    worker.alive.set()
    return worker


async def tell(
    runner: RunRunner, tenant: Tenant, body: str, ticket: str = "T-1", word: str = WORD
) -> Run:
    """A customer's message, handled as far as it goes; `word` is in all that they send."""
    who = {"id": f"cus_{word}", "name": word, "email": f"{word}@mail.test"}
    wanted = {"id": ticket, "subject": word, "body": f"{body} {word}", "customer": who}
    new = NewRun(wanted, f"{word}-{ticket}-{len(body)}", {"note": word})
    key_id = tenant.starter.split("_")[1]
    async with runner.service.sessions.begin() as session:
        run = await start_and_cancel.start(session, tenant.id, key_id, new)
    await runner.advance(run.id)
    async with runner.service.sessions() as session:
        return await start_and_cancel.get(session, tenant.id, run.id)


async def erase(sessions: Sessions, tenant: Tenant, customer: str = ID) -> Erasure:
    """Erase, and commit."""
    async with sessions.begin() as session:
        return await erase_customer.erase(session, tenant.id, customer, "test")


def tables_with(url: str, word: str) -> list[str]:
    """Every table with a row that holds the word, as text or inside its bytes."""
    with psycopg.connect(url) as connection:
        tables = [
            name
            for [name] in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
            if name not in OUTSIDE
        ]
        return [
            table
            for table in tables
            # A row as text shows bytes in hex.
            for [hits] in connection.execute(
                f"SELECT count(*) FROM {table} t WHERE position(%s in t::text) > 0 "  # noqa: S608  # names of tables
                "OR position(encode(%s, 'hex') in t::text) > 0",
                [word, word.encode()],
            ).fetchall()
            if hits
        ]


async def test_no_word_is_left_in_any_table(
    runner: RunRunner, sessions: Sessions, tenant: Tenant, database_url: str
) -> None:
    """Neither name nor mail nor words nor id, wherever the workflow had put them."""
    word = "".join(secrets.choice(ascii_lowercase) for _ in range(12))
    answered = await tell(runner, tenant, "How do I fix upload error E42?", word=word)
    handed = await tell(runner, tenant, "I want to speak to a human, now!", "T-2", word=word)
    assert [answered.outcome, handed.outcome] == ["answered", "escalated"]
    holding = {"runs", "messages", "steps", "handoffs", "checkpoint_blobs", "ledger"}
    assert holding <= set(tables_with(database_url, word))
    note = await erase(sessions, tenant, f"cus_{word}")
    assert tables_with(database_url, word) == []
    assert note.counts["runs"] == 2
    assert note.counts["messages"] == 4
    assert note.counts["checkpoints"] > 0
    assert note.pseudonym.startswith("erased ")


async def test_shells_keep_what_statistics_need(
    runner: RunRunner, sessions: Sessions, tenant: Tenant
) -> None:
    """Status, outcome and times of the run stay, and the ledger still stands on it."""
    run = await tell(runner, tenant, "How do I fix upload error E42?")
    note = await erase(sessions, tenant)
    async with sessions() as session:
        shell = await start_and_cancel.get(session, tenant.id, run.id)
        rows = list(await session.scalars(select(LedgerEntry).filter_by(run_id=run.id)))
    assert (shell.status, shell.outcome, shell.finished_at) == (
        "success",
        "answered",
        run.finished_at,
    )
    assert shell.customer_id == note.pseudonym
    assert [row.key for row in rows] == [f"reply:{run.id}"]
    assert [(row.args, row.result) for row in rows] == [({}, {})]


async def test_erased_customer_gets_no_fresh_allowance(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """What they got back in 24 hours counts when the same id comes again; no other's does."""
    caller = await begin(ID, status="success", finished_at=text("now()"))
    args = {"payment_id": "pay_1", "amount_minor": 4900, "currency": "USD", "reason": WORD}
    async with sessions.begin() as session:
        session.add(
            LedgerEntry(
                tenant_id=tenant.id, key="refund:pay_1:4900:USD:T-1", run_id=caller.run_id,
                customer_id=ID, tool="refund_payment", args=args, amount_minor=4900,
                currency="USD", status="done", result={"id": "re_1"},
            )
        )  # fmt: skip
    note = await erase(sessions, tenant)
    async with sessions() as session:
        assert await refunded_24h(session, tenant.id, ID) == {"USD": 4900}
        assert await refunded_24h(session, tenant.id, "cus_other") == {}
        [row] = list(await session.scalars(select(LedgerEntry).filter_by(tenant_id=tenant.id)))
    assert row.customer_id == note.pseudonym
    assert row.args == {"payment_id": "pay_1", "amount_minor": 4900, "currency": "USD"}
    assert (row.key, row.amount_minor) == ("refund:pay_1:4900:USD:T-1", 4900)
    assert row.result == {"id": "re_1"}


@pytest.mark.parametrize("customer", [ID, "cus_helper"])
async def test_live_run_is_not_erased(
    sessions: Sessions, begin: Begin, tenant: Tenant, customer: str
) -> None:
    """Neither the customer's own, nor another's on their ticket: they share its checkpoints."""
    await begin(ID, status="success", finished_at=text("now()"))
    live = await begin(customer)
    with pytest.raises(CustomerHasLiveRunsError) as refused:
        await erase(sessions, tenant)
    assert refused.value.extra["run_ids"] == [str(live.run_id)]
    async with sessions() as session:
        run = await start_and_cancel.get(session, tenant.id, live.run_id)
    assert run.ticket["body"] == "b"


async def test_erasing_twice_finds_nothing(
    runner: RunRunner, sessions: Sessions, tenant: Tenant
) -> None:
    """The second time, and for an unknown customer, all counts are zero; each is noted."""
    await tell(runner, tenant, "How do I fix upload error E42?")
    first = await erase(sessions, tenant)
    again = await erase(sessions, tenant)
    unknown = await erase(sessions, tenant, "cus_unknown")
    assert first.pseudonym == again.pseudonym != unknown.pseudonym
    for note in (again, unknown):
        assert set(note.counts.values()) == {0}
    async with sessions() as session:
        notes = await session.scalars(select(Erasure).filter_by(tenant_id=tenant.id))
        assert len(list(notes)) == 3


async def test_next_message_starts_afresh(
    runner: RunRunner, sessions: Sessions, tenant: Tenant, database_url: str
) -> None:
    """On the same ticket, after the erasure: nothing is remembered, and it is answered."""
    await tell(runner, tenant, "How do I fix upload error E42?")
    await erase(sessions, tenant)
    run = await tell(runner, tenant, "How do I export my data?")
    assert run.outcome == "answered"
    async with open_saver_pool(database_url, 1) as pool:
        config: Any = {"configurable": {"thread_id": str(run.thread_id)}}
        newest = await AsyncPostgresSaver(pool).aget_tuple(config)
    assert newest is not None
    assert newest.checkpoint["channel_values"]["memory"] == {
        "window": [], "summary": "", "tickets": [],
    }  # fmt: skip


async def test_run_that_begins_meanwhile_waits_for_the_erasure(
    runner: RunRunner, sessions: Sessions, tenant: Tenant
) -> None:
    """It reads nothing of what is being erased, and its own message is not touched."""
    await tell(runner, tenant, "How do I fix upload error E42?")
    async with sessions.begin() as session:
        # Else the next message would already wait at its rate's row, which the erasure removes.
        await session.execute(delete(Rate).where(Rate.tenant_id == tenant.id))
    async with sessions() as session:
        await erase_customer.erase(session, tenant.id, ID, "test")
        meanwhile = asyncio.create_task(tell(runner, tenant, "How do I export my data?"))
        waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        async with sessions() as watching:
            while not await watching.scalar(waits):  # noqa: ASYNC110  # Postgres tells no event
                await asyncio.sleep(0.01)
        await session.commit()
    run = await meanwhile
    assert run.outcome == "answered"
    async with sessions() as session:
        steps = await steps_of_run(session, tenant.id, run.id)
    assert steps
    assert all("E42" not in str((step.input or {})["memory"]) for step in steps)


async def test_contact_of_the_same_id_is_gone(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """From the contacts and from the lists of mailings: a mail that waits is not sent."""
    caller = await begin("cus_sender")
    async with sessions.begin() as session:
        session.add(
            LedgerEntry(
                tenant_id=tenant.id, key="mail:1", run_id=caller.run_id, customer_id="cus_sender",
                tool="send_bulk_mail", args={}, status="started",
            )
        )  # fmt: skip
        person = {"email": f"{WORD}@mail.test", "name": WORD}
        session.add(Contact(tenant_id=tenant.id, id=ID, segments=[], **person))
        await session.flush()
        row = {"tenant_id": tenant.id, "key": "mail:1", "run_id": caller.run_id, **person}
        session.add(MailRecipient(contact_id=ID, **row))
        session.add(MailRecipient(contact_id="cus_other", **row))
    note = await erase(sessions, tenant)
    async with sessions() as session:
        assert await session.get(Contact, (tenant.id, ID)) is None
        people = await session.scalars(select(MailRecipient).filter_by(tenant_id=tenant.id))
        known = {person.contact_id: (person.status, person.email) for person in people}
    assert known == {
        note.pseudonym: ("skipped", ""),
        "cus_other": ("waiting", f"{WORD}@mail.test"),
    }


async def test_two_erasures_at_once_are_one_after_the_other(
    runner: RunRunner, sessions: Sessions, tenant: Tenant
) -> None:
    """What the first erased, the second does not find."""
    await tell(runner, tenant, "How do I fix upload error E42?")
    notes = await asyncio.gather(erase(sessions, tenant), erase(sessions, tenant))
    assert sorted(note.counts["runs"] for note in notes) == [0, 1]
