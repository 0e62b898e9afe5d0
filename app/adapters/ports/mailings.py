"""Contacts and mailings in our own tables: a fixed list, and at most one mail to each person."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.effects.ownership import pass_fence
from app.db.core.connections import Sessions
from app.db.effects import mailings
from app.db.tables.mailings import MailRecipient
from tools.errors import RefusedError
from tools.models import Audience, Contact, Delivery, MailTally
from tools.ports import Caller

OpenSession = Callable[[], AbstractAsyncContextManager[AsyncSession]]
MAX_TRIES = 3
# Each further try waits so many times longer than the one before.
BACKOFF = 3


@dataclass(frozen=True, slots=True)
class PostgresContacts:
    """The tenant's contacts who did not unsubscribe, read in a session of its own or in one."""

    sessions: OpenSession
    tenant_id: str

    async def audiences(self) -> dict[str, int]:
        """How many people each audience has, `all` included."""
        async with self.sessions() as session:
            return await mailings.audience_sizes(session, self.tenant_id)

    async def audience(self, name: str, first: int) -> Audience:
        """Count, time of the count, and the first people by id."""
        async with self.sessions() as session:
            count, as_of = await mailings.count_audience(session, self.tenant_id, name)
            people = await session.scalars(mailings.in_audience(self.tenant_id, name).limit(first))
            return {
                "count": count,
                "as_of": as_of.isoformat(),
                "first": [{"id": p.id, "email": p.email, "name": p.name} for p in people],
            }


@dataclass(frozen=True, slots=True)
class PostgresMailings:
    """One row a recipient; every beginning is fenced by the run that owns the mailing."""

    sessions: Sessions
    caller: Caller
    retry_seconds: float

    async def begin(self, key: str, audience: str, recipients: int, as_of: str) -> None:
        """Fix the list, or mark as unknown those whom a lost attempt was about to mail."""
        async with self.sessions.begin() as session:
            await pass_fence(session, self.caller)
            if await mailings.tally(session, self.caller.tenant_id, key):
                await self._give_up_started(session, key)
                return
            if problem := await self._problem(session, audience, recipients, as_of):
                raise RefusedError(problem)
            counted = datetime.fromisoformat(as_of)
            await mailings.fix_list(
                session, self.caller.tenant_id, key, self.caller.run_id, audience, counted
            )

    async def problem(self, audience: str, recipients: int, as_of: str) -> str | None:
        """The same question that `begin` asks, without an effect."""
        async with self.sessions() as session:
            return await self._problem(session, audience, recipients, as_of)

    async def next(self, key: str) -> Contact | None:
        """waiting -> started for the next due one; who left the list meanwhile is skipped."""
        async with self.sessions.begin() as session:
            await pass_fence(session, self.caller)
            while found := await mailings.next_waiting(session, self.caller.tenant_id, key):
                recipient, contact = found
                stays = contact and not contact.unsubscribed and contact.email == recipient.email
                recipient.status = "started" if stays else "skipped"
                recipient.tries += 1
                recipient.changed_at = func.clock_timestamp()
                await session.flush()
                if stays:
                    return {
                        "id": recipient.contact_id,
                        "email": recipient.email,
                        "name": recipient.name,
                    }
        return None

    async def note(self, key: str, contact_id: str, delivery: Delivery) -> None:
        """started -> the mail's end, or waiting again with a growing pause, three tries in all."""
        async with self.sessions.begin() as session:
            row = await session.get(
                MailRecipient,
                (self.caller.tenant_id, key, contact_id),
                with_for_update=True,
            )
            # Erased while the mail was on its way: the row has a pseudonym and is `unknown`.
            if row is None or row.status not in ("started", "unknown"):
                return
            row.detail = delivery["detail"] or None
            row.changed_at = func.clock_timestamp()
            if delivery["status"] == "later" and row.tries < MAX_TRIES:
                row.status = "waiting"
                pause = timedelta(seconds=self.retry_seconds * BACKOFF ** (row.tries - 1))
                row.due_at = func.now() + pause
            else:
                later = delivery["status"] == "later"
                row.status = "failed" if later else delivery["status"]

    async def tally(self, key: str) -> MailTally:
        """Count, and show it on the ledger's row, where the run's effects are read from."""
        async with self.sessions.begin() as session:
            found = await mailings.tally(session, self.caller.tenant_id, key)
            counts: MailTally = {
                "sent": found.get("sent", 0),
                "failed": found.get("failed", 0),
                "unknown": found.get("unknown", 0) + found.get("started", 0),
                "skipped": found.get("skipped", 0),
                "waiting": found.get("waiting", 0),
            }
            if found:
                await mailings.note_progress(session, self.caller.tenant_id, key, {**counts})
        return counts

    async def _give_up_started(self, session: AsyncSession, key: str) -> None:
        """A mail server cannot be asked whether it took a mail, so no contact is mailed again."""
        await session.execute(
            update(MailRecipient)
            .where(
                MailRecipient.tenant_id == self.caller.tenant_id,
                MailRecipient.key == key,
                MailRecipient.status == "started",
            )
            .values(status="unknown", changed_at=func.clock_timestamp())
        )

    async def _problem(
        self, session: AsyncSession, audience: str, recipients: int, as_of: str
    ) -> str | None:
        """Why these are not the people who were counted, or a part of them; None if they are."""
        count, changed_at = await mailings.newest_change(session, self.caller.tenant_id, audience)
        if changed_at is None:
            return f"the audience {audience!r} is empty"
        if count > recipients or changed_at > datetime.fromisoformat(as_of):
            return f"the audience {audience!r} is not the {recipients} people counted at {as_of}"
        return None
