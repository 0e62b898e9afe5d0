"""Newer messages of a ticket that wait together are answered together, by one run."""

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import callbacks
from app.db.tables import Run
from app.lifecycle import RunStatus

MAX_MESSAGES = 20
# As long as the longest message there is: whatever one run can read, so can the merged one.
MAX_CHARACTERS = 50_000
BLANK_LINE = "\n\n"


async def absorb(session: AsyncSession, run: Run) -> list[str]:
    """Take the messages that wait behind a live run into it: their texts, oldest first.

    The runs of those messages end as `cancelled` with `merged_into`. They must follow one another
    on the thread, be of the same customer, and never have begun; what the run has read already
    counts for the bounds of 20 messages and 50,000 characters, and what does not fit stays for the
    next run. The run's ticket is from then on the one that they make together.
    The caller holds the row of `run`. A row that somebody else changes at this instant, such as a
    cancel, is left to them: nothing waits here, so nothing can wait for each other.
    """
    absorbed = await _absorb(session, run)
    if absorbed:
        run.ticket = merged([run.ticket, *[waiting.ticket for waiting in absorbed]])
        await session.flush()
    return [waiting.ticket["body"] for waiting in absorbed]


async def _absorb(session: AsyncSession, run: Run) -> list[Run]:
    before = select(func.count()).where(Run.merged_into == run.id).scalar_subquery()
    behind = (
        select(Run)
        .where(Run.tenant_id == run.tenant_id, Run.thread_id == run.thread_id)
        .where(Run.seq > run.seq, Run.finished_at.is_(None))
        .order_by(Run.seq)
        .limit(MAX_MESSAGES - 1 - before)
        .with_for_update(skip_locked=True)
    )
    fitting = _fitting(run, list(await session.scalars(behind)))
    if fitting:
        ended = {"status": RunStatus.CANCELLED, "merged_into": run.id, "finished_at": func.now()}
        await session.execute(
            update(Run)
            .where(Run.id.in_([waiting.id for waiting in fitting]))
            .values(ended)
            .execution_options(synchronize_session=False)
        )
    for waiting in fitting:
        await callbacks.note_finished(session, waiting, RunStatus.CANCELLED, merged_into=run.id)
    return fitting


def _fitting(run: Run, behind: list[Run]) -> list[Run]:
    """The first ones, up to the first that does not fit, so that none overtakes another."""
    fitting, characters = [], len(run.ticket["body"])
    for waiting in behind:
        characters += len(BLANK_LINE) + len(waiting.ticket["body"])
        untouched = waiting.status is RunStatus.PENDING and waiting.started_at is None
        alike = waiting.customer_id == run.customer_id and waiting.replay_of is None
        if not untouched or not alike or characters > MAX_CHARACTERS:
            break
        fitting.append(waiting)
    return fitting


def merged(tickets: list[dict[str, Any]]) -> dict[str, Any]:
    """One ticket with every text; its language is the one named, unless two are."""
    languages = {ticket["language"] for ticket in tickets if ticket.get("language")}
    body = BLANK_LINE.join(ticket["body"] for ticket in tickets)
    return {
        **tickets[0],
        "body": body,
        "language": languages.pop() if len(languages) == 1 else None,
    }
