"""Threads on which the bot is silent: nothing is asked, a person has it, or it said enough."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from app.adapters.effects import ownership
from app.adapters.ports.conversations import PostgresConversations
from app.db.tables.runs import Message
from app.db.tables.sandbox import Handoff
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.api import caller, serving_api
from tests.integration.conftest import Begin
from tests.integration.test_ledger import open_toolbox, refund_args
from tests.integration.threads import AWAY, HUMAN, QUESTION, Desk, key_of, worker_on
from tests.unit.desk import TWICE
from tools.errors import TakenOverError


@pytest.fixture
async def desk(service: Service, tenant: Tenant) -> AsyncIterator[Desk]:
    """The tenant's desk behind HTTP."""
    runner = worker_on(service)
    key = await key_of(runner, tenant)
    async with serving_api(service) as url, caller(url, key) as client:
        yield Desk(runner, tenant, client)


async def set_policy(desk: Desk, **values: Any) -> None:
    """The tenant's policy with these values."""
    shown = await desk.client.get("/v1/policy")
    body = {k: v for k, v in shown.json().items() if not k.startswith(("version", "created"))}
    answer = await desk.client.put(
        "/v1/policy", json=body | values, headers={"If-Match": shown.headers["ETag"]}
    )
    assert answer.status_code == 200, answer.text


async def test_automatic_mail_is_ignored_and_counted(desk: Desk) -> None:
    """No reply, no hand-off, no model call; found by its outcome, and in the metrics."""
    run = await desk.write(QUESTION, headers=AWAY)
    assert (run["status"], run["outcome"], run["ignored"]) == ("success", "ignored", "auto_reply")
    assert (run["reply"], run["handoff"], run["escalation"], run["tokens"]) == (None, None, None, 0)
    assert (await desk.replies(), await desk.handoffs()) == ([], [])
    steps = (await desk.client.get(f"/v1/runs/{run['id']}/steps")).json()["items"]
    assert [(step["node"], step["model_calls"]) for step in steps] == [("classify", [])]
    await desk.write(QUESTION, "T-2")
    page = (await desk.client.get("/v1/runs", params={"outcome": "ignored"})).json()
    assert [item["id"] for item in page["items"]] == [run["id"]]
    metrics = (await desk.client.get("/metrics")).text
    [line] = [m for m in metrics.splitlines() if 'last_hour{reason="auto_reply"}' in m]
    assert float(line.split()[1]) >= 1


async def test_callback_says_that_it_was_ignored(desk: Desk) -> None:
    """The helpdesk hears of the end, as of every other one."""
    ticket = {"id": "T-1", "subject": "s", "body": QUESTION, "customer": {"id": "c"}}
    wanted = {"ticket": ticket | {"headers": AWAY}, "callback_url": "https://helpdesk.invalid/hook"}
    run = (await desk.client.post("/v1/runs", json=wanted)).json()
    await desk.advance(run["id"])
    [callback] = (await desk.client.get("/v1/callbacks")).json()["items"]
    assert callback["event"] == "run.finished"
    async with desk.runner.service.sessions() as session:
        body = await session.scalar(
            text("SELECT body FROM callbacks WHERE run_id = :run"), {"run": run["id"]}
        )
    assert '"outcome":"ignored"' in str(body).replace(" ", "").replace("'", '"')


async def test_headers_are_bounded_and_hold_no_control_characters(desk: Desk) -> None:
    """Each is a 422 with the place, and 100 of them pass."""
    ticket = {"id": "T-1", "subject": "s", "body": "b", "customer": {"id": "c"}}
    bad: list[dict[str, Any]] = [
        {f"X-{n}": "v" for n in range(101)}, {"X\n": "v"}, {"": "v"}, {"X y": "v"}, {"X": "a\r\nb"},
        {"X": "v" * 2001}, {"X" * 101: "v"}, {"X": 1}, {"X": None},
    ]  # fmt: skip
    for headers in bad:
        answer = await desk.client.post("/v1/runs", json={"ticket": ticket | {"headers": headers}})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), headers
    most = {f"X-{n}": "v" * 2000 for n in range(100)}
    answer = await desk.client.post("/v1/runs", json={"ticket": ticket | {"headers": most}})
    assert answer.status_code == 202


async def test_message_without_text_goes_to_a_person(desk: Desk) -> None:
    """It is never ignored: an attachment may say it all."""
    run = await desk.write("")
    assert (run["outcome"], run["escalation"]["reason"]) == ("escalated", "empty")
    assert len(await desk.handoffs()) == 1


