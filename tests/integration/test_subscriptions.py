"""The sandbox provider ends a subscription once; the right to mail is read from the key."""

import asyncio

import pytest

from app.adapters.ports.sandbox_subscriptions import SandboxSubscriptions
from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from app.db.runs.beginning import beginning_of
from app.db.tables.runs import Run
from app.db.tenants.queries import revoke_key
from app.services.runs.start_and_cancel import NewRun, start
from tests.conftest import Tenant
from tools.errors import RefusedError

pytestmark = pytest.mark.no_articles


async def test_subscription_is_cancelled_once(sessions: Sessions, tenant: Tenant) -> None:
    """One key again answers the same; ten keys at once cancel it one time."""
    provider = SandboxSubscriptions(sessions, tenant.id)
    first = await provider.cancel_subscription("sub_1001", "r", key="k")
    assert await provider.cancel_subscription("sub_1001", "r", key="k") == first
    assert await provider.find_cancellation("k", "sub_1001") == first
    assert await provider.find_cancellation("other", "sub_1001") is None
    assert await provider.find_cancellation("k", "sub_5001") is None
    [ann] = await provider.subscriptions("cus_ann")
    assert (ann["status"], ann["renews_at"]) == ("cancelled", None)
    calls = [provider.cancel_subscription("sub_5001", "r", key=f"k{n}") for n in range(10)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, RefusedError) for result in results) == 9
    kept = await provider.subscriptions("cus_eva")
    assert [s["status"] for s in kept] == ["cancelled", "active"]


async def test_tenants_do_not_see_each_others_subscriptions(
    sessions: Sessions, tenant: Tenant
) -> None:
    """The same id elsewhere is another subscription."""
    stranger = SandboxSubscriptions(sessions, "nobody")
    assert await stranger.subscriptions("cus_ann") == []
    with pytest.raises(RefusedError):
        await stranger.cancel_subscription("sub_1001", "r", key="k")
    [ann] = await SandboxSubscriptions(sessions, tenant.id).subscriptions("cus_ann")
    assert ann["status"] == "active"


async def test_right_to_mail_is_the_live_keys_own(sessions: Sessions, tenant: Tenant) -> None:
    """Another scope, another tenant or a revoked key may not mail."""
    async with sessions.begin() as session:
        token = await issue_key(session, tenant.id, "marketing", ["runs:write", "mail:send"])
        key_id = token.split("_")[1]
        starter = tenant.starter.split("_")[1]
        asked = await start(session, tenant.id, key_id, new("T-1"))
        other = await start(session, tenant.id, starter, new("T-2"))
        stranger = Run(id=asked.id, tenant_id="another", thread_id=asked.thread_id, seq=asked.seq)
        stranger.ticket_id, stranger.customer_id = asked.ticket_id, asked.customer_id
        assert (await beginning_of(session, asked)).may_mail
        assert not (await beginning_of(session, other)).may_mail
        assert not (await beginning_of(session, stranger)).may_mail
        await revoke_key(session, tenant.id, key_id)
        assert not (await beginning_of(session, asked)).may_mail


def new(ticket_id: str) -> NewRun:
    """A request to start a run."""
    ticket = {"id": ticket_id, "subject": "News", "body": "Mail them", "customer": {"id": "c"}}
    return NewRun(ticket, None, {})
