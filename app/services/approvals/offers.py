"""What a person may answer to an approval, and why not, said before they press anything.

By the rules that `decide` holds an answer to; they are checked again when the answer comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects.approvals import decisions_on
from app.db.runs.queries import starters_of_runs
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.tenants import ApiKey, Holder
from app.db.tenants.queries import holders_of_keys
from app.errors import OverLimitError, OwnRunError
from app.lifecycle import ApprovalStatus
from app.services.approvals.decide import AGREEING, agreed_by, standing
from app.services.approvals.deciders import spoken_of
from app.services.approvals.edit import refuse_over_limit
from app.services.approvals.people import holder
from app.services.approvals.refusals import refuse_one_of

NOT_OPEN = "It is decided; there is nothing to answer."
NO_SCOPE = "Your key may look at approvals, and not decide them."
AGREED = "You agreed already; another person must agree as well."


@dataclass(frozen=True, slots=True)
class Offer:
    """The verdicts that a person may give, and why others are refused to them.

    `refused` says why they may give none; `not_agree` why they may not agree to it as it stands,
    though they may still stop it or, when `edit` is offered, lower it.
    """

    verdicts: tuple[str, ...] = ()
    refused: str = ""
    not_agree: str = ""


async def offers(
    session: AsyncSession, approver: ApiKey, approvals: Sequence[Approval]
) -> dict[UUID, Offer]:
    """What the approver may answer to each of the tenant's approvals, by approval."""
    runs = {approval.run_id for approval in approvals}
    started = await starters_of_runs(session, approver.tenant_id, runs)
    answered = await decisions_on(session, [a.id for a in approvals if a.answers])
    keys = {decision.key_id for decisions in answered.values() for decision in decisions}
    held = await holders_of_keys(session, keys)
    return {
        approval.id: offer(
            approver,
            approval,
            started.get(approval.run_id, set()),
            answered.get(approval.id, []),
            held,
        )
        for approval in approvals
    }


def offer(
    approver: ApiKey,
    approval: Approval,
    starters: set[Holder],
    decisions: list[Decision],
    held: dict[str, Holder],
) -> Offer:
    """What one person may answer to one approval."""
    if approval.status is not ApprovalStatus.PENDING:
        return Offer(refused=NOT_OPEN)
    if "approvals:decide" not in approver.scopes:
        return Offer(refused=NO_SCOPE)
    try:
        refuse_one_of(starters, [holder(approver)])
    except OwnRunError as error:
        return Offer(refused=error.detail)
    offered = tuple(approval.verdicts)
    if agreed_by(approval, decisions, held, holder(approver)):
        left = tuple(verdict for verdict in offered if verdict not in AGREEING)
        return Offer(left, not_agree=AGREED)
    try:
        refuse_over_limit(approver, approval.steps)
    except OverLimitError as error:
        left = tuple(verdict for verdict in offered if verdict != "approve")
        return Offer(left, not_agree=error.detail)
    return Offer(offered)


def agreed_so_far(approval: Approval, decisions: list[Decision]) -> list[str]:
    """Who agreed to exactly what is asked now, oldest first."""
    agreeing = [d for d in standing(decisions, approval.digest) if d.verdict in AGREEING]
    return [spoken_of(decision) for decision in agreeing]
