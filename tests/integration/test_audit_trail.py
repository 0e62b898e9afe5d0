"""Every fact has its audit event, written in the same transaction, with who did it and no text."""

from datetime import timedelta
from typing import Any, get_args
from uuid import RFC_4122

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError

from app.commands.keys import issue_key
from app.db.audit.actor import COMMAND_LINE, act_as, by_key
from app.db.audit.kinds import Kind
from app.db.audit.queries import Wanted, events_of
from app.db.core.connections import Sessions
from app.db.runs.queue import enqueue_run
from app.db.tables.audit import AuditEvent, UnsealedEvent
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.tenants import ApiKey
from app.db.tenants.policy_changes import expire_changes
from app.db.tenants.queries import revoke_key
from app.execution.wiring import Service
from app.services.connections import manage
from app.services.connections.encryption import vault_of
from app.services.connections.hand_back import hand_back_ticket
from app.services.console.sign_in import sign_in
from app.services.conversations import erase_customer, takeover
from app.services.tenants import pause as pauses
from app.services.tenants import policy as policies
from app.services.tenants import policy_changes
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles

# Between two readings of the clock in one statement.
CLOSE_MS = 1000
GIVEN = frozenset({"key.issued", "article.stored", "agent.stored", "contact.stored"})
# What is known and who may be written to, each stored, changed and removed by a statement.
STATEMENTS = (
    "INSERT INTO articles (tenant_id, id, title, content, language)"
    " VALUES (:tenant, 'a1', 'Marker', 'secretly', 'en'), (:tenant, 'a2', 'M', 's', 'en')",
    "UPDATE articles SET updated_at = now() WHERE tenant_id = :tenant AND id = 'a1'",
    "DELETE FROM articles WHERE tenant_id = :tenant AND id IN ('a1', 'a2')",
    "INSERT INTO agents (tenant_id, id, name, skills, timezone, opens_hour, closes_hour, weekdays)"
    " VALUES (:tenant, 'g1', 'Mia Marker', '{}', 'UTC', 9, 17, '[1]')",
    "DELETE FROM agents WHERE tenant_id = :tenant AND id = 'g1'",
    "INSERT INTO contacts (tenant_id, id, email, name, segments)"
    " VALUES (:tenant, 'cus_marker', 'mia@marker.example', 'Mia Marker', '{}')",
    "DELETE FROM contacts WHERE tenant_id = :tenant AND id = 'cus_marker'",
    "INSERT INTO webhook_endpoints (id, tenant_id, url, events)"
    " VALUES (gen_random_uuid(), :tenant, 'https://marker.example', '{run.finished}')",
    "UPDATE webhook_endpoints SET events = '{}' WHERE tenant_id = :tenant",
    "DELETE FROM webhook_endpoints WHERE tenant_id = :tenant",
    "INSERT INTO triage_models (tenant_id, version, weights, figures, source, active)"
    " VALUES (:tenant, 1, '\\x00', '{}', 'export', false)",
    "UPDATE triage_models SET active = true WHERE tenant_id = :tenant",
    "DELETE FROM triage_models WHERE tenant_id = :tenant",
)
LOOSE = Policy(refund_auto_limit={"USD": 100})


async def events(sessions: Sessions, tenant_id: str, **wanted: Any) -> list[AuditEvent]:
    """The tenant's events, oldest first, without those of what the test was given."""
    query = events_of(tenant_id, Wanted(**wanted)).order_by(AuditEvent.at)
    async with sessions() as session:
        found = list(await session.scalars(query))
    return [event for event in found if event.actor != "service" or event.kind not in GIVEN]


async def key_of(sessions: Sessions, tenant: Tenant, name: str, **more: Any) -> ApiKey:
    """A new admin of the tenant."""
    async with sessions.begin() as session:
        token = await issue_key(session, tenant.id, name, ["admin"], **more)
        return await session.get_one(ApiKey, token.split("_")[1])


