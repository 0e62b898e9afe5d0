"""Use case: store how good a ticket's answer was found. A bad rating drops the kept answer."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.knowledge.answer_cache import drop_answers
from app.db.runs import trace_notes
from app.db.runs.filters import RunFilters
from app.db.runs.queries import runs_of_tenant
from app.db.tables.conversations import Feedback
from app.db.tables.runs import Run
from app.errors import NotFoundError

Scale = Literal["stars", "thumbs"]
# The highest score that is a bad one.
BAD: dict[Scale, int] = {"stars": 2, "thumbs": -1}
# How many of a ticket's newest runs a rating can be about.
RATED_RUNS = 20


@dataclass(frozen=True, slots=True)
class Rating:
    """A checked rating of a ticket."""

    ticket_id: str
    scale: Scale
    score: int
    comment: str

    @property
    def bad(self) -> bool:
        """Whether no other customer should get that answer."""
        return self.score <= BAD[self.scale]


async def rate(session: AsyncSession, tenant_id: str, given_by: str, rating: Rating) -> Feedback:
    """Store it with the ticket's newest run; a bad one drops every answer kept for its questions.

    Never commits.

    Raises:
        NotFoundError: no run knows the ticket.
    """
    query = runs_of_tenant(tenant_id, RunFilters(ticket_id=rating.ticket_id))
    newest = query.where(Run.replay_of.is_(None)).order_by(Run.id.desc()).limit(RATED_RUNS)
    runs = list(await session.scalars(newest))
    if not runs:
        raise NotFoundError(f"No run knows a ticket {rating.ticket_id}.")
    note = Feedback(
        id=uuid7(),
        tenant_id=tenant_id,
        ticket_id=rating.ticket_id,
        run_id=runs[0].id,
        scale=rating.scale,
        score=rating.score,
        comment=rating.comment,
        given_by=given_by,
    )
    session.add(note)
    await trace_notes.note(session, runs[0], "csat", note.id)
    if rating.bad:
        await drop_answers(session, tenant_id, runs)
    await session.flush()
    await session.refresh(note)
    return note
