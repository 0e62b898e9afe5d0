"""Loads what a run starts with: the conversation so far, and the customer's other tickets."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.conversations import history
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run
from graphs.conversation import Memory, PastTicket, Turn
from graphs.run.memory import (
    PAST_TICKETS,
    PROMISE_CHARS,
    PROMISES,
    SUBJECT_CHARS,
    SUMMARY_CHARS,
    WINDOW_EXCHANGES,
    cut,
    window,
)
from graphs.text.new_text.characters import without_hidden
from graphs.text.new_text.reading import new_text
from tools.catalog import EFFECTS
from tools.helpdesk import handoff_remembered


async def load_memory(session: AsyncSession, run: Run) -> Memory:
    """The run's memory, of bounded size; after an erasure of the customer it is empty."""
    await history.hold_off_erasure(session, run.tenant_id, run.customer_id)
    here, elsewhere = await history.wrote_before(session, run)
    summary = await history.summary_of(session, run) if here else None
    upto = summary.upto_seq if summary else 0
    said = await history.said_before(session, run, upto, WINDOW_EXCHANGES) if here else []
    return {
        "window": window(turns_of(said)),
        "summary": cut(summary.text, SUMMARY_CHARS) if summary else "",
        "tickets": await _tickets(session, run) if elsewhere else [],
    }


def turns_of(said: list[history.Said]) -> list[Turn]:
    """Rows to turns; of the customer's messages only their new text, and none without any."""
    turns: list[Turn] = [
        {"author": "customer", "text": new_text(text)}
        if author == "customer"
        else {"author": "deskgraph", "text": text}
        for _, author, text in said
    ]
    return [turn for turn in turns if turn["text"]]


async def _tickets(session: AsyncSession, run: Run) -> list[PastTicket]:
    rows = await history.other_tickets(session, run, PAST_TICKETS)
    if not rows:
        return []
    effects = await history.effects_on_tickets(
        session, run, [row.ticket_id for row in rows], PAST_TICKETS * PROMISES
    )
    return [
        {
            "ticket_id": row.ticket_id,
            "subject": cut(without_hidden(row.subject or ""), SUBJECT_CHARS),
            "outcome": row.outcome or str(row.status),
            "promised": _promised(row, [entry for id_, entry in effects if id_ == row.ticket_id]),
            "at": row.created_at.isoformat(),
        }
        for row in rows
    ]


def _promised(row: Row[Any], effects: list[LedgerEntry]) -> list[str]:
    """What a reply could commit to: effects that happened, and the person who took over."""
    promised = [effect_words(entry) for entry in effects[:PROMISES]]
    if row.handoff:
        promised.append(handoff_remembered({}, row.handoff))
    return [cut(words, PROMISE_CHARS) for words in promised]


def effect_words(entry: LedgerEntry) -> str:
    """An effect in words, such as "refunded 49.00 USD on pay_1002"; else its name."""
    effect = EFFECTS.get(entry.tool)
    if effect is None or effect.remembered is None or entry.result is None:
        return entry.tool.replace("_", " ")
    return effect.remembered(entry.args, entry.result)
