"""Merge messages of a ticket that wait together, so that one run answers them all."""

from itertools import accumulate
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
    The caller holds the row of `run`. It ends before the first row that another transaction (such
    as a cancel) has locked, instead of waiting, so no deadlock is possible.
    """
    if absorbed := await lock_fitting(session, run):
        ended = {"status": RunStatus.CANCELLED, "merged_into": run.id}
        ended |= {"finished_at": func.now(), "queued_for": None}
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
    """One ticket with every text; its language is the first one named, unless two are.

    `lengths` says where each text ends: what is quoted in one must not swallow the next.
    """
    named = [ticket["language"] for ticket in tickets if ticket.get("language")]
    one = len({iso_language(tag) for tag in named}) == 1
    body = BLANK_LINE.join(ticket["body"] for ticket in tickets)
    headers = set.intersection(*[set((t.get("headers") or {}).items()) for t in tickets])
    return {
        **tickets[0],
        "body": body,
        "lengths": [len(one) for ticket in tickets for one in merged_bodies(ticket)],
        # What makes one message automatic says nothing about the others.
        **({"headers": dict(sorted(headers))} if "headers" in tickets[0] else {}),
        "language": named[0] if one else None,
    }


def merged_bodies(ticket: dict[str, Any]) -> list[str]:
    """The texts that were merged into a stored ticket, oldest first; of any other, its own."""
    body, lengths = ticket["body"], ticket.get("lengths") or []
    if sum(lengths) + len(BLANK_LINE) * (len(lengths) - 1) != len(body):
        return [body]
    starts = accumulate((length + len(BLANK_LINE) for length in lengths), initial=0)
    return [body[at : at + length] for at, length in zip(starts, lengths, strict=False)]
