"""After an edit people judge what is left, not what was proposed."""

from typing import Any

import pytest

from app.db.core.connections import Sessions
from app.db.effects.mailings import put_contacts
from app.services.approvals.edit import StepEdit
from app.services.approvals.open_approval import digest_of
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.paused import PLAN, Desk

pytestmark = pytest.mark.no_articles

LOWERED = StepEdit("refund-pay_1", {"amount_minor": 10_000}, drop=False)


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


async def test_second_approver_judges_what_is_left(desk: Desk) -> None:
    """Risk and preview are those of the edited steps, and the digest binds them."""
    mail: Any = {
        "id": "mail-beta", "tool": "send_bulk_mail", "editable": ["subject", "body"],
        "args": {"audience": "beta", "subject": "Old", "body": "Old for {name}",
                 "recipients": 2, "as_of": "2026-11-22T09:00:00+00:00"},
        "reason": "asked", "risk": "mails 2 people; a mail cannot be taken back",
        "evidence": [{"kind": "contacts", "id": "beta", "summary": "2 recipients"},
                     {"kind": "mail", "id": "beta", "summary": "Subject: Old\n\nOld for Ada"}],
    }  # fmt: skip
    rows = [{"tenant_id": desk.tenant.id, "id": id_, "email": f"{id_}@example.com", "name": name,
             "segments": ["beta"], "unsubscribed": False}
            for id_, name in (("c2", "Bo"), ("c1", "Ada"))]  # fmt: skip
    async with desk.sessions.begin() as session:
        await put_contacts(session, rows)
    steps = [*PLAN, mail]
    run = await desk.pause(required_approvers=2, steps=steps)
    rewritten = StepEdit("mail-beta", {"body": "New for {name}"}, drop=False)
    await desk.decide(
        await desk.person("Ann"), await desk.approval(run), "edit", LOWERED, rewritten
    )
    shown = await desk.approval(run)
    lowered, untouched, mailed = shown.steps
    assert lowered["risk"] == "moves 100.00 USD to the customer"
    assert untouched == PLAN[1], "what was not edited stays as it was shown"
    assert mailed["risk"] == mail["risk"]
    assert [e["summary"] for e in mailed["evidence"]] == [
        "2 recipients", "Subject: Old\n\nNew for A***",
    ]  # fmt: skip
    assert shown.digest == digest_of(shown)
