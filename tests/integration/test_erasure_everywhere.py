"""Whatever a caller sends about a customer is in no column of any table once they are erased."""

import secrets
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import select, text

from app.adapters.webhooks.delivery import Receipt
from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from app.db.effects.approvals import approvals_of_runs
from app.db.runs.queue import enqueue_run
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey
from app.db.tables.webhooks import Callback, DisabledUrl
from app.db.webhooks import queries as webhook_queries
from app.errors import NotFoundError
from app.execution.wiring import Service
from app.services.approvals import decide as approvals
from app.services.approvals.decide import GivenAnswer, Verdict
from app.services.conversations import erase_customer
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from app.services.webhooks import outbox
from tests.conftest import Tenant
from tests.integration.workplace import TWICE, Workplace

E42 = "How do I fix upload error E42?"
HUMAN = "I want to speak to a human, now!"
# Kept by what docs/operations.md says of an erasure: ids of tickets.
TICKET_COLUMNS = {
    ("approvals", "ticket_id"), ("handoffs", "ticket_id"), ("runs", "ticket_id"),
    ("runs", "ticket"), ("events", "data"),
}  # fmt: skip
# "The payment provider's own records", which lie outside.
OUTSIDE = "sandbox_"


@dataclass(frozen=True, slots=True)
class Marked:
    """A customer of a tenant whose every input holds a word that stands nowhere else."""

    place: Workplace
    word: str

    @property
    def customer(self) -> str:
        """Their id."""
        return f"cus_{self.word}"

    @property
    def url(self) -> str:
        """Where the helpdesk wants to hear of their runs."""
        return f"https://desk.test/hook?who={self.word}@mail.test"

    async def write(self, body: str, ticket: str) -> Run:
        """A message of theirs, handled as far as it goes."""
        who = {"id": self.customer, "name": self.word, "email": f"{self.word}@mail.test"}
        wanted = {"id": ticket, "subject": self.word, "body": f"{body}. {self.word}"}
        new = NewRun(
            {**wanted, "customer": who}, f"{self.word}-{ticket}", {"note": self.word}, self.url
        )
        place = self.place
        async with place.service.sessions.begin() as session:
            run = await start_and_cancel.start(session, place.tenant.id, place.starter, new)
        return await place.advance(run)

    async def decide(self, run: Run, verdict: Verdict) -> Run:
        """A reviewer answers the run's approval, with the word in the comment."""
        place = self.place
        async with place.service.sessions.begin() as session:
            token = await issue_key(session, place.tenant.id, "Uma", ["approvals:decide"])
            reviewer = await session.get_one(ApiKey, token.split("_")[1])
            approval = (await approvals_of_runs(session, run.tenant_id, [run.id]))[-1]
            answer = GivenAnswer(approval.id, approval.digest, verdict, (), f"for {self.word}")
            await approvals.resume(session, enqueue_run, reviewer, run.id, answer)
        return await place.advance(run)

    async def erase(self) -> dict[str, int]:
        """Erase them; how many rows that changed."""
        async with self.place.service.sessions.begin() as session:
            note = await erase_customer.erase(session, self.place.tenant.id, self.customer, "test")
            return dict(note.counts)


@pytest.fixture
async def marked(service: Service, sessions: Sessions, tenant: Tenant) -> Marked:
    """A customer who was charged twice, under a new word."""
    word = "".join(secrets.choice(ascii_lowercase) for _ in range(12))
    them = Marked(Workplace(service, tenant), word)
    async with sessions.begin() as session:
        for table in ("sandbox_payments", "sandbox_subscriptions"):
            moved = f"UPDATE {table} SET customer_id = :new WHERE tenant_id = :tenant"  # noqa: S608  # names of tables
            of_ann = text(f"{moved} AND customer_id = 'cus_ann'")
            await session.execute(of_ann, {"new": them.customer, "tenant": tenant.id})
    return them


def columns_with(url: str, *needles: str) -> set[tuple[str, str]]:
    """Every column of every table with a row that holds one of them, as text or in its bytes."""
    spellings = [*needles, *(needle.encode().hex() for needle in needles)]
    held = SQL("SELECT EXISTS (SELECT FROM {} AS t WHERE t.{}::text LIKE ANY(%s))")
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        return {
            (table, column)
            for table, column in columns
            if not table.startswith(OUTSIDE)
            for [holds] in connection.execute(
                held.format(Identifier(table), Identifier(column)),
                [[f"%{spelling}%" for spelling in spellings]],
            )
            if holds
        }


