"""Use case: the provider says what became of a refund, days later perhaps.

One that failed after all was promised to the customer, so a person gets the ticket again.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.hooks import Event
from app.db.connections.deliveries import get_run
from app.db.effects.ledger import get_entry, set_result
from app.db.tables.connections import Connection
from app.services.connections.for_person import open_for_person
from tools.errors import UnavailableError
from tools.money import format_money

# What a refund that the customer will not get ends as.
NOT_PAID = ("failed", "canceled")
KNOWN = ("succeeded", "pending", "requires_action", *NOT_PAID)


async def note_refund(session: AsyncSession, row: Connection, event: Event) -> str:
    """Write the status on the ledger's row; a refund that failed opens a hand-off, once.

    Answers in a few words how it ended. Raises UnavailableError: ask again later.
    """
    status = event.why or ""
    if event.key is None or status not in KNOWN:
        return "no refund of ours, or a status that we do not know"
    entry = await get_entry(session, row.tenant_id, event.key)
    if entry is not None and entry.status == "started":
        # The provider is quicker than the answer to our own call.
        raise UnavailableError("the refund's own call has not ended yet")
    if entry is None or entry.result is None or entry.result.get("id") != event.refund_id:
        return "no refund of ours"
    await set_result(session, row.tenant_id, event.key, {**entry.result, "status": status})
    if status not in NOT_PAID:
        return f"the refund {status.replace('_', ' ')}"
    run = await get_run(session, row.tenant_id, entry.run_id)
    assert run is not None, "the ledger refers to it"
    amount = format_money(entry.amount_minor or 0, entry.currency or "")
    summary = (
        f"The refund of {amount} on payment {entry.args.get('payment_id')} {status} at the"
        f" payment provider after the customer had read of it ({event.refund_id}).\n"
        "Nothing was said to the customer since: please write to them, and refund another way."
    )
    await open_for_person(session, row.tenant_id, run.ticket_id, f"{run.id}", summary, "billing")
    return "a person gets the ticket"


async def give_up_refund(session: AsyncSession, tenant_id: str, event: Event) -> None:
    """The provider speaks of a refund whose own call has not ended for a day: a person looks."""
    entry = await get_entry(session, tenant_id, event.key or "")
    run = await get_run(session, tenant_id, entry.run_id) if entry else None
    if entry is None or run is None:
        return
    amount = format_money(entry.amount_minor or 0, entry.currency or "")
    summary = (
        f"The payment provider says that the refund {event.refund_id} is {event.why}. Our own call"
        f" for {amount} on payment {entry.args.get('payment_id')} has not ended since, so its"
        " outcome here is unknown: please compare the two."
    )
    await open_for_person(session, tenant_id, run.ticket_id, f"{run.id}", summary, "billing")
