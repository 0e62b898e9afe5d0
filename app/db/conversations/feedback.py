"""Queries on ratings of answers."""

from functools import cache
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, func, select

from app.db.core.compiled import CompiledQuery, Executor
from app.db.tables.conversations import Feedback


@cache
def _select_of_runs() -> CompiledQuery[Feedback]:
    return CompiledQuery(
        Feedback,
        select(Feedback)
        .where(
            Feedback.tenant_id == bindparam("tenant"),
            Feedback.run_id == func.any(bindparam("runs", type_=ARRAY(Uuid))),
        )
        .order_by(Feedback.id),
    )


async def feedback_of_runs(
    executor: Executor, tenant_id: str, run_ids: list[UUID]
) -> list[Feedback]:
    """How the answers of these runs were rated, oldest first; only to be read."""
    if not run_ids:
        return []
    return await _select_of_runs().all(executor, tenant=tenant_id, runs=run_ids)
