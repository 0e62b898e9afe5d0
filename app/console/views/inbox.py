"""The rows of the inbox: what waits, for how long, and what its reader may do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.viewer import Viewer
from app.console.views.card import agreed_text, money_text, title_of
from app.db.console.claims import claims_of
from app.db.console.inbox import About, Item, about_items
from app.db.effects.approvals import decisions_on
from app.db.effects.handoffs import names_of_agents
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.console import Claim
from app.db.tables.sandbox import Handoff
from app.services.approvals.offers import Offer, offers

MINE = "claimed by you"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the inbox; `blocked` says why its reader may not agree to it.

    `subject` are words of the customer, so it is empty for a reader without `runs:read`.
    """

    kind: str
    id: UUID
    due: datetime
    title: str
    amount: str
    ticket_id: str
    customer_id: str
    subject: str
    detail: str
    blocked: str
    claim: str
    mine: bool

    @property
    def url(self) -> str:
        """Where it is shown whole."""
        place = "handoffs" if self.kind == "handoff" else "approvals"
        return f"/console/{place}/{self.id}"


async def rows_of(session: AsyncSession, viewer: Viewer, items: Sequence[Item]) -> list[Row]:
    """The lines of the items, in their order, with a fixed number of queries."""
    ids = [item.id for item in items]
    claims = await claims_of(session, viewer.tenant_id, ids)
    query = select(Approval).where(Approval.tenant_id == viewer.tenant_id, Approval.id.in_(ids))
    approvals = {approval.id: approval for approval in await session.scalars(query)}
    offered = await offers(session, viewer.key, list(approvals.values()))
    decided = await decisions_on(session, [a.id for a in approvals.values() if a.answers])
    of_tenant = select(Handoff).where(Handoff.tenant_id == viewer.tenant_id, Handoff.id.in_(ids))
    handoffs = {handoff.id: handoff for handoff in await session.scalars(of_tenant)}
    names = await names_of_agents(session, viewer.tenant_id) if handoffs else {}
    about = await about_items(session, viewer.tenant_id, ids)
    lines = []
    for item in items:
        claim = _claim(viewer, claims.get(item.id))
        whose = _readable(viewer, about.get(item.id))
        if item.id in approvals:
            one = approvals[item.id]
            agreed = agreed_text(one, decided.get(one.id, []))
            lines.append(_of_approval(item, one, whose, offered[one.id], agreed, claim))
        elif item.id in handoffs:
            lines.append(_of_handoff(item, handoffs[item.id], whose, names, claim))
    return lines


def _claim(viewer: Viewer, claim: Claim | None) -> tuple[str, bool]:
    if claim is None:
        return "", False
    mine = claim.key_id == viewer.key.id
    return (MINE if mine else f"claimed by {claim.claimed_by}"), mine


def _readable(viewer: Viewer, about: About | None) -> About:
    if about is None:
        return About("", "")
    return about if viewer.can("runs:read") else about._replace(subject="")


def _of_approval(
    item: Item,
    approval: Approval,
    about: About,
    offer: Offer,
    agreed: str,
    claim: tuple[str, bool],
) -> Row:
    reasons = [str(reason) for reason in approval.gate]
    return Row(
        kind=item.kind,
        id=item.id,
        due=item.due,
        title=title_of(approval),
        amount=money_text(approval.steps),
        ticket_id=approval.ticket_id,
        customer_id=about.customer_id,
        subject=about.subject,
        detail=". ".join(filter(None, (agreed, "; ".join(reasons)))),
        blocked=offer.refused or offer.not_agree,
        claim=claim[0],
        mine=claim[1],
    )


def _of_handoff(
    item: Item, handoff: Handoff, whose: About, names: dict[str, str], claim: tuple[str, bool]
) -> Row:
    agent = names.get(handoff.agent_id or "", handoff.agent_id)
    held_by = f"with {agent}" if agent else "in the queue"
    part = f" about {handoff.part}" if handoff.part else ""
    return Row(
        kind="handoff",
        id=item.id,
        due=item.due,
        title=f"Answer the customer{part}",
        amount="",
        ticket_id=handoff.ticket_id,
        customer_id=whose.customer_id,
        subject=whose.subject,
        detail=f"{handoff.urgency}, {handoff.skill}, {held_by}",
        blocked="",
        claim=claim[0],
        mine=claim[1],
    )
