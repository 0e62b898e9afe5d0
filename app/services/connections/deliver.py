"""Use case: one claimed delivery to a desk. Looks before it posts, and never speaks over a person.

No database connection is held across a call of the desk.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.helpdesk import (
    AlreadyPosted,
    Answer,
    Change,
    Gone,
    Helpdesk,
    Overtaken,
    Posted,
    Priority,
    Refused,
    TicketView,
)
from app.db.connections import deliveries
from app.db.core.connections import Sessions
from app.db.effects import takeovers
from app.db.tables.connections import Connection, Delivery
from app.db.tables.sandbox import Handoff
from app.db.tenants import pauses
from app.services.connections import delivery_ends as ends
from app.services.connections.delivery_ends import Work
from app.services.connections.for_person import handoff_key, run_of_handoff
from app.services.connections.retries import attempt_of
from app.services.connections.tickets import desk_ticket_id
from app.services.connections.unseen_people import unseen_people
from tools.errors import UnavailableError

# Looks and posts of one attempt: a ticket that changes faster than this waits for the next one.
LOOKS = 3
SOON = timedelta(seconds=1)
UNPROVED = "The desk did not verify the requester, so no account was read and no money can move."
PRIORITIES: dict[str, Priority] = {"critical": "urgent", "high": "high", "low": "low"}


class NotYetError(Exception):
    """The run has not ended, so its outcome is not known; or its tenant was paused meanwhile."""


async def deliver(sessions: Sessions, row: Connection, desk: Helpdesk, delivery: Delivery) -> None:
    """Make one attempt and write down how it ended. Raises nothing that a desk can cause."""
    async with sessions() as session:
        work = await _work(session, delivery)
    if work is None:
        await ends.end(sessions, delivery, "cancelled")
        return
    try:
        async with attempt_of("the desk did not take it"):
            answer = await _attempt(sessions, row, desk, delivery, work)
    except NotYetError:
        async with sessions.begin() as session:
            await deliveries.postpone(session, delivery, SOON, None)
    except UnavailableError as error:
        await ends.later(sessions, row, delivery, work, str(error), error.retry_after)
    except CredentialsError as error:
        await ends.pause(sessions, row, delivery, str(error))
    except SettingsError as error:
        await ends.settle(sessions, row, delivery, work, Refused(str(error)))
    else:
        await ends.settle(sessions, row, delivery, work, answer)


async def _work(session: AsyncSession, delivery: Delivery) -> Work | None:
    """The words, where they stand now; None once they were erased."""
    tenant_id, key = delivery.tenant_id, delivery.key
    if delivery.kind == "handoff":
        key = handoff_key(key)
        row = await _handoff(session, tenant_id, key)
        if row is None or not row.summary:
            return None
        run_id = run_of_handoff(key)
        proved = await _is_proved(session, tenant_id, run_id)
        return Work(handoff_note(row, proved=proved), str(run_id) if run_id else None)
    if delivery.kind == "fields":
        return Work("", key)
    message = await deliveries.message_of(session, tenant_id, key)
    return Work(message.text, str(message.run_id)) if message and message.text else None


async def _handoff(session: AsyncSession, tenant_id: str, key: str) -> Handoff | None:
    query = select(Handoff).where(Handoff.tenant_id == tenant_id, Handoff.key == key)
    return (await session.scalars(query)).one_or_none()


async def _is_proved(session: AsyncSession, tenant_id: str, run_id: UUID | None) -> bool:
    """Whether the run might read an account; also true of a hand-off that is no run's."""
    run = await deliveries.get_run(session, tenant_id, run_id) if run_id else None
    return run is None or bool((run.ticket.get("connection") or {}).get("verified", True))