async def live(marked: Marked) -> list[Run]:
    """Every way through the workflow that takes something in, each on a ticket of its own."""
    place = marked.place
    answered = await marked.write(E42, f"T-{marked.word}")
    handed = await marked.write(HUMAN, "T-2")
    rejected = await marked.decide(await marked.write(TWICE, "T-3"), "reject")
    advised = await marked.decide(await marked.write(TWICE, "T-4"), "respond")
    async with place.service.sessions.begin() as session:
        await start_and_cancel.cancel(session, enqueue_run, place.tenant.id, advised.id)
    refunded = await marked.decide(await marked.write(TWICE, "T-5"), "approve")
    again = await place.replay(answered, "respond", dry_run=True)
    edited = {"body": f"Another question of {marked.word}"}
    replayed = await place.replay(answered, "classify", dry_run=True, ticket=edited)
    runs = [answered, handed, refunded, rejected, again, replayed, advised]
    return [await place.run(run.id) for run in runs]


async def test_no_column_holds_anything_of_an_erased_customer(
    marked: Marked, sessions: Sessions, database_url: str
) -> None:
    """Words, name, address, ids, metadata, callback URL and reviewers' comments: all are gone."""
    runs = await live(marked)
    assert all(run.finished_at for run in runs)
    tenant_id = marked.place.tenant.id
    async with sessions.begin() as session:
        first = (await session.scalars(select(Callback).filter_by(run_id=runs[0].id))).one()
        failed = Receipt(f"ConnectError: no way to {marked.url}")
        await outbox.conclude(session, first, failed)
        await webhook_queries.disable(session, tenant_id, marked.url)
    before = columns_with(database_url, marked.word)
    assert {
        ("runs", "callback_url"), ("callbacks", "url"), ("callbacks", "last_error"),
        ("disabled_urls", "url"), ("runs", "metadata"), ("runs", "ticket"), ("runs", "summary"),
        ("runs", "idempotency_key"), ("runs", "replay_from"), ("messages", "text"),
        ("steps", "input"), ("steps", "output"), ("approvals", "decision"),
        ("decisions", "comment"), ("handoffs", "summary"), ("ledger", "args"),
        ("checkpoint_blobs", "blob"),
    } <= before  # fmt: skip

    counts = await marked.erase()
    assert columns_with(database_url, marked.word) <= TICKET_COLUMNS
    assert columns_with(database_url, marked.customer, f"{marked.word}@") == set()
    assert counts["callbacks"] >= len(runs) - 2, "a dry run sends no callback"
    assert counts["disabled_urls"] == 1


async def test_sandbox_keeps_no_reason_of_an_erased_customer(
    marked: Marked, sessions: Sessions, database_url: str
) -> None:
    """Its books keep what was moved; a reason is words, and may be the customer's own."""
    await marked.decide(await marked.write(TWICE, "T-1"), "approve")
    remember = text("UPDATE sandbox_refunds SET reason = :word WHERE tenant_id = :tenant")
    ended = text(
        "INSERT INTO sandbox_cancellations SELECT tenant_id, 'key', 'can_1', id, :word"
        " FROM sandbox_subscriptions WHERE tenant_id = :tenant AND customer_id = :customer LIMIT 1"
    )
    values = {"tenant": marked.place.tenant.id, "customer": marked.customer, "word": marked.word}
    async with sessions.begin() as session:
        for statement in (remember, ended):
            await session.execute(statement, values)
    counts = await marked.erase()
    assert (counts["sandbox_refunds"], counts["sandbox_cancellations"]) == (1, 1)
    with psycopg.connect(database_url) as connection:
        for table in ("sandbox_refunds", "sandbox_cancellations"):
            query = SQL("SELECT reason FROM {} WHERE tenant_id = %s").format(Identifier(table))
            assert connection.execute(query, [marked.place.tenant.id]).fetchall() == [("",)]


async def test_delivery_that_waits_is_not_made_after_an_erasure(
    marked: Marked, sessions: Sessions
) -> None:
    """It is gone with its URL, also one that is on its way: it cannot be asked for again."""
    await marked.write(E42, "T-1")
    async with sessions.begin() as session:
        [waiting] = await session.scalars(
            select(Callback).filter_by(tenant_id=marked.place.tenant.id)
        )
    assert waiting.status == "pending"
    await marked.erase()
    async with sessions.begin() as session:
        assert await outbox.conclude(session, waiting, Receipt()) is None
        with pytest.raises(NotFoundError):
            await outbox.resend(session, waiting.tenant_id, waiting.id)


async def test_url_of_other_customers_stays_disabled(marked: Marked, sessions: Sessions) -> None:
    """One that the helpdesk uses for all of them says nothing about the one who was erased."""
    run = await marked.write(E42, "T-1")
    other = await marked.place.start(E42, "cus_other", "T-2")
    values: Any = {"url": marked.url, "run": other.id}
    async with sessions.begin() as session:
        await session.execute(text("UPDATE runs SET callback_url = :url WHERE id = :run"), values)
        await webhook_queries.disable(session, run.tenant_id, marked.url)
    counts = await marked.erase()
    assert counts["disabled_urls"] == 0
    async with sessions() as session:
        assert await session.get(DisabledUrl, (run.tenant_id, marked.url)) is not None
        kept = await session.get_one(Run, other.id)
    assert kept.callback_url == marked.url
