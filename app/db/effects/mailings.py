"""Queries on contacts, and on who gets a mailing. A mailing's key is its ledger row's."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.mailings import Contact, MailRecipient

# The audience of all contacts; no segment may have this name.
ALL_CONTACTS = "all"


async def put_contacts(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Store contacts; the same id replaces the row, but never undoes an unsubscription."""
    query = insert(Contact).values(rows)
    new = query.excluded
    changed = {name: getattr(new, name) for name in ("email", "name", "segments")}
    changed["unsubscribed"] = Contact.unsubscribed | new.unsubscribed
    await session.execute(
        query.on_conflict_do_update(
            index_elements=["tenant_id", "id"],
            set_={**changed, "changed_at": func.clock_timestamp()},
            where=or_(
                *(getattr(Contact, name).is_distinct_from(value) for name, value in changed.items())
            ),
        )
    )


def in_audience(tenant_id: str, audience: str) -> Select[Contact]:
    """Select who a mailing to that audience reaches now, in the order of their ids."""
    query = select(Contact).where(Contact.tenant_id == tenant_id, ~Contact.unsubscribed)
    if audience != ALL_CONTACTS:
        query = query.where(Contact.segments.contains([audience]))
    return query.order_by(Contact.id)


async def count_audience(
    session: AsyncSession, tenant_id: str, audience: str
) -> tuple[int, datetime]:
    """How many it reaches, and when that was counted by the database's clock."""
    people = in_audience(tenant_id, audience).order_by(None).subquery()
    counted = select(func.count(), func.clock_timestamp()).select_from(people)
    count, as_of = (await session.execute(counted)).one()
    return int(count), as_of


async def audience_sizes(session: AsyncSession, tenant_id: str) -> dict[str, int]:
    """Every segment of the tenant and `all`, by name."""
    each = select(func.unnest(Contact.segments).label("name")).where(
        Contact.tenant_id == tenant_id, ~Contact.unsubscribed
    )
    named = each.subquery()
    query = select(named.c.name, func.count()).group_by(named.c.name).order_by(named.c.name)
    sizes = {str(name): int(count) for name, count in await session.execute(query)}
    return {**sizes, ALL_CONTACTS: (await count_audience(session, tenant_id, ALL_CONTACTS))[0]}


async def newest_change(
    session: AsyncSession, tenant_id: str, audience: str
) -> tuple[int, datetime | None]:
    """How many contacts it reaches now, and when the last of them changed; None without any."""
    people = in_audience(tenant_id, audience).order_by(None).subquery()
    query = select(func.count(), func.max(people.c.changed_at))
    count, changed_at = (await session.execute(query)).one()
    return int(count), changed_at


async def fix_list(
    session: AsyncSession, tenant_id: str, key: str, run_id: UUID, audience: str, as_of: datetime
) -> None:
    """Write the mailing's list: the contacts of the audience that are unchanged since `as_of`.

    Later changes of contacts add no recipient. A concurrent erasure waits for the list, or the list
    for it: no name may join a list that the erasure has already read.
    """
    person = (Contact.id, Contact.email, Contact.name)
    written = (Contact.tenant_id, literal(key), literal(run_id), *person)
    people = (
        in_audience(tenant_id, audience)
        .where(Contact.changed_at <= as_of)
        .with_only_columns(*written)
        .with_for_update(read=True, key_share=True)
    )
    columns = ["tenant_id", "key", "run_id", "contact_id", "email", "name"]
    await session.execute(insert(MailRecipient).from_select(columns, people))


async def next_waiting(
    session: AsyncSession, tenant_id: str, key: str
) -> tuple[MailRecipient, Contact | None] | None:
    """The next one who is due, locked, with their contact as it is now."""
    query = (
        select(MailRecipient, Contact)
        .outerjoin(
            Contact,
            (Contact.tenant_id == MailRecipient.tenant_id)
            & (Contact.id == MailRecipient.contact_id),
        )
        .where(
            MailRecipient.tenant_id == tenant_id,
            MailRecipient.key == key,
            MailRecipient.status == "waiting",
            MailRecipient.due_at <= func.now(),
        )
        .order_by(MailRecipient.due_at, MailRecipient.contact_id)
        .limit(1)
        .with_for_update(of=MailRecipient)
    )
    found = (await session.execute(query)).one_or_none()
    return (found[0], found[1]) if found else None


async def tally(session: AsyncSession, tenant_id: str, key: str) -> dict[str, int]:
    """How many recipients of a mailing are in each status."""
    query = (
        select(MailRecipient.status, func.count())
        .where(MailRecipient.tenant_id == tenant_id, MailRecipient.key == key)
        .group_by(MailRecipient.status)
    )
    return {str(status): int(count) for status, count in await session.execute(query)}


async def note_progress(
    session: AsyncSession, tenant_id: str, key: str, progress: dict[str, Any]
) -> None:
    """Show on the mailing's ledger row how far it is."""
    await session.execute(
        update(LedgerEntry)
        .where(LedgerEntry.tenant_id == tenant_id, LedgerEntry.key == key)
        .values(progress=progress)
    )
