"""Merge messages of a ticket that wait together, so that one run answers them all."""

from typing import Any

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.runs.merging import BLANK_LINE, lock_fitting
from app.db.tables.runs import Run
from app.lifecycle import RunStatus
from app.services.webhooks import outbox
from tools.language_tags import iso_language


async def absorb(session: AsyncSession, run: Run) -> list[str]:
    """Merge the messages that wait behind a live run into it: their texts, oldest first.

    The runs of those messages end as `cancelled` with `merged_into`. They must follow one another
    on the thread, be of the same customer, and never have begun; what the run has read already
    counts for the bounds of 20 messages and 50,000 characters, and what does not fit stays for the
    next run. The run's ticket is from then on the one that they make together.
    The caller holds the row of `run`. Rows locked by another transaction (such as a cancel) are
    skipped, so no deadlock is possible.
    """
    if absorbed := await lock_fitting(session, run):
        ended = {"status": RunStatus.CANCELLED, "merged_into": run.id, "finished_at": func.now()}
        await session.execute(
            update(Run)
            .where(Run.id.in_([waiting.id for waiting in absorbed]))
            .values(ended)
            .execution_options(synchronize_session=False)
        )
        run.ticket = merged([run.ticket, *[waiting.ticket for waiting in absorbed]])
        own = update(Run).where(Run.id == run.id).values(ticket=run.ticket)
        await session.execute(own.execution_options(synchronize_session=False))
    for waiting in absorbed:
        await outbox.note_finished(session, waiting, RunStatus.CANCELLED, merged_into=run.id)
    return [waiting.ticket["body"] for waiting in absorbed]


def merged(tickets: list[dict[str, Any]]) -> dict[str, Any]:
    """One ticket with every text; its language is the first one named, unless two are."""
    named = [ticket["language"] for ticket in tickets if ticket.get("language")]
    one = len({iso_language(tag) for tag in named}) == 1
    body = BLANK_LINE.join(ticket["body"] for ticket in tickets)
    headers = set.intersection(*[set((t.get("headers") or {}).items()) for t in tickets])
    return {
        **tickets[0],
        "body": body,
        # What makes one message automatic says nothing about the others.
        **({"headers": dict(sorted(headers))} if "headers" in tickets[0] else {}),
        "language": named[0] if one else None,
    }
