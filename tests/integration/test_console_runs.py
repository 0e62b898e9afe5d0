"""The console's runs and hand-offs: what the API shows, and the same scopes."""

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text as sql

from app.db.tables.runs import Run
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, card, serving_console, words
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def test_run_is_found_and_read_whole(console: Console, service: Service) -> None:
    """By its ticket; its page has steps, effects with the provider's ids, reply and decisions."""
    work = Workplace(service, console.tenant)
    run = await work.decide(await work.advance(await work.start()), "approve", "fits")
    await work.start("How are you?", customer="cus_lou", ticket="T-2")
    ann = await console.sign_in("Ann")
    found = await ann.get("/console/runs", params={"ticket": "T-1", "status": "success"})
    assert re.findall(r'href="(/console/runs/[0-9a-f-]+)"', found.text) == [
        f"/console/runs/{run.id}"
    ]
    other = words(await ann.get("/console/runs", params={"customer": "cus_lou"}))
    assert ("T-2" in other, "T-1" in other) == (True, False)
    page = await ann.get(f"/console/runs/{run.id}")
    text = words(page)
    for said in (
        "Success, acted", "charged twice", "We have refunded 49.00 USD for Pro plan.",
        "Refund payment done 49.00 USD", "Plan, approved ; Uma : approve", "classify", "respond",
    ):  # fmt: skip
        assert said in text, said
    assert len(page.content) < 100_000
    nothing = await ann.get("/console/runs", params={"status": "timeout"})
    assert "No run fits these filters." in words(nothing)


async def test_finished_run_is_rehearsed_and_compared(console: Console, service: Service) -> None:
    """From a step on, with simulated effects; the difference stands beside it."""
    work = Workplace(service, console.tenant)
    run = await work.decide(await work.advance(await work.start()), "reject", "not a duplicate")
    step = await work.step(run, "billing")
    page = f"/console/runs/{run.id}"
    olga = await console.sign_in("Olga", "runs:read", "runs:write")
    assert "Rehearse from here" in words(await olga.get(page))
    checkpoint = {"checkpoint_id": step.checkpoint_id or ""}
    sent = await olga.post(f"{page}/rehearse", data=checkpoint)
    assert sent.status_code == 303
    before = await work.effects()
    again = await work.run(UUID(sent.headers["Location"].rsplit("/", 1)[1]))
    await work.advance(again)
    text = words(await olga.get(sent.headers["Location"]))
    assert "Beside the run that it replays" in text
    assert "Different: " in text
    assert "Dry run nothing was done outside" in text
    assert await work.effects() == before
    ann = await console.sign_in("Ann")
    assert (await ann.post(f"{page}/rehearse", data=checkpoint)).status_code == 403
    assert (await olga.post(f"{page}/rehearse", data={"checkpoint_id": "x"})).status_code == 422


async def rehearsed(console: Console, browser: httpx.AsyncClient, run: Run, **form: str) -> str:
    """The page of a rehearsal from `billing` on, once it is finished."""
    work = Workplace(console.service, console.tenant)
    step = await work.step(run, "billing")
    wanted = {"checkpoint_id": step.checkpoint_id or "", **form}
    sent = await browser.post(f"/console/runs/{run.id}/rehearse", data=wanted)
    assert sent.status_code == 303
    place = sent.headers["Location"]
    await work.advance(await work.run(UUID(place.rsplit("/", 1)[1])))
    return str(place)


