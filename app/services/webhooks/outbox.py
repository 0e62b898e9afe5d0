"""Use cases of callbacks: note an event, end an attempt, send again. They never commit.

An event is noted in the transaction that makes it true, so neither is there without the other.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.adapters.webhooks.delivery import Receipt
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.db.tables.webhooks import Callback
from app.db.webhooks import queries as webhook_queries
from app.db.webhooks.endpoints import wanting
from app.errors import NotFoundError
from app.lifecycle import RunStatus
from app.services.webhooks.signing_secrets import ensure_secret

# Waits after each failed try; after the last of them a callback is dead.
# Source: Standard Webhooks 1.0.0, "Deliverability and reliability".
WAITS_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.1
MAX_RETRY_AFTER_SECONDS = 86_400


async def note_paused(session: AsyncSession, run: Run, approval_id: UUID) -> None:
    """Note `run.interrupted`: the run waits for a decision."""
    links = {"approval": f"/v1/approvals/{approval_id}"}
    payload = {"status": RunStatus.INTERRUPTED, "approval_id": str(approval_id)}
    await _note(session, run, "run.interrupted", payload, links)


async def note_finished(
    session: AsyncSession,
    run: Run,
    status: RunStatus,
    outcome: str | None = None,
    merged_into: UUID | None = None,
) -> None:
    """Note `run.finished`, whatever the end; `merged_into` answers a message instead."""
    links = {"merged_into": f"/v1/runs/{merged_into}"} if merged_into else {}
    payload = {
        "status": status,
        "outcome": outcome,
        "merged_into": str(merged_into) if merged_into else None,
    }
    await _note(session, run, "run.finished", payload, links)


async def note_approval(session: AsyncSession, run: Run, approval: Approval, what: str) -> None:
    """Note `approval.reminder` or `approval.expired`."""
    payload = {
        "status": run.status,
        "approval_id": str(approval.id),
        "kind": approval.kind,
        "expires_at": approval.expires_at.isoformat(),
    }
    links = {"approval": f"/v1/approvals/{approval.id}"}
    await _note(session, run, f"approval.{what}", payload, links)


async def _note(
    session: AsyncSession, run: Run, event: str, payload: dict[str, Any], links: dict[str, str]
) -> None:
    """Put one event into the outbox, for the run's own URL and the endpoints that chose it.

    The caller holds the run's lock, which numbers them.
    """
    targets: list[tuple[UUID | None, str]] = [
        (endpoint.id, endpoint.url) for endpoint in await wanting(session, run.tenant_id, event)
    ]
    if run.callback_url is not None:
        targets.append((None, run.callback_url))
    if not targets:
        return
    await ensure_secret(session, run.tenant_id)
    number = await webhook_queries.next_number(session, run.id)
    data = {
        "run_id": str(run.id),
        "ticket_id": run.ticket_id,
        "sequence": number,
        **payload,
        "links": {"run": f"/v1/runs/{run.id}", **links},
    }
    body = {"type": event, "timestamp": datetime.now(UTC).isoformat(), "data": data}
    for endpoint_id, url in targets:
        disabled = await webhook_queries.is_disabled(session, run.tenant_id, url)
        session.add(
            Callback(
                id=uuid7(),
                tenant_id=run.tenant_id,
                run_id=run.id,
                endpoint_id=endpoint_id,
                number=number,
                event=event,
                url=url,
                body=json.dumps(body),
                status="disabled" if disabled else "pending",
            )
        )
    await session.flush()


def wait_seconds(tries: int, retry_after_seconds: float) -> float | None:
    """Seconds until the next try after `tries` failed ones; None when that was the last.

    The schedule's wait, 10 % more or less, so that what failed together does not come back
    together; longer when the receiver asks for it, up to a day.
    """
    if tries > len(WAITS_SECONDS):
        return None
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311, not a secret
    asked = min(retry_after_seconds, MAX_RETRY_AFTER_SECONDS)
    return max(WAITS_SECONDS[tries - 1] * spread, asked)


async def conclude(session: AsyncSession, callback: Callback, answer: Receipt) -> str | None:
    """Write down how a claimed attempt ended; the new status, or None when it was overtaken."""
    values: dict[str, Any] = {"last_error": answer.error}
    wait = wait_seconds(callback.tries, answer.retry_after_seconds)
    if answer.error is None:
        values |= {"status": "delivered", "delivered_at": func.now()}
    elif answer.gone:
        values |= {"status": "disabled"}
    elif wait is None:
        values |= {"status": "dead"}
    else:
        values |= {"next_at": func.now() + timedelta(seconds=wait)}
    if answer.gone:
        await webhook_queries.hold_url(session, callback.tenant_id, callback.url)
    if not await webhook_queries.conclude(session, callback, **values):
        return None
    if answer.gone:
        await webhook_queries.disable(session, callback.tenant_id, callback.url)
    return str(values.get("status", "pending"))


async def resend(session: AsyncSession, tenant_id: str, callback_id: UUID) -> Callback:
    """Send a callback again from the start of the schedule, under its own id, also to a URL that
    was disabled. One that is pending stays as it is.

    Raises:
        NotFoundError.
    """
    callback = await webhook_queries.get_callback(session, tenant_id, callback_id)
    if callback is None:
        raise NotFoundError(f"There is no callback {callback_id}.")
    if callback.status != "pending":
        await webhook_queries.enable(session, tenant_id, callback.url)
        callback.status, callback.tries, callback.delivered_at = "pending", 0, None
        callback.next_at = func.now()
        await session.flush()
        await session.refresh(callback)
    return callback
