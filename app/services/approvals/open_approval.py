"""Use case: open the approval of a pause, with the digest that binds an answer to what it shows."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.effects import approvals
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.services.webhooks import outbox
from graphs.handoffs import skill_of
from graphs.state import Triage

# A run that paused before these were asked for has the defaults.
DEFAULTS: dict[str, Any] = {"required_approvers": 1, "changed": [], "round": 0}
# What an approval shows and an answer agrees to; the other columns say how the approval stands.
SHOWN = (
    "id",
    "run_id",
    "kind",
    "round",
    "steps",
    "gate",
    "changed",
    "verdicts",
    "required_approvers",
)


async def open_approval(
    session: AsyncSession,
    run: Run,
    interrupt_id: str,
    question: Mapping[str, Any],
    triage: Triage | None,
) -> None:
    """Ask people what the graph's interrupt asks; the same interrupt again changes nothing.

    `question` is the interrupt's value, `triage` what the ticket is about. The graph knows no
    approval, so the digest is made here.
    """
    known = {**DEFAULTS, **question, "id": uuid7(), "run_id": run.id}
    shown = {name: known[name] for name in SHOWN}
    opened = await approvals.open_approval(
        session,
        tenant_id=run.tenant_id,
        ticket_id=run.ticket_id,
        interrupt_id=interrupt_id,
        digest=digest(shown),
        skill=skill_of(triage),
        expires_at=func.now() + timedelta(seconds=question["expires_in_seconds"]),
        **shown,
    )
    if opened:
        await outbox.note_paused(session, run, shown["id"])


def digest(shown: Mapping[str, Any]) -> str:
    """SHA-256 of exactly what an approval shows, in 64 hex digits: an answer fits only that.

    The id is in it, so two approvals never have the same digest. Canonical form after RFC 8785 for
    the values used here: sorted keys, no spaces, UTF-8.
    """
    named = {name: shown[name] for name in SHOWN}
    named |= {"id": str(shown["id"]), "run_id": str(shown["run_id"])}
    canonical = json.dumps(named, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def digest_of(approval: Approval, **changed: Any) -> str:
    """The digest of the approval as it stands, or with some of what it shows changed."""
    return digest({name: getattr(approval, name) for name in SHOWN} | changed)