async def test_rehearsal_is_done_for_real_once(console: Console, service: Service) -> None:
    """After the ticket's id is typed; what it has not done before waits for a person."""
    work = Workplace(service, console.tenant)
    run = await work.decide(await work.advance(await work.start()), "reject", "not a duplicate")
    olga = await console.sign_in("Olga", "runs:read", "runs:write")
    place = await rehearsed(console, olga, run, guidance="Look <b>again</b>")
    page = words(await olga.get(place))
    assert "Type the ticket's id, T-1 , to start it" in page
    assert "It was rehearsed with the wish Look <b>again</b>" in page
    before = await work.effects()
    wrong = await olga.post(f"{place}/for-real", data={"ticket": "T-2"})
    assert wrong.status_code == 422
    assert "That is not the id of this ticket." in words(wrong)
    sent = await asyncio.gather(
        *(olga.post(f"{place}/for-real", data={"ticket": " T-1 "}) for _ in range(3))
    )
    assert {answer.status_code for answer in sent} == {303}
    [real_place] = {answer.headers["Location"] for answer in sent}
    real = await work.run(UUID(real_place.rsplit("/", 1)[1]))
    assert (real.replay_of, real.dry_run) == (run.id, False)
    assert real.replay_from is not None
    assert real.replay_from["state"] == {"guidance": ["Look <b>again</b>"]}
    assert (await work.advance(real)).status is RunStatus.INTERRUPTED
    assert await work.effects() == before
    shown = await olga.get(place)
    assert "It was done for real" in words(shown)
    assert "Replay for real" not in words(shown)


async def test_only_a_finished_rehearsal_is_done_for_real(
    console: Console, service: Service
) -> None:
    """Neither a run itself, nor one that still advances, nor without the scope."""
    work = Workplace(service, console.tenant)
    run = await work.advance(await work.start())
    olga = await console.sign_in("Olga", "runs:read", "runs:write")
    itself = await olga.post(f"/console/runs/{run.id}/for-real", data={"ticket": "T-1"})
    assert (itself.status_code, "Only a rehearsal" in words(itself)) == (422, True)
    place = await rehearsed(console, olga, run)
    early = await olga.post(f"{place}/for-real", data={"ticket": "T-1"})
    assert early.status_code == 409
    assert f"Run {run.id} is interrupted" in words(early)
    ann = await console.sign_in("Ann")
    assert (await ann.post(f"{place}/for-real", data={"ticket": "T-1"})).status_code == 403
    long = {"checkpoint_id": str(run.id), "guidance": "x" * 2001}
    too_long = await olga.post(f"/console/runs/{run.id}/rehearse", data=long)
    assert too_long.status_code == 422


async def test_runs_are_found_by_what_went_wrong(console: Console, service: Service) -> None:
    """By a node that failed, a draft that was refused, and what they cost; all filters at once."""
    work = Workplace(service, console.tenant)
    runs = [await work.advance(await work.start(ticket=f"T-{number}")) for number in range(3)]
    async with service.sessions.begin() as session:
        failed = """UPDATE steps SET status = 'error' WHERE run_id = :run AND node = 'billing'"""
        await session.execute(sql(failed), {"run": runs[0].id})
        refused = """UPDATE runs SET summary = :result WHERE id = :run"""
        result = '{"escalation": {"reason": "no_valid_reply"}}'
        await session.execute(sql(refused), {"run": runs[1].id, "result": result})
        for run, cost in ((runs[1], "0.02"), (runs[2], "0.5")):
            costs = "UPDATE runs SET cost_usd = :cost WHERE id = :run"
            await session.execute(sql(costs), {"run": run.id, "cost": Decimal(cost)})
    ann = await console.sign_in("Ann")

    async def found(**filters: str) -> set[str]:
        page = await ann.get("/console/runs", params=filters)
        assert page.status_code == 200
        return set(re.findall(r"Ticket <bdi>(T-\d)", page.text))

    assert await found(failed_node="billing") == {"T-0"}
    assert await found(failed_node="respond") == set()
    assert await found(mark="refused") == {"T-1"}
    assert await found(cost_from="0.02") == {"T-1", "T-2"}
    assert await found(cost_from="0.0201") == {"T-2"}
    assert await found(cost_from="0.01", mark="refused") == {"T-1"}
    assert await found(cost_from="0.01", failed_node="billing") == set()
    assert await found(failed_node="no such node") == set()
    for wrong in ("x", "-1", "nan", "1e99", "Infinity"):
        answer = await ann.get("/console/runs", params={"cost_from": wrong})
        assert answer.status_code == 422, wrong
        assert "cost_from" in words(answer), wrong