async def test_a_refund_is_seen_from_approval_to_effect(
    service: Service, tenant: Tenant, sessions: Sessions
) -> None:
    """Opened, decided by whom, closed, begun and done; the reply as well; each about its run."""
    place = Workplace(service, tenant)
    uma = await place.key("Uma")
    run = await place.decide(await place.advance(await place.start()), "approve", "fine", by=uma)
    assert run.outcome == "acted"
    found = await events(sessions, tenant.id, subject=f"run:{run.id}")
    assert [event.kind for event in found] == [
        "approval.opened", "approval.closed", "decision.made", "effect.begun", "effect.done",
        "effect.done",
    ]  # fmt: skip
    opened, closed, decided, _, done, replied = found
    assert (decided.actor, decided.actor_key) == ("key", uma.id)
    assert decided.facts["verdict"] == "approve"
    assert decided.facts["shown_digest"] == opened.facts["digest"]
    assert closed.facts["status"] == "approved"
    assert (done.facts["tool"], done.facts["currency"]) == ("refund_payment", "USD")
    assert done.facts["amount_minor"] > 0
    assert replied.facts == {"tool": "send_reply"}
    assert opened.subjects[0] in done.subjects
    whose = func.encode(func.sha256(func.convert_to(f"{tenant.id}\x1fUma", "UTF8")), "hex")
    async with sessions() as session:
        assert decided.actor_sha256 == await session.scalar(select(whose))


async def test_every_kind_is_written_with_who_did_it(
    service: Service, tenant: Tenant, sessions: Sessions
) -> None:
    """Each change of a policy, a key, a connection, a ticket's holder, a pause, and the rest."""
    ann, ben = await key_of(sessions, tenant, "Ann"), await key_of(sessions, tenant, "Ben")
    vault = vault_of(service.settings)
    settings = {"url": "https://127.0.0.1:1/in"}

    async def act(work: Any, by: str = by_key(ann.id)) -> Any:
        async with sessions.begin() as session:
            await act_as(session, by)
            return await work(session)

    first = await act(lambda s: policies.replace(s, tenant.id, LOOSE, ann))
    await act(lambda s: policy_changes.decide(s, ben, first.id, "refuse"))
    again = await act(lambda s: policies.replace(s, tenant.id, LOOSE, ann))
    await act(lambda s: policy_changes.decide(s, ben, again.id, "confirm"))
    euros = {"refund_auto_limit": {"EUR": 1}}
    late = await act(lambda s: policies.change(s, tenant.id, euros, ann))
    over = update(PolicyChange).where(PolicyChange.id == late.id).values(expires_at=func.now())
    await act(lambda s: s.execute(over))
    await act(lambda s: expire_changes(s, 1))
    limits = update(ApiKey).where(ApiKey.id == ben.id).values(approve_limits={"USD": 5})
    await act(lambda s: s.execute(limits))
    await act(lambda s: revoke_key(s, tenant.id, ben.id), by=COMMAND_LINE)
    admin = tenant.admin.split("_")[1]
    await act(lambda s: revoke_key(s, tenant.id, admin), by=COMMAND_LINE)
    await act(lambda s: policies.change(s, tenant.id, euros, ann))
    await act(lambda s: issue_key(s, tenant.id, "Cy", []))
    row, _ = await act(lambda s: manage.add(s, vault, tenant.id, "webhook", "Desk", settings, {}))
    await act(lambda s: manage.change(s, vault, tenant.id, row.id, paused=True))
    await act(lambda s: manage.remove(s, tenant.id, row.id))
    await act(lambda s: takeover.take_over(s, tenant.id, "T-1", "Mia"))
    await act(lambda s: hand_back_ticket(s, tenant.id, "T-1"))
    await act(lambda s: pauses.pause(s, tenant.id, "Ann"))
    await act(lambda s: pauses.unpause(s, enqueue_run, tenant.id))
    await act(lambda s: erase_customer.erase(s, tenant.id, "cus_ann", ann.id))
    await act(lambda s: sign_in(s, ann, "key", timedelta(hours=1)))
    for statement in map(text, STATEMENTS):
        await act(lambda s, made=statement: s.execute(made, {"tenant": tenant.id}))

    found = await events(sessions, tenant.id)
    elsewhere = {"approval.opened", "approval.closed", "decision.made", "effect.begun",
                 "effect.done", "effect.failed"}  # fmt: skip
    assert {event.kind for event in found} == set(get_args(Kind)) - elsewhere
    revoked = [event for event in found if event.kind == "key.revoked"]
    assert {(event.actor, event.actor_key) for event in revoked} == {("command_line", None)}
    confirmed = [event for event in found if event.kind == "policy_change.confirmed"]
    assert [event.actor_key for event in confirmed] == [ben.id]
    by_ann = {event.kind for event in found if event.actor_key == ann.id}
    stored = [event for event in found if event.kind == "article.stored"]
    assert [(e.subjects, e.facts) for e in stored] == [(["article:a1", "article:a2"], {"count": 2})]
    contacts = [event for event in found if event.kind.startswith("contact.")]
    assert [(e.subjects, e.facts) for e in contacts] == [([], {"count": 1})] * 2
    assert "arker" not in str([(event.subjects, event.facts) for event in found])
    assert by_ann >= {"article.removed", "agent.stored", "contact.removed", "endpoint.changed",
                      "model.changed"}  # fmt: skip
    assert by_ann >= {"policy_change.pending", "connection.removed", "pause.ended", "key.issued",
                      "customer.erased", "ticket.taken_over"}  # fmt: skip


