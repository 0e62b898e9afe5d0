"""A run may mail only when the key of every message in it may."""

from contextlib import nullcontext

import pytest

from app.commands.keys import issue_key
from app.execution.wiring import Service, context_for
from app.services.runs import start_and_cancel
from app.services.runs.merge_messages import absorb
from app.services.runs.start_and_cancel import NewRun
from tests.conftest import Tenant
from tools.errors import PermissionDeniedError
from tools.mail import BULK_MAIL, READ_AUDIENCES

pytestmark = pytest.mark.no_articles

SCOPES = {"helpdesk": ["runs:write"], "news": ["runs:write", "mail:send"]}


@pytest.mark.parametrize(
    ("holders", "may_mail"),
    [
        (["news"], True),
        (["news", "news"], True),
        (["helpdesk"], False),
        (["news", "helpdesk"], False),
        (["helpdesk", "news"], False),
        (["news", "news", "helpdesk"], False),
    ],
)
async def test_merged_message_of_a_key_without_the_scope_takes_the_right_to_mail(
    service: Service, tenant: Tenant, holders: list[str], *, may_mail: bool
) -> None:
    """Joined before the run began or while it waited; the toolbox then refuses a mailing."""
    body = "Please mail all customers on the Pro plan.\nText: Hi"
    ticket = {"id": "T-1", "subject": "Help", "body": body, "customer": {"id": "cus_ann"}}
    async with service.sessions.begin() as session:
        keys = {
            name: (await issue_key(session, tenant.id, name, scopes)).split("_")[1]
            for name, scopes in SCOPES.items()
        }
        new = NewRun(ticket, None, {})
        first, *others = [
            await start_and_cancel.start(session, tenant.id, keys[holder], new)
            for holder in holders
        ]
        await absorb(session, first)
    async with service.sessions() as session:
        merged = [await start_and_cancel.get(session, tenant.id, other.id) for other in others]
    assert [run.merged_into for run in merged] == [first.id] * len(others)
    context, _ = await context_for(service, first)
    assert context.caller.may_mail is may_mail
    mailing = {"audience": "all", "subject": "Hi", "body": "Hi", "recipients": 1, "as_of": "now"}
    with nullcontext() if may_mail else pytest.raises(PermissionDeniedError):
        await context.toolbox("general").call(READ_AUDIENCES, {})
    with nullcontext() if may_mail else pytest.raises(PermissionDeniedError):
        await context.toolbox("act").problem(BULK_MAIL, mailing)
