"""Why an approval cannot be decided, or not by these people."""

from collections.abc import Iterable
from itertools import product

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects import approvals
from app.db.runs import queries as run_queries
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.db.tables.tenants import Holder
from app.errors import AlreadyDecidedError, ApprovalExpiredError, NotWaitingError, OwnRunError
from app.lifecycle import ApprovalStatus
from app.services.approvals.deciders import closing_summary
from app.services.approvals.people import same_person


async def refuse_starter(session: AsyncSession, people: list[Holder], run: Run) -> None:
    """Raise OwnRunError when one of these started the run, one that it replays, or a message in it.

    They are the key that decides and the person it names.

    So neither a replay by another key nor a second key of the same holder lets a starter approve
    what they started.
    """
    refuse_one_of(await run_queries.starters(session, run), people)


def refuse_one_of(starters: Iterable[Holder], people: Iterable[Holder]) -> None:
    """Raise OwnRunError when one of the people is one of the starters."""
    if any(same_person(*pair) for pair in product(starters, people)):
        raise OwnRunError(
            "Another person must decide: a key of this person started the run, a message in it, "
            "or a run that it replays."
        )


async def refuse_closed(session: AsyncSession, approval: Approval) -> None:
    """Raise the error that says why the approval cannot be decided, unless it is open."""
    match approval.status:
        case ApprovalStatus.PENDING if await approvals.is_due(session, approval.id):
            raise ApprovalExpiredError("No decision came in time; the ticket goes to a person.")
        case ApprovalStatus.PENDING:
            return
        case ApprovalStatus.EXPIRED:
            raise ApprovalExpiredError("No decision came in time; the ticket went to a person.")
        case ApprovalStatus.CANCELLED:
            raise NotWaitingError("The run was cancelled; there is nothing to decide.")
        case _:
            taken = closing_summary(approval.decision or {})
            raise AlreadyDecidedError("This approval was decided before.", decision=taken)