async def test_event_holds_no_name_text_or_address(
    service: Service, tenant: Tenant, sessions: Sessions
) -> None:
    """Of a customer and of those who decided: ids and hashes alone."""
    place = Workplace(service, tenant)
    uma = await place.key("Uma Umbral")
    await place.decide(await place.advance(await place.start()), "reject", "secretly", by=uma)
    async with sessions.begin() as session:
        await takeover.take_over(session, tenant.id, "T-1", "Mia Marker")
        await erase_customer.erase(session, tenant.id, "cus_ann", "test")
        rows = text("SELECT e::text FROM audit_events e WHERE tenant_id = :tenant")
        lines = list(await session.scalars(rows, {"tenant": tenant.id}))
    assert len(lines) > 5
    for word in ("Uma Umbral", "Mia Marker", "secretly", "cus_ann", "charged twice"):
        assert not [line for line in lines if word in line], word


async def test_fact_that_is_rolled_back_leaves_no_event(tenant: Tenant, sessions: Sessions) -> None:
    """Event and fact are one transaction: neither is there, nor waits for a seal."""
    before = await events(sessions, tenant.id)
    async with sessions() as session:
        await takeover.take_over(session, tenant.id, "T-9", "Mia")
        of_ticket = events_of(tenant.id, Wanted(subject="ticket:T-9"))
        assert len(list(await session.scalars(of_ticket))) == 1
        await session.rollback()
    assert await events(sessions, tenant.id) == before == []
    async with sessions() as session:
        waiting = select(UnsealedEvent.event_id).where(UnsealedEvent.tenant_id == tenant.id)
        known = select(AuditEvent.id).where(AuditEvent.tenant_id == tenant.id)
        assert set(await session.scalars(waiting)) == set(await session.scalars(known))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET kind = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events CASCADE",
        "UPDATE audit_seals SET seal = 'x'",
        "DELETE FROM audit_seals",
        "TRUNCATE audit_seals",
    ],
)
async def test_trail_is_only_appended_to(
    sessions: Sessions, tenant: Tenant, statement: str
) -> None:
    """The database refuses to change or delete, even to the owner of the tables."""
    with pytest.raises(ProgrammingError, match="is only appended to"):
        async with sessions.begin() as session:
            await session.execute(text(statement))


async def test_ids_are_in_the_order_of_time(tenant: Tenant, sessions: Sessions) -> None:
    """UUIDs of version 7 with the milliseconds of the event, so that a list pages by them."""
    async with sessions() as session:
        found = await session.execute(
            select(AuditEvent.id, AuditEvent.at).where(AuditEvent.tenant_id == tenant.id)
        )
        rows = list(found)
    assert rows
    for id_, at in rows:
        assert (id_.version, id_.variant) == (7, RFC_4122)
        assert abs((id_.int >> 80) - at.timestamp() * 1000) < CLOSE_MS