async def test_doubtful_mail_goes_to_a_person_without_a_word(desk: Desk) -> None:
    """A reply could be answered by the machine that sent it."""
    body = "I am out of the office until Monday. Please cancel my subscription before Friday."
    run = await desk.write(body, subject="Automatic reply: Help")
    assert (run["outcome"], run["escalation"]["reason"]) == ("escalated", "perhaps_automatic")
    assert (run["reply"], await desk.replies()) == (None, [])
    [handoff] = await desk.handoffs()
    assert "cancel my subscription" in handoff["summary"]


async def test_open_handoff_holds_its_ticket(desk: Desk) -> None:
    """The next messages are its person's, whatever they ask, until it is closed."""
    first = await desk.write(HUMAN)
    assert first["outcome"] == "escalated"
    said = ["Hello?", QUESTION, HUMAN]
    runs = [await desk.write(body) for body in said]
    assert [(run["outcome"], run["ignored"]) for run in runs] == [("ignored", "human_has_it")] * 3
    assert len(await desk.replies()) == 1
    [handoff] = await desk.handoffs()
    assert [message["text"] for message in handoff["messages"]] == said
    thread = await desk.thread()
    assert thread["handled_by"] == handoff["agent_id"]
    assert thread["handled_since"] == handoff["held_since"]
    closed = await desk.post(f"/v1/handoffs/{handoff['id']}/close")
    assert len(closed["messages"]) == 3
    assert (await desk.thread())["handled_since"] is None
    assert (await desk.write(QUESTION))["outcome"] == "answered"
    [shown] = await desk.handoffs("closed")
    assert [message["text"] for message in shown["messages"]] == said


async def test_messages_that_waited_are_the_persons_too(desk: Desk) -> None:
    """Also one that was written before the hand-off was opened, and is read after it."""
    first = await desk.start(HUMAN)
    other = await desk.start("And my invoice?", customer={"id": "cus_other"})
    await desk.advance(first)
    assert (await desk.advance(other))["ignored"] == "human_has_it"
    [handoff] = await desk.handoffs()
    assert [message["text"] for message in handoff["messages"]] == ["And my invoice?"]


async def test_open_handoff_of_a_part_holds_its_part(desk: Desk) -> None:
    """The bot goes on with the ticket, and leaves that part to its person until it is closed."""
    first = await desk.write("Thank you!")
    helpdesk = PostgresConversations(
        desk.runner.service.sessions, desk.tenant.id, UUID(first["id"])
    )
    for part in ("billing", "technical", "general"):
        key = f"handoff:{first['id']}:{part}"
        await helpdesk.open_handoff("T-1", part, "normal", "Why", key=key)
    assert (await desk.thread())["handled_since"] is None
    assert (await desk.write(QUESTION))["ignored"] == "human_has_it"
    opened = await desk.handoffs()
    assert [handoff["part"] for handoff in opened] == ["billing", "technical", "general"]
    assert [[m["text"] for m in handoff["messages"]] for handoff in opened] == [[QUESTION]] * 3
    await desk.hand_back()
    assert len(await desk.handoffs()) == 3, "they are no hand-offs of the whole ticket"
    for handoff in opened:
        await desk.post(f"/v1/handoffs/{handoff['id']}/close")
    assert (await desk.write(QUESTION))["outcome"] == "answered"


async def test_handoff_of_a_part_holds_the_questions_that_it_names(desk: Desk) -> None:
    """Another question of the part is answered, a reminder is its person's."""
    first = await desk.write("Thank you!")
    helpdesk = PostgresConversations(
        desk.runner.service.sessions, desk.tenant.id, UUID(first["id"])
    )
    key = f"handoff:{first['id']}:general"
    for asked in ("Do you sell gift cards?", "Is there a discount?"):
        await helpdesk.open_handoff("T-1", "general", "normal", "Why", key=key, questions=[asked])
    assert (await desk.write(QUESTION))["outcome"] == "answered"
    for reminder in ("Any news about the gift cards?", "Hello?"):
        assert (await desk.write(reminder))["ignored"] == "human_has_it", reminder
    [handoff] = await desk.handoffs()
    assert [message["text"] for message in handoff["messages"]][1:] == [
        "Any news about the gift cards?", "Hello?",
    ]  # fmt: skip


async def test_handoff_that_no_person_closes_lets_go(desk: Desk) -> None:
    """After the policy's hours the bot answers again; a new need holds the ticket afresh."""
    await set_policy(desk, handoff_hold_hours=2)
    await desk.write(HUMAN)
    older = text("now() - interval '3 hours'")
    async with desk.runner.service.sessions.begin() as session:
        mine = update(Handoff).where(Handoff.tenant_id == desk.tenant.id)
        await session.execute(mine.values(held_since=older))
    assert (await desk.thread())["handled_since"] is None
    assert (await desk.write(QUESTION))["outcome"] == "answered"
    assert (await desk.write(HUMAN))["outcome"] == "escalated"
    assert len(await desk.handoffs()) == 1, "it is the same person's still"
    assert (await desk.write(QUESTION))["ignored"] == "human_has_it"
    await set_policy(desk, handoff_hold_hours=None)
    async with desk.runner.service.sessions.begin() as session:
        await session.execute(mine.values(held_since=older))
    assert (await desk.write(QUESTION))["ignored"] == "human_has_it"


