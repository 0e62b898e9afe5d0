"""Statements that erase a customer, table by table. Every statement names the tenant.

A new table with personal data of customers gets its statement here.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.runs import Run
from app.db.tables.webhooks import Callback
from app.db.webhooks.queries import hold_url

# In order; each counts its rows under its name. A run stays as an empty shell: statistics and the
# ledger's foreign keys stand on it. Amounts, currencies and keys of the ledger stay: they prevent
# a second refund, and the law wants them.
STATEMENTS = {
    "messages": "DELETE FROM messages WHERE tenant_id = :tenant AND run_id = ANY(:runs)",
    "feedback": """
        UPDATE feedback SET comment = '' WHERE tenant_id = :tenant AND run_id = ANY(:runs)""",
    "summaries": """
        DELETE FROM thread_summaries WHERE tenant_id = :tenant AND customer_id = :customer""",
    "steps": """
        UPDATE steps SET input = NULL, output = NULL,
            error = error - 'message' || '{"message": "Erased."}'
        WHERE tenant_id = :tenant AND run_id = ANY(:runs)""",
    "approvals": """
        UPDATE approvals SET steps = '[]', gate = '[]', changed = '[]',
            decision = CASE WHEN decision IS NOT NULL THEN jsonb_build_object(
                'approval_id', decision -> 'approval_id', 'verdict', decision -> 'verdict',
                'decided_by', decision -> 'decided_by', 'deciders', decision -> 'deciders',
                'steps', '[]'::jsonb, 'comment', '') END
        WHERE tenant_id = :tenant AND run_id = ANY(:runs)""",
    "decisions": """
        UPDATE decisions SET comment = '' WHERE tenant_id = :tenant AND approval_id IN
            (SELECT id FROM approvals WHERE tenant_id = :tenant AND run_id = ANY(:runs))""",
    "handoffs": """
        UPDATE handoffs SET summary = '', suggestion = NULL, articles = '[]', questions = '[]',
             status = 'closed', closed_at = coalesce(handoffs.closed_at, now()) FROM runs
        WHERE handoffs.tenant_id = :tenant AND runs.tenant_id = :tenant AND runs.id = ANY(:runs)
            AND handoffs.ticket_id = runs.ticket_id
            AND split_part(handoffs.key, ':', 2) = CAST(runs.id AS text)""",
    # A person who had the ticket has nothing of it any more; the next message is a new one.
    "takeovers": """
        DELETE FROM takeovers WHERE tenant_id = :tenant AND ticket_id IN
            (SELECT ticket_id FROM runs WHERE tenant_id = :tenant AND id = ANY(:runs))""",
    "ledger": """
        UPDATE ledger SET customer_id = :pseudonym,
            args = CASE WHEN amount_minor IS NULL THEN '{}' ELSE args - 'reason' END,
            result = CASE WHEN amount_minor IS NULL AND status = 'done' THEN '{}' ELSE result END,
            error = CASE WHEN error IS NOT NULL THEN 'Erased.' END
        WHERE tenant_id = :tenant AND customer_id = :customer""",
    # What the sandbox's provider was given as the reason; a real provider keeps its own records.
    "sandbox_refunds": """
        UPDATE sandbox_refunds SET reason = '' WHERE tenant_id = :tenant AND payment_id IN
            (SELECT id FROM sandbox_payments
                WHERE tenant_id = :tenant AND customer_id = :customer)""",
    "sandbox_cancellations": """
        UPDATE sandbox_cancellations SET reason = '' WHERE tenant_id = :tenant
            AND subscription_id IN (SELECT id FROM sandbox_subscriptions
                WHERE tenant_id = :tenant AND customer_id = :customer)""",
    # Cached replies hold no name, but their digests identify the first customers who asked.
    "answers": """
        DELETE FROM answers WHERE tenant_id = :tenant AND
            sha256(convert_to(CAST(:tenant AS text) || chr(31) || CAST(:customer AS text), 'UTF8'))
                = ANY(customers)""",
    "rates": "DELETE FROM rates WHERE tenant_id = :tenant AND scope = 'customer:' || :customer",
    "contacts": "DELETE FROM contacts WHERE tenant_id = :tenant AND id = :customer",
    # A waiting mail is not sent. The outcome of one that is on its way stays unknown, and such a
    # mail is not sent again.
    "mail_recipients": """
        UPDATE mail_recipients SET contact_id = :pseudonym, email = '', name = '', detail = NULL,
            status = CASE status WHEN 'waiting' THEN 'skipped' WHEN 'started' THEN 'unknown'
                ELSE status END
        WHERE tenant_id = :tenant AND contact_id = :customer""",
    # A URL may hold an address, and so may a delivery's error. Waiting deliveries are not made.
    "callbacks": "DELETE FROM callbacks WHERE tenant_id = :tenant AND run_id = ANY(:runs)",
    # Unless the helpdesk uses the URL for others as well.
    "disabled_urls": """
        DELETE FROM disabled_urls WHERE tenant_id = :tenant
            AND url IN (SELECT callback_url FROM runs
                WHERE tenant_id = :tenant AND id = ANY(:runs))
            AND NOT EXISTS (SELECT FROM runs AS other WHERE other.tenant_id = :tenant
                AND other.callback_url = disabled_urls.url AND other.id <> ALL(:runs))
            AND NOT EXISTS (SELECT FROM webhook_endpoints AS own
                WHERE own.tenant_id = :tenant AND own.url = disabled_urls.url)""",
    "checkpoint_writes": "DELETE FROM checkpoint_writes WHERE thread_id = ANY(:threads)",
    "checkpoint_blobs": "DELETE FROM checkpoint_blobs WHERE thread_id = ANY(:threads)",
    "checkpoints": "DELETE FROM checkpoints WHERE thread_id = ANY(:threads)",
    # The Idempotency-Key and the digest of the request could reveal what was asked.
    "runs": """
        UPDATE runs SET customer_id = :pseudonym, summary = '{}', metadata = '{}',
            ticket = jsonb_build_object('id', ticket_id, 'subject', '', 'body', '',
                'customer', jsonb_build_object('id', CAST(:pseudonym AS text))),
            error = error - 'message' || '{"message": "Erased."}',
            idempotency_key = NULL, request_sha256 = '', replay_from = NULL, callback_url = NULL
        WHERE tenant_id = :tenant AND id = ANY(:runs)""",
}


async def live_runs(session: AsyncSession, tenant_id: str, customer_id: str) -> list[UUID]:
    """Unfinished runs of the customer, and of others on the same tickets: they share threads."""
    threads = select(Run.thread_id).where(
        Run.tenant_id == tenant_id, Run.customer_id == customer_id
    )
    query = (
        select(Run.id)
        .where(Run.tenant_id == tenant_id, Run.thread_id.in_(threads), Run.finished_at.is_(None))
        .order_by(Run.id)
    )
    return list(await session.scalars(query))


async def finished_runs(
    session: AsyncSession, tenant_id: str, customer_id: str
) -> list[Row[UUID, UUID, UUID | None]]:
    """Id, thread and trace of the customer's finished runs, locked."""
    query = (
        select(Run.id, Run.thread_id, Run.trace_id)
        .where(
            Run.tenant_id == tenant_id,
            Run.customer_id == customer_id,
            Run.finished_at.is_not(None),
        )
        .with_for_update()
    )
    return list(await session.execute(query))


async def hold_urls(session: AsyncSession, tenant_id: str, runs: list[UUID]) -> None:
    """Let no delivery disable a URL of these runs until the transaction ends.

    It locks callbacks of several runs, as the erasure does: one would be a deadlock's victim.
    """
    own = select(Run.callback_url).where(Run.tenant_id == tenant_id, Run.id.in_(runs))
    sent = select(Callback.url).where(Callback.tenant_id == tenant_id, Callback.run_id.in_(runs))
    for url in sorted(filter(None, await session.scalars(own.union(sent)))):
        await hold_url(session, tenant_id, url)


async def erase_rows(session: AsyncSession, **values: Any) -> dict[str, int]:
    """Carry out every statement; how many rows each changed."""
    counts = {}
    for name, statement in STATEMENTS.items():
        result: Any = await session.execute(text(statement), values)
        counts[name] = int(result.rowcount)
    return counts
