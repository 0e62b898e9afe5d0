"""Use case: erase a customer, in the one transaction that the caller commits."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.conversations import erasure
from app.db.conversations.history import hold_customer
from app.db.effects.pseudonyms import pseudonym_for
from app.db.tables.conversations import Erasure
from app.errors import CustomerHasLiveRunsError

# How many run ids a refusal names.
NAMED_RUNS = 20


async def erase(session: AsyncSession, tenant_id: str, customer_id: str, erased_by: str) -> Erasure:
    """Erase what the customer wrote and who they are; keep what was done, under a pseudonym.

    A second call, or one for an unknown customer, finds nothing. Runs that begin meanwhile wait
    for the lock before they read what was said before, so they start afresh.

    Raises:
        CustomerHasLiveRunsError: nothing was erased.
    """
    await hold_customer(session, tenant_id, customer_id)
    if live := await erasure.live_runs(session, tenant_id, customer_id):
        raise _refusal(live)
    runs = await erasure.finished_runs(session, tenant_id, customer_id)
    await erasure.hold_urls(session, tenant_id, [run_id for run_id, _, _ in runs])
    name = await pseudonym_for(session, tenant_id, customer_id)
    counts = await erasure.erase_rows(
        session,
        tenant=tenant_id,
        customer=customer_id,
        pseudonym=name,
        runs=[run_id for run_id, _, _ in runs],
        threads=sorted({str(thread_id) for _, thread_id, _ in runs}),
    )
    counts["traces_elsewhere"] = sum(trace_id is not None for _, _, trace_id in runs)
    note = Erasure(
        id=uuid7(), tenant_id=tenant_id, pseudonym=name, erased_by=erased_by, counts=counts
    )
    session.add(note)
    await session.flush()
    await session.refresh(note)
    return note


def _refusal(live: list[UUID]) -> CustomerHasLiveRunsError:
    return CustomerHasLiveRunsError(
        f"Runs on the customer's tickets that are not finished: {len(live)}. Decide or cancel them "
        "(POST /v1/runs/{id}/cancel), then erase again.",
        run_ids=[str(run_id) for run_id in live[:NAMED_RUNS]],
    )
