"""Reads all that a card shows, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.views.approvals import ON_EXPIRY
from app.console.viewer import Viewer
from app.console.views.card import (
    StepView,
    TextView,
    agreed_text,
    money_text,
    steps_of,
    text_view,
    title_of,
    totals,
)
from app.db.console.claims import claims_of, snoozed_until
from app.db.effects.approvals import decisions_on, get_approval
from app.db.effects.handoffs import names_of_agents
from app.db.runs.merging import newer_messages
from app.db.runs.queries import get_run
from app.db.runs.steps import messages_of_ticket
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.console import Claim
from app.db.tables.runs import Message, Run, Step
from app.errors import NotFoundError
from app.services.approvals.offers import Offer, offers
from app.services.connections.ticket_page import TicketPage, ticket_page
from app.services.conversations.takeover import Handled, handled
from graphs.state import SPECIALISTS

EARLIER = 20


@dataclass(frozen=True, slots=True)
class Thread:
    """What was said on the ticket: what this approval answers, what came since, and before."""

    subject: str
    asked: list[TextView]
    newer: list[TextView]
    earlier: list[Message]
    held: Handled
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """An approval with all that its reviewer needs; `thread` is None without the scope to read."""

    approval: Approval
    run: Run
    title: str
    amount: str
    totals: dict[str, int]
    steps: list[StepView]
    decisions: list[Decision]
    agreed: str
    offer: Offer
    on_expiry: str
    newer: int
    thread: Thread | None
    desk: TicketPage | None
    claim: Claim | None
    snoozed: datetime | None

    @property
    def pending(self) -> bool:
        """Whether it still waits for an answer."""
        return self.approval.status == "pending"


async def load_card(session: AsyncSession, viewer: Viewer, approval_id: UUID) -> Card:
    """The tenant's approval as the viewer may see it. Raises NotFoundError."""
    viewer.need("approvals:decide", "runs:read")
    approval = await get_approval(session, viewer.tenant_id, approval_id)
    if approval is None:
        raise NotFoundError(f"There is no approval {approval_id}.")
    run = await get_run(session, viewer.tenant_id, approval.run_id)
    assert run is not None, "an approval is of a run"
    decisions = (await decisions_on(session, [approval.id])).get(approval.id, [])
    newer = (await newer_messages(session, [approval])).get(approval.id, [])
    may_read = viewer.can("runs:read")
    payments = await payments_read(session, run) if may_read else []
    return Card(
        approval=approval,
        run=run,
        title=title_of(approval),
        amount=money_text(approval.steps),
        totals=totals(approval.steps),
        steps=steps_of(approval, run, payments),
        decisions=decisions,
        agreed=agreed_text(approval, decisions),
        offer=(await offers(session, viewer.key, [approval]))[approval.id],
        on_expiry=ON_EXPIRY[approval.kind],
        newer=len(newer),
        desk=await ticket_page(session, viewer.tenant_id, approval.ticket_id),
        thread=await _thread(session, run, newer) if may_read else None,
        claim=(await claims_of(session, viewer.tenant_id, [approval.id])).get(approval.id),
        snoozed=await snoozed_until(session, viewer.key, approval.id),
    )


async def _thread(session: AsyncSession, run: Run, newer: list[Message]) -> Thread:
    query = select(Run.id).where(Run.tenant_id == run.tenant_id, Run.merged_into == run.id)
    answered = {run.id, *await session.scalars(query)}
    messages = await messages_of_ticket(session, run.tenant_id, run.ticket_id, EARLIER)
    since = {message.id for message in newer}
    asked = [m for m in messages if m.run_id in answered and m.author == "customer"]
    shown = since | {message.id for message in asked}
    held = await handled(session, run.tenant_id, run.ticket_id)
    return Thread(
        subject=str(run.ticket.get("subject") or ""),
        asked=[text_view(message) for message in asked],
        newer=[text_view(message) for message in newer],
        earlier=[message for message in messages if message.id not in shown],
        held=held,
        names=await names_of_agents(session, run.tenant_id) if held.by else {},
    )


async def payments_read(session: AsyncSession, run: Run) -> list[Any]:
    """The payments that the run's specialists have read; none once its steps are pruned."""
    query = select(Step.output).where(
        Step.tenant_id == run.tenant_id,
        Step.run_id == run.id,
        or_(*(Step.node == name for name in SPECIALISTS)),
        Step.output.is_not(None),
    )
    found: list[Any] = []
    for output in await session.scalars(query.order_by(Step.seq)):
        for finding in ((output or {}).get("findings") or {}).values():
            found += finding.get("payments", [])
    return found
