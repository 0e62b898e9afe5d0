"""What a run remembers on Postgres: its own customer's words, and their other tickets."""

from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from tests.integration.shop import Shop


async def test_window_holds_what_this_customer_read_and_wrote(shop: Shop) -> None:
    """Not the message itself, nothing internal, and no word of another customer on the ticket."""
    await shop.exchange("first")
    await shop.exchange("of another person", customer="cus_b")
    hidden = await shop.ask("second")
    await shop.answer(hidden, "for colleagues only", public=False)
    known = await shop.load_memory(await shop.ask("third"))
    assert [turn["text"] for turn in known["window"]] == ["first", "Re: first", "second"]
    assert known["summary"] == ""
    assert known["tickets"] == []


async def test_reply_stands_after_its_question(shop: Shop) -> None:
    """Also when the next message came before the reply; and the next message is not yet known."""
    first = await shop.ask("first")
    wanted = {"id": "T-1", "subject": "s", "body": "second", "customer": {"id": "cus_a"}}
    key_id = shop.tenant.starter.split("_")[1]
    async with shop.sessions.begin() as session:
        second = await start_and_cancel.start(
            session, shop.tenant.id, key_id, NewRun(wanted, None, {})
        )
    assert (await shop.load_memory(first))["window"] == []
    await shop.answer(first, "Re: first")
    known = await shop.load_memory(second)
    assert [turn["text"] for turn in known["window"]] == ["first", "Re: first"]


async def test_last_three_other_tickets_with_what_was_promised(shop: Shop) -> None:
    """The newest three of this customer: outcome, effects in words, and who took over."""
    for number in range(5):
        await shop.exchange("hi", ticket=f"T-old-{number}")
    await shop.exchange("hi", customer="cus_b", ticket="T-theirs")
    paid = await shop.ask("refund", ticket="T-paid")
    async with shop.sessions.begin() as session:
        session.add(refund(paid, "pay_1", 4900))
        session.add(part_handed_over(paid))
    await shop.answer(paid, "done", handoff={"agent": {"id": "ag", "name": "Mia"}})
    known = await shop.load_memory(await shop.ask("now"))
    assert [past["ticket_id"] for past in known["tickets"]] == ["T-paid", "T-old-4", "T-old-3"]
    newest = known["tickets"][0]
    expected = ["refunded 49.00 USD on pay_1", "waits in the queue for a person"]
    assert sorted(newest["promised"]) == ["handed to Mia", *expected]
    assert (newest["subject"], newest["outcome"]) == ("About T-paid", "answered")


def refund(run: Run, payment: str, amount_minor: int) -> LedgerEntry:
    """A refund that was made."""
    args = {"payment_id": payment, "amount_minor": amount_minor, "currency": "USD"}
    return LedgerEntry(
        tenant_id=run.tenant_id, key=f"refund:{payment}:{run.id}", run_id=run.id,
        customer_id=run.customer_id, tool="refund_payment", args=args,
        amount_minor=amount_minor, currency="USD", status="done", result=args,
    )  # fmt: skip


def part_handed_over(run: Run) -> LedgerEntry:
    """A hand-off that a plan held, for which no person is there yet."""
    return LedgerEntry(
        tenant_id=run.tenant_id, key=f"handoff:{run.id}:technical", run_id=run.id,
        customer_id=run.customer_id, tool="create_handoff", step_id="handoff-technical",
        args={}, status="done", result={"agent": None},
    )  # fmt: skip
