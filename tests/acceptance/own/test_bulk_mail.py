"""A mailing through the whole service: workers that are killed or drained send no mail twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psycopg
import pytest

from app.commands.keys import issue_key
from app.db.core.connections import Sessions, make_engine
from tests.acceptance.stack import Client, Stack, running
from tests.conftest import Tenant
from tests.doubles.smtp_server import Postbox, smtp_server

pytestmark = pytest.mark.no_articles

ASK = "Please mail all customers on the Pro plan.\nText:\nHello {name}, we are closed on Monday."
PATIENCE_SECONDS = 30


@pytest.fixture
async def marketing_key(database_url: str, tenant: Tenant) -> str:
    """A key that may cause mailings."""
    engine = make_engine(database_url, 1)
    try:
        async with Sessions(engine).begin() as session:
            scopes = ["runs:write", "runs:read", "mail:send"]
            return await issue_key(session, tenant.id, "marketing", scopes)
    finally:
        await engine.dispose()


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Postbox]:
    """The mail server; it runs in the test's loop, so the client works in threads."""
    async with smtp_server(Postbox()) as opened:
        yield opened


@pytest.fixture(scope="module")
def api(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, server: Postbox
) -> Iterator[Stack]:
    """An API without workers."""
    env = {
        "DESKGRAPH_SMTP_HOST": "127.0.0.1",
        "DESKGRAPH_SMTP_PORT": str(server.port),
        "DESKGRAPH_SMTP_SECURITY": "none",
        "DESKGRAPH_DRAIN_SECONDS": "10",
    }
    with running(Stack(database_url, tmp_path_factory.mktemp("mail"), **env)) as stack:
        stack.api()
        yield stack


@pytest.fixture
def postbox(server: Postbox) -> Postbox:
    """The mail server with nothing in it."""
    server.taken.clear()
    server.tried.clear()
    server.before_answer = None
    return server


@pytest.fixture
async def mail_stack(api: Stack) -> AsyncIterator[Stack]:
    """The API; each test starts its own workers, and they end with it."""
    yield api
    for process in api.processes[1:]:
        await asyncio.to_thread(process.stop)


@pytest.fixture
def marketing(mail_stack: Stack, marketing_key: str) -> Client:
    """Starts mailings."""
    return mail_stack.client(marketing_key)


@pytest.fixture
def reviewer(mail_stack: Stack, tenant: Tenant) -> Client:
    """Agrees to mailings: the offline model's plans wait for a person."""
    return mail_stack.client(tenant.approver)


async def agreed(marketing: Client, reviewer: Client, body: str) -> Any:
    """A mailing that a person has just agreed to."""
    run = await asyncio.to_thread(marketing.start, "cus_desk", body)
    answer = await asyncio.to_thread(reviewer.decide, run, "approve")
    assert answer.status_code == 202, answer.text
    return run


async def until(condition: Callable[[], Any]) -> None:
    """Wait while the mail server goes on."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.02)


def readers(count: int) -> list[str]:
    """The addresses of the first so many contacts."""
    return [f"reader{number}@example.com" for number in range(1, count + 1)]


def mailings(run: Any) -> list[Any]:
    """The run's effects that are mailings."""
    return [effect for effect in run["effects"] if effect["tool"] == "send_bulk_mail"]


async def test_worker_killed_inside_a_mail_sends_none_twice(
    mail_stack: Stack, marketing: Client, reviewer: Client, postbox: Postbox
) -> None:
    """The server had the second mail when the worker died: unknown, and the rest get theirs."""
    arrived, never = asyncio.Event(), asyncio.Event()

    async def hold_the_second(_address: str) -> None:
        if len(postbox.taken) == 2:
            arrived.set()
            await never.wait()

    postbox.before_answer = hold_the_second
    doomed = await asyncio.to_thread(mail_stack.worker)
    run = await agreed(marketing, reviewer, ASK)
    await asyncio.wait_for(arrived.wait(), PATIENCE_SECONDS)
    doomed.kill()
    await asyncio.to_thread(mail_stack.worker)
    done = await asyncio.to_thread(marketing.run, run["id"])

    assert (done["status"], done["outcome"]) == ("success", "acted")
    assert sorted(postbox.addresses) == readers(4)
    [effect] = mailings(done)
    assert effect["result"] == {
        "audience": "pro", "sent": 3, "failed": 0, "unknown": 1, "skipped": 0,
    }  # fmt: skip
    assert "3 contacts in pro (1 perhaps not reached)" in done["reply"]["text"]


@pytest.mark.thorough
async def test_drained_worker_hands_the_rest_to_another(
    mail_stack: Stack, marketing: Client, reviewer: Client, postbox: Postbox
) -> None:
    """SIGTERM inside a mailing: the run is handed back with its progress, and goes on."""

    async def take_time(_address: str) -> None:
        await asyncio.sleep(0.4)

    postbox.before_answer = take_time
    first = await asyncio.to_thread(mail_stack.worker)
    body = ASK.replace("on the Pro plan", "in trial")
    run = await agreed(marketing, reviewer, body)
    await until(lambda: len(postbox.taken) >= 2)
    assert await asyncio.to_thread(first.stop) == 0
    rest = await asyncio.to_thread(marketing.run, run["id"], 0)
    assert rest["status"] == "pending"
    [effect] = mailings(rest)
    assert effect["result"] is None
    assert 2 <= effect["progress"]["sent"] < 12
    assert effect["progress"]["unknown"] == 0

    await asyncio.to_thread(mail_stack.worker)
    done = await asyncio.to_thread(marketing.run, run["id"])
    assert (done["outcome"], done["attempt"]) == ("acted", 3), "agreed to, and handed back"
    assert sorted(postbox.addresses) == sorted(readers(12))
    assert mailings(done)[0]["result"]["sent"] == 12


async def test_ticket_of_a_key_without_the_scope_sends_no_mail(
    mail_stack: Stack, tenant: Tenant, postbox: Postbox, database_url: str
) -> None:
    """The same words from the helpdesk's key propose nothing and send no mail."""
    await asyncio.to_thread(mail_stack.worker)
    helpdesk = mail_stack.client(tenant.starter)
    done = await asyncio.to_thread(helpdesk.start, "cus_ann", ASK)
    assert done["status"] == "success"
    assert (done["plan"], mailings(done), postbox.tried) == ([], [], [])
    with psycopg.connect(database_url) as connection:
        query = "SELECT 1 FROM mail_recipients WHERE tenant_id = %s"
        assert connection.execute(query, [tenant.id]).fetchall() == []


async def test_large_mailing_waits_for_a_person(
    mail_stack: Stack, marketing: Client, tenant: Tenant, postbox: Postbox
) -> None:
    """At the gate: the count, the masked addresses and the text are shown, then it is sent."""
    await asyncio.to_thread(mail_stack.worker)
    body = ASK.replace("customers on the Pro plan", "newsletter readers")
    paused = await asyncio.to_thread(marketing.start, "cus_desk", body)
    assert paused["status"] == "interrupted"
    [step] = paused["plan"]
    assert (step["args"]["recipients"], postbox.tried) == (40, [])
    assert "r***@example.com" in step["evidence"][0]["summary"]
    assert "Hello R***," in step["evidence"][1]["summary"]
    approver = mail_stack.client(tenant.approver)
    assert (await asyncio.to_thread(approver.decide, paused, "approve")).status_code == 202
    done = await asyncio.to_thread(marketing.run, paused["id"])
    assert mailings(done)[0]["result"]["sent"] == 40
    assert sorted(postbox.addresses) == sorted(readers(40))
