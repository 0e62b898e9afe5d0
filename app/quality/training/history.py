"""Labelled tickets from a tenant's own runs: those that a person confirmed or corrected."""

from typing import cast, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects.triage_labels import Labelled, labelled_runs
from app.execution.graph_input import run_ticket
from app.quality.training.examples import Example, text_of
from graphs.state import Intent


async def read_history(session: AsyncSession, tenant_id: str) -> list[Example]:
    """The tickets as the workflow read them, newest first; erased ones have no text any more."""
    found = [_example(labelled) for labelled in await labelled_runs(session, tenant_id)]
    return [example for example in found if example.text]


def _example(labelled: Labelled) -> Example:
    ticket = run_ticket(labelled.run)
    known = [intent for intent in labelled.intents if intent in get_args(Intent)]
    intent = cast("Intent", known[0]) if len(known) == len(labelled.intents) == 1 else None
    return Example(text_of(ticket["subject"], ticket["body"]), intent)