async def test_takeover_and_handback_may_be_repeated(desk: Desk) -> None:
    """A ticket that no run knows yet is taken over as well; the first time stays."""
    assert (await desk.client.get("/v1/threads/T-1")).status_code == 404
    first = await desk.take_over()
    again = await desk.take_over(handled_by="Mia")
    assert (first["handled_by"], again["handled_by"]) == ("Uma", "Mia")
    assert first["handled_since"] == again["handled_since"]
    assert (await desk.thread())["handled_by"] == "Mia"
    assert (await desk.write(QUESTION))["ignored"] == "human_has_it"
    assert await desk.replies() == []
    for _ in range(2):
        back = await desk.hand_back()
        assert (back["handled_by"], back["handled_since"]) == (None, None)
    assert (await desk.write(QUESTION))["outcome"] == "answered"


async def test_handback_closes_the_tickets_handoff(desk: Desk) -> None:
    """The person is done with it, and its next message is the bot's."""
    await desk.write(HUMAN)
    await desk.take_over()
    await desk.hand_back()
    assert await desk.handoffs() == []
    assert (await desk.write(QUESTION))["outcome"] == "answered"


async def test_tenants_take_over_their_own_tickets_only(desk: Desk, service: Service) -> None:
    """The same ticket id of another tenant is another ticket; and a reader may not."""
    await desk.take_over()
    async with service.sessions() as session:
        rows = await session.execute(
            text("SELECT tenant_id FROM takeovers WHERE ticket_id = 'T-1'")
        )
        assert [desk.tenant.id] == [
            row.tenant_id for row in rows if row.tenant_id == desk.tenant.id
        ]
    bad = await desk.client.post("/v1/threads/T-1/takeover", json={"handled_by": "a\nb"})
    assert bad.status_code == 422


async def test_nothing_leaves_after_a_takeover_has_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken over after the draft was made and before it is sent: the run ends without a reply."""
    hold, taken = ownership.hold_still, asyncio.Event()

    async def later(*args: Any) -> None:
        await desk.take_over("T-9")
        taken.set()
        await hold(*args)

    monkeypatch.setattr("app.adapters.effects.ledger.hold_still", later)
    run = await desk.write(QUESTION, "T-9")
    assert taken.is_set()
    assert (run["status"], run["outcome"], run["ignored"]) == ("success", "ignored", "human_has_it")
    assert (run["reply"], run["effects"], await desk.replies("T-9")) == (None, [], [])


async def test_approved_plan_of_a_taken_over_ticket_is_carried_out(desk: Desk) -> None:
    """A person agreed to it, so the money moves; its reply is not sent."""
    run = await desk.write(TWICE, customer={"id": "cus_ann"})
    [approval] = run["approvals"]
    await desk.take_over()
    still = (await desk.client.get(f"/v1/runs/{run['id']}")).json()
    assert still["status"] == "interrupted"
    answer = {"approval_id": approval["id"], "digest": approval["digest"], "verdict": "approve"}
    other = await key_of(desk.runner, desk.tenant, "Max")
    decided = await desk.client.post(
        f"/v1/runs/{run['id']}/resume",
        json=answer,
        headers={"Authorization": f"Bearer {other}"},
    )
    assert decided.status_code == 202, decided.text
    ended = await desk.advance(run["id"])
    assert (ended["status"], ended["outcome"]) == ("success", "acted")
    assert (ended["ignored"], ended["reply"]) == ("human_has_it", None)
    assert [effect["tool"] for effect in ended["effects"]] == ["refund_payment"]
    assert await desk.replies() == []


async def test_effect_without_a_person_waits_for_no_takeover(desk: Desk, begin: Begin) -> None:
    """A refund within the limit is the bot's own deed, and the ticket is a person's."""
    whose = await begin()
    box = open_toolbox(desk.runner.service.sessions, whose)
    assert (await box.call("refund_payment", refund_args("pay_4001", 100)))["amount_minor"] == 100
    await desk.take_over(whose.ticket_id)
    with pytest.raises(TakenOverError):
        await box.call("refund_payment", refund_args("pay_4002", 100))
    again = await box.call("refund_payment", refund_args("pay_4001", 100))
    assert again["amount_minor"] == 100, "what was done is known"


async def test_takeover_waits_for_a_reply_that_has_begun(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in the thread when the takeover answers."""
    begun, released, send = asyncio.Event(), asyncio.Event(), PostgresConversations.reply

    async def slow(*args: Any, **named: Any) -> Any:
        begun.set()
        await released.wait()
        return await send(*args, **named)

    monkeypatch.setattr(PostgresConversations, "reply", slow)
    running = asyncio.create_task(desk.write(QUESTION))
    await begun.wait()
    taking = asyncio.create_task(desk.take_over())
    seen = None
    while seen is None:
        seen = (await desk.thread())["handled_by"]
    assert not taking.done()
    released.set()
    await taking
    assert len(await desk.replies()) == 1
    assert (await running)["outcome"] == "answered"