async def test_run_is_cancelled_and_its_ticket_taken_over(console: Console) -> None:
    """By the scopes of the API: a reviewer's key alone cancels nothing."""
    run, approval = await console.paused()
    page = f"/console/runs/{run.id}"
    ann = await console.sign_in("Ann")
    assert (await ann.post(page, data={"act": "cancel"})).status_code == 403
    sent = await ann.post("/console/threads/T-1/takeover", data={"back": page})
    assert (sent.status_code, sent.headers["Location"]) == (303, page)
    assert "Ann has the ticket" in words(await ann.get(page))
    assert "Ann has the ticket" in words(await ann.get(card(approval)))
    away = {"back": "https://evil.example/console"}
    sent = await ann.post("/console/threads/T-1/handback", data=away)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/console")
    assert "has the ticket" not in words(await ann.get(page))
    olga = await console.sign_in("Olga", "runs:read", "runs:write")
    assert (await olga.post(page, data={"act": "x"})).status_code == 422
    assert (await olga.post(page, data={"act": "cancel"})).status_code == 303
    assert (await console.desk.run(run.id)).status is RunStatus.CANCELLED
    assert (await olga.post(page, data={"act": "cancel"})).status_code == 303
    assert "Cancelled" in words(await ann.get(card(approval)))


async def test_pause_switch_is_the_admins(console: Console) -> None:
    """Everybody reads that it is on, and since when; an admin switches it."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    root = await console.sign_in("Root", "admin")
    assert (await ann.post("/console/pause", data={"paused": "yes"})).status_code == 403
    assert "Pause all replies and effects" in words(await root.get("/console/settings"))
    assert (await root.post("/console/pause", data={"paused": "yes"})).status_code == 303
    seen = words(await ann.get("/console"))
    assert "Paused since" in seen
    assert "carried out once the pause ends" in words(await ann.get(card(approval)))
    assert "by Root ." in seen.replace("Root.", "Root .")
    assert "Let replies and effects leave again" not in seen
    assert (await root.post("/console/pause", data={"paused": "no"})).status_code == 303
    assert "Paused since" not in words(await ann.get("/console"))
    assert "carried out at once" in words(await ann.get(card(approval)))


async def test_admin_alone_reads_no_ticket(console: Console) -> None:
    """As over the API: what waits needs `approvals:decide` or `runs:read`, in every page of it."""
    _, approval = await console.paused("T-secret")
    root = await console.sign_in("Root", "admin")
    for path in ("/console", f"/console?answered={approval.id}", "/console?kind=plan"):
        led = await root.get(path)
        assert (led.status_code, led.headers["Location"]) == (303, "/console/settings")
    settings = await root.get("/console/settings")
    assert "T-secret" not in settings.text
    assert "Inbox" not in words(settings)
    assert "sse-connect" not in settings.text
    assert (await root.get("/console/live")).status_code == 403


async def test_handoff_is_closed_by_who_answered(console: Console, service: Service) -> None:
    """It shows what was found, and leaves the list once it is closed."""
    work = Workplace(service, console.tenant)
    run = await work.advance(await work.start("I want to talk to a person now", ticket="T-7"))
    ann = await console.sign_in("Ann")
    [place] = re.findall(r'href="(/console/handoffs/[^"]+)"', (await ann.get("/console")).text)
    text = words(await ann.get(place))
    assert "Answer ticket T-7" in text
    assert "I want to talk to a person now" in text
    assert "Customer cus_ann" in text
    [agent] = re.findall(r" with (\w+ \w+) · opened", text)
    held = words(await ann.get(f"/console/runs/{run.id}"))
    assert f"{agent} has the ticket" in held
    assert "The customer asks for a person. (human_requested)" in held
    for path, said in (
        ("/console/threads/T-7/takeover", "Ann has the ticket"),
        ("/console/threads/T-7/handback", "Closed"), (place, "Closed"),
    ):  # fmt: skip
        sent = await ann.post(path, data={"act": "close", "back": place})
        assert (sent.status_code, sent.headers["Location"]) == (303, place)
        assert said in words(await ann.get(place)), path
    assert "Nothing waits" in words(await ann.get("/console"))
    assert (await ann.post(place, data={"act": "burn"})).status_code == 422