def handoff_note(row: Handoff, *, proved: bool) -> str:
    """A hand-off as the desk's people read it: why, what is known, and what they may answer."""
    lines = [f"deskgraph hands this ticket over ({row.urgency}).", ""]
    if not proved:
        lines += [UNPROVED, ""]
    lines.append(row.summary)
    if row.suggestion:
        lines += ["", "Suggested reply:", "", row.suggestion["text"]]
    if row.articles:
        lines += ["", "Articles:", *(f"- {a['title']} ({a['article_id']})" for a in row.articles)]
    return "\n".join(lines)


async def _attempt(
    sessions: Sessions, row: Connection, desk: Helpdesk, delivery: Delivery, work: Work
) -> Answer:
    ticket_id, key = desk_ticket_id(delivery.ticket_id), delivery.key
    match delivery.kind:
        case "reply":
            return await _reply(sessions, row, desk, delivery, work)
        case "draft":
            text = f"Not sent. The draft was:\n\n{work.text}"
            return await desk.note(ticket_id, text, key=f"draft:{work.run_id}")
        case "fields":
            change = await _change(sessions, row, delivery, work)
            return await desk.change(ticket_id, change, key=key) if change else Posted("")
    return await desk.note(ticket_id, work.text, key=key)


async def _reply(
    sessions: Sessions, row: Connection, desk: Helpdesk, delivery: Delivery, work: Work
) -> Answer:
    """Look, then post what may be posted; a ticket that changed meanwhile is looked at again."""
    ticket_id, key = desk_ticket_id(delivery.ticket_id), delivery.key
    for _ in range(LOOKS):
        view = await desk.read(ticket_id)
        if view.gone:
            return Gone()
        if key in view.own_keys:
            return AlreadyPosted(await desk.find_reply(ticket_id, key) or "")
        if await _is_taken(sessions, row, delivery, view):
            return Overtaken()
        answer = await desk.reply(ticket_id, work.text, key=key, expect=view.stamp)
        if not isinstance(answer, Overtaken):
            return answer
    raise UnavailableError("the ticket changes all the time")


async def _change(sessions: Sessions, row: Connection, delivery: Delivery, work: Work) -> Change:
    """The fields that the tenant's settings map the run's outcome to, and a hand-off's group."""
    assert work.run_id is not None, "fields follow from a run's outcome"
    async with sessions() as session:
        run = await deliveries.get_run(session, delivery.tenant_id, UUID(work.run_id))
        handoff = await _handoff(session, delivery.tenant_id, f"handoff:{work.run_id}")
    if run is None:
        return Change()
    if run.finished_at is None:
        raise NotYetError
    mapped = row.settings.get("outcomes", {}).get(run.outcome or "", {})
    group = row.settings.get("groups", {}).get(handoff.skill) if handoff else None
    priority = PRIORITIES.get(handoff.urgency) if handoff else None
    return Change(
        tags_add=tuple(mapped.get("tags_add", ())),
        tags_remove=tuple(mapped.get("tags_remove", ())),
        status=mapped.get("status"),
        priority=mapped.get("priority") or priority,
        group=mapped.get("group") or group,
    )


async def _is_taken(
    sessions: Sessions, row: Connection, delivery: Delivery, view: TicketView
) -> bool:
    """Whether a person has the ticket, by the desk or by a takeover that we know of.

    If not, it is written down that the post begins: a takeover comes before that, or waits for it.

    Raises NotYetError: the words may not leave now, or were erased, since they were read.
    """
    async with sessions.begin() as session:
        await takeovers.lock_thread(session, delivery.tenant_id, delivery.ticket_id)
        silence = await takeovers.silence_on(session, delivery.tenant_id, delivery.ticket_id)
        held_back = await pauses.is_paused(session, delivery.tenant_id)
        message = await deliveries.message_of(session, delivery.tenant_id, delivery.key)
        unseen = await unseen_people(session, row, view)
        if held_back or message is None:
            raise NotYetError
        spoke = view.last_public_author == "person" or bool(unseen)
        if view.assignee or spoke or silence.taken_over:
            return True
        if not await deliveries.begin_posting(session, delivery):
            raise NotYetError
    return False
