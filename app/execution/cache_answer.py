"""Use case: keep a run's reply for others who ask the same, within the run's own ending."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.models.answer_cache import customer_sha256
from app.db.knowledge.answer_cache import keep_answer
from app.db.tables.runs import Run
from app.db.tenants.queries import policy_at
from graphs.policy import Policy
from graphs.reply.question_key import question_sha256
from graphs.reply.reusable_answer import reusable
from graphs.state import SupportState


async def keep(session: AsyncSession, run: Run, state: SupportState) -> None:
    """Store what may be said again. `state` is the graph's, after the reply was sent.

    The version of the knowledge base is the one that was read before the search, so an article
    that changed since then leaves the answer where nobody looks for it.
    """
    if (kb_version := state.get("kb_version")) is None:
        return
    email = run.ticket["customer"].get("email") or ""
    answer = reusable(state, email, [run.customer_id, run.ticket_id])
    policy = Policy.model_validate(await policy_at(session, run.tenant_id, run.policy_version))
    if answer is None or not policy.answer_cache_seconds:
        return
    await keep_answer(
        session,
        customer_sha256(run.tenant_id, run.customer_id),
        timedelta(seconds=policy.answer_cache_seconds),
        tenant_id=run.tenant_id,
        question_sha256=question_sha256(state["ticket"]),
        language=state["ticket"]["language"] or "",
        kb_version=kb_version,
        policy_version=run.policy_version,
        answer=answer,
    )
