"""The tenant's answer cache in Postgres, as one run may use it."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from app.db.core.availability import DATABASE_ERRORS
from app.db.core.connections import Sessions
from app.db.knowledge.answer_cache import find_answer
from app.log import get_logger
from graphs.context import Recalled
from graphs.reply.question_key import question_sha256
from graphs.reply.reusable_answer import CachedAnswer
from graphs.state import Ticket

log = get_logger(__name__)

STORED: TypeAdapter[CachedAnswer] = TypeAdapter(CachedAnswer)


def customer_sha256(tenant_id: str, customer_id: str) -> bytes:
    """A digest that distinguishes customers without naming them; erasures compute the same one."""
    return hashlib.sha256(f"{tenant_id}\x1f{customer_id}".encode("utf-8", "replace")).digest()


@dataclass(frozen=True, slots=True)
class PostgresAnswerCache:
    """Bound to the run, whose row names the tenant; `seconds` 0 switches the cache off."""

    sessions: Sessions
    run_id: UUID
    policy_version: int
    seconds: int

    async def recall(self, ticket: Ticket) -> Recalled:
        """The cached answer; a row of another shape, from an older release, is a miss."""
        if not self.seconds:
            return Recalled(None, None)
        try:
            async with self.sessions.raw_connection() as connection:
                kb_version, stored = await find_answer(
                    connection,
                    self.run_id,
                    self.policy_version,
                    question_sha256(ticket),
                    ticket["language"] or "",
                )
            answer = None if stored is None else STORED.validate_python(stored)
            return Recalled(kb_version, answer)
        except (*DATABASE_ERRORS, ValidationError) as error:
            log.warning("answer_cache_failed", run_id=str(self.run_id), error=error)
            return Recalled(None, None)
