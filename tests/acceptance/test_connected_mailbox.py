"""A mailbox, connected: a mail in is a run, its answer is one mail out, and loops end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.connected import WHOLE, Connected
from tests.acceptance.stack import Client, Stack
from tests.conftest import Tenant
from tests.doubles.imap_server import ImapBox, imap_server
from tests.doubles.own_desk import until
from tests.doubles.smtp_server import Postbox, smtp_server
from tests.mailboxes import ANN, mail, settings_for, stamped

E42 = "My upload fails with error E42. How do I fix it?"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


@dataclass(frozen=True, slots=True)
class MailConnected(Connected):
    """With the mailbox, and the server that sends."""

    box: ImapBox
    postbox: Postbox

    def all_runs(self) -> Any:
        """The tenant's runs, newest first, that have come to rest."""
        answer = self.starter.http.get("/v1/runs", params={"expand": WHOLE})
        items = answer.raise_for_status().json()["items"]
        return [run for run in items if run["status"] not in ("pending", "running")]

    def mails_to(self, address: str) -> list[Any]:
        """What was sent to the address."""
        return [message for to, message in self.postbox.taken if to == address]


@pytest.fixture
async def connected(
    stack: Stack, tenant: Tenant, starter: Client, approver: Client, admin: Client
) -> AsyncIterator[MailConnected]:
    """A tenant with a connected mailbox that was read once."""
    async with imap_server() as box, smtp_server(Postbox()) as postbox:
        asked = {
            "kind": "email",
            "name": "Support",
            "settings": settings_for(box, postbox.port),
            "credentials": {"user": box.user, "password": box.password},
        }
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        yield MailConnected(made.json()["id"], admin, approver, starter, box, postbox)
        admin.http.delete(f"/v1/connections/{made.json()['id']}")


async def eventually(condition: Any) -> Any:
    """What the condition answers once it is true; asked in a thread, since servers run here."""
    return await asyncio.to_thread(until, condition)


async def is_read(connected: MailConnected) -> None:
    """Wait until the mailbox was looked at, so that the next mail is new."""

    def tested() -> bool:
        path = f"/v1/connections/{connected.id}/test"
        checks = connected.admin.http.post(path).json()["checks"]
        return any(check["name"] == "read" and check["ok"] for check in checks)

    await eventually(tested)


async def test_mail_is_answered_by_one_mail_in_its_thread(connected: MailConnected) -> None:
    """The answer names the question's Message-ID, and says that it is automatic."""
    await is_read(connected)
    question = mail(text=E42, subject="Upload")
    await connected.box.put(stamped(question))
    [answer] = await eventually(lambda: connected.mails_to(ANN))
    assert answer["In-Reply-To"] == question["Message-ID"]
    assert answer["Auto-Submitted"] == "auto-replied"
    [run] = await eventually(connected.all_runs)
    assert (run["outcome"], run["customer_id"]) == ("answered", "cus_ann")
    assert run["reply"]["text"].split()[0] in answer.get_content()
    delivered = await eventually(connected.deliveries)
    assert delivered[-1]["status"] == "sent"


async def test_mail_that_no_server_proved_has_no_account(connected: MailConnected) -> None:
    """From proves nothing: no payment is read, and a person gets it."""
    await is_read(connected)
    await connected.box.put(bytes(mail(text=TWICE, subject="Refund")))
    [run] = await eventually(connected.all_runs)
    assert (run["outcome"], run["plan"]) == ("escalated", [])
    assert run["customer_id"].startswith(f"{connected.id}:")


async def test_automatic_mail_is_not_answered(connected: MailConnected) -> None:
    """Out of office: seen, and no mail leaves."""
    await is_read(connected)
    away = mail(
        text="I am away until Monday.", subject="Out of office", Auto_Submitted="auto-replied"
    )
    await connected.box.put(stamped(away))
    [run] = await eventually(connected.all_runs)
    assert (run["outcome"], run["ignored"]) == ("ignored", "auto_reply")
    assert connected.postbox.taken == []


async def test_lost_answer_of_the_mail_server_sends_no_second_mail(
    connected: MailConnected,
) -> None:
    """The line is cut after DATA: the same Message-ID at most once more, never another mail."""
    await is_read(connected)
    cut = ["hang up"]
    connected.postbox.data = lambda _address: cut.pop() if cut else None
    await connected.box.put(stamped(mail(text=E42, subject="Upload")))

    def ended() -> Any:
        replies = [d for d in connected.deliveries() if d["kind"] == "reply"]
        return replies if replies and replies[0]["status"] != "pending" else None

    [reply] = await eventually(ended)
    assert reply["status"] == "sent"
    sent = connected.mails_to(ANN)
    assert len({message["Message-ID"] for message in sent}) == 1
    assert len(sent) <= 2
