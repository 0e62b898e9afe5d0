"""The answer cache: checked replies by question, kept until two customers have asked.

A row's key holds all that the answer depends on, so any change is a miss; rows that cannot be
reached any more are deleted when they expire.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    Interval,
    LargeBinary,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert

from app.db.core.base import sql_table
from app.db.core.compiled import CompiledStatement, Executor, new_values, typed_binds
from app.db.runs.transitions import Beside
from app.db.tables.knowledge import CUSTOMERS, CachedAnswerRow
from app.db.tables.runs import Run
from app.db.tables.tenants import Tenant

KEY = ("tenant_id", "question_sha256", "language", "kb_version", "policy_version")


async def new_kb_version(session: AsyncSession, tenant_id: str) -> None:
    """Make every kept answer of the tenant unreachable, when the transaction ends.

    Call it before any article is changed: a writer that holds the tenant's row then waits for no
    article, so two writers never deadlock.
    """
    await session.execute(
        update(Tenant).where(Tenant.id == tenant_id).values(kb_version=Tenant.kb_version + 1)
    )


@cache
def _select_cached_answer() -> CompiledStatement:
    """The knowledge base's version and the answer, if the run opens its ticket."""
    run, this, earlier = bindparam("run", type_=Uuid()), aliased(Run), aliased(Run)
    follows = (
        select(earlier.id)
        .join(this, and_(this.thread_id == earlier.thread_id, this.seq > earlier.seq))
        .where(this.id == run)
        .exists()
    )
    known = and_(
        CachedAnswerRow.tenant_id == Tenant.id,
        CachedAnswerRow.kb_version == Tenant.kb_version,
        CachedAnswerRow.question_sha256 == bindparam("question"),
        CachedAnswerRow.language == bindparam("language"),
        CachedAnswerRow.policy_version == bindparam("policy"),
        CachedAnswerRow.expires_at > func.now(),
        func.cardinality(CachedAnswerRow.customers) >= CUSTOMERS,
    )
    return CompiledStatement(
        select(Tenant.kb_version, CachedAnswerRow.answer)
        .select_from(Run)
        .join(Tenant, Tenant.id == Run.tenant_id)
        .outerjoin(CachedAnswerRow, known)
        .where(Run.id == run, ~follows)
    )


async def find_answer(
    executor: Executor,
    run_id: UUID,
    policy_version: int,
    question_sha256: bytes,
    language: str,
) -> tuple[int | None, dict[str, Any] | None]:
    """The knowledge base's version for the run, and the answer that it may reuse.

    No version when the run is not the first of its ticket.
    """
    asked = {"question": question_sha256, "language": language, "policy": policy_version}
    found = await _select_cached_answer().rows(executor, run=run_id, **asked)
    return found[0] if found else (None, None)


def kept(customer_sha256: bytes, lifetime: timedelta, **values: Any) -> Beside:
    """A checked reply, to be stored as its run ends, also in the place of an older one."""
    asked = {"customers": [customer_sha256], "lifetime": lifetime}
    return Beside(_upsert_answer, {**asked, **new_values(values)})


def _upsert_answer(ended: CTE) -> ReturningInsert[Any]:
    customers = bindparam("customers", type_=ARRAY(LargeBinary))
    lifetime = bindparam("lifetime", type_=Interval())
    given = ("question_sha256", "language", "kb_version", "answer")
    named = typed_binds(sql_table(CachedAnswerRow), given)
    new = named | {
        "tenant_id": ended.c.tenant_id,
        "policy_version": ended.c.policy_version,
        # The first who asks has it replaced before it is given: it would be 7 kB for most runs.
        "answer": func.jsonb_build_object(),
        "customers": customers,
        "expires_at": func.now() + lifetime,
    }
    row = insert(CachedAnswerRow).from_select(list(new), select(*new.values()))
    expired = CachedAnswerRow.expires_at <= func.now()
    enough = or_(
        CachedAnswerRow.customers.contains(customers),
        func.cardinality(CachedAnswerRow.customers) >= CUSTOMERS,
    )
    both = func.array_cat(CachedAnswerRow.customers, row.excluded.customers)
    askers = case(
        (expired, row.excluded.customers), (enough, CachedAnswerRow.customers), else_=both
    )
    first = func.cardinality(askers) < CUSTOMERS
    return row.on_conflict_do_update(
        index_elements=KEY,
        set_={
            "answer": case((first, row.excluded.answer), else_=named["answer"]),
            "customers": askers,
            "updated_at": func.now(),
            "expires_at": row.excluded.expires_at,
        },
    ).returning(CachedAnswerRow.tenant_id)


async def drop_answers(session: AsyncSession, tenant_id: str, runs: Iterable[Run]) -> None:
    """Forget what is kept for the questions of the runs, in every language, under every policy."""
    keys = {run.result.get("question") for run in runs}
    questions = {bytes.fromhex(key) for key in keys if key}
    await session.execute(
        delete(CachedAnswerRow).where(
            CachedAnswerRow.tenant_id == tenant_id, CachedAnswerRow.question_sha256.in_(questions)
        )
    )


async def prune_answers(session: AsyncSession, limit: int) -> None:
    """Delete expired answers that no other transaction has locked."""
    keys = [getattr(CachedAnswerRow, name) for name in KEY]
    over = (
        select(*keys)
        .where(CachedAnswerRow.expires_at <= func.now())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    await session.execute(delete(CachedAnswerRow).where(tuple_(*keys).in_(over)))