async def test_takeover_and_reply_at_the_same_instant(desk: Desk) -> None:
    """Ten times: what the thread holds when the takeover answers is all that it ever holds."""
    silent = 0
    for turn in range(10):
        ticket = f"R-{turn}"
        run_id = await desk.start(QUESTION, ticket)

        async def later(wait: float, ticket: str = ticket) -> int:
            await asyncio.sleep(wait)
            await desk.take_over(ticket)
            return len(await desk.replies(ticket))

        run, at_answer = await asyncio.gather(desk.advance(run_id), later(turn / 50))
        assert len(await desk.replies(ticket)) == at_answer
        assert run["status"] == "success"
        silent += run["outcome"] == "ignored"
    assert silent > 0


async def test_thread_gets_so_many_replies_an_hour(desk: Desk) -> None:
    """Then one hand-off without a reply, and silence; the next hour is another one."""
    await set_policy(desk, replies_per_thread_hour=2)
    runs = [await desk.write(f"Hello {n}, {QUESTION}") for n in range(4)]
    assert [run["outcome"] for run in runs] == ["answered", "answered", "escalated", "ignored"]
    assert runs[2]["escalation"]["reason"] == "too_many_replies"
    assert (runs[2]["reply"], runs[3]["ignored"]) == (None, "human_has_it")
    assert (len(await desk.replies()), len(await desk.handoffs())) == (2, 1)


async def test_thread_gets_so_many_replies_a_day(desk: Desk) -> None:
    """Those of the hours before count as well."""
    await set_policy(desk, replies_per_thread_day=2)
    for n in range(2):
        assert (await desk.write(f"Hello {n}, {QUESTION}"))["outcome"] == "answered"
        await age(desk)
    run = await desk.write(f"Hello again, {QUESTION}")
    assert (run["escalation"]["reason"], run["reply"]) == ("too_many_replies", None)
    assert run["escalation"]["detail"] == "2 replies left within the last day."


async def age(desk: Desk) -> None:
    """As if everything had been written three hours earlier."""
    async with desk.runner.service.sessions.begin() as session:
        mine = update(Message).where(Message.tenant_id == desk.tenant.id)
        await session.execute(
            mine.values(created_at=Message.created_at - text("interval '3 hours'"))
        )


@pytest.mark.parametrize("limit", ["replies_per_thread_hour", "replies_per_thread_day"])
async def test_reply_over_the_limit_is_held_at_the_last_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Although the run began below it: the transaction of the reply counts again."""
    await set_policy(desk, **{limit: 1})
    assert (await desk.write(QUESTION))["outcome"] == "answered"
    monkeypatch.setattr("graphs.quiet.nothing_to_answer", lambda *_: None)
    monkeypatch.setattr("graphs.nodes.classify.nothing_to_answer", lambda *_: None)
    run = await desk.write(f"Hello again, {QUESTION}")
    assert (run["outcome"], run["escalation"]["reason"]) == ("escalated", "too_many_replies")
    assert (run["reply"], len(await desk.replies()), len(await desk.handoffs())) == (None, 1, 1)


async def test_loop_of_two_machines_ends(desk: Desk) -> None:
    """A machine that answers each of our replies with other words, and with our own."""
    sent = 0
    for turn in range(12):
        before = len(await desk.replies())
        await desk.write(f"Hello {turn}, {QUESTION}")
        replies = await desk.replies()
        sent = len(replies)
        if sent == before:
            break
        run = await desk.write(replies[-1])
        assert run["ignored"] == "echo"
    assert sent == 5
    assert len(await desk.handoffs()) == 1


async def test_erased_customers_handoff_holds_nothing(desk: Desk) -> None:
    """Neither the ticket nor the words; nor does a takeover."""
    await desk.write(HUMAN)
    await desk.write("Hello? It is me.")
    await desk.take_over()
    erased = await desk.client.delete("/v1/customers/cus_max")
    assert erased.status_code == 200, erased.text
    assert await desk.handoffs() == []
    [closed] = await desk.handoffs("closed")
    assert (closed["summary"], closed["messages"]) == ("", [])
    assert (await desk.write(QUESTION))["outcome"] == "answered"
