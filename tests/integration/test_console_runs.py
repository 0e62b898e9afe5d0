"""The console's runs, settings and hand-offs: what the API shows, and the same scopes."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from app.db.tenants.queries import add_policy
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.services.connections import manage
from app.services.connections.encryption import vault_of
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, answer, card, serving_console, words
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


async def test_run_is_cancelled_and_its_ticket_taken_over(console: Console) -> None:
    """By the scopes of the API: a reviewer's key alone cancels nothing."""
    run, approval = await console.paused()
    page = f"/console/runs/{run.id}"
    ann = await console.sign_in("Ann")
    assert (await ann.post(page, data={"act": "cancel"})).status_code == 403
    assert (await ann.post(page, data={"act": "takeover"})).status_code == 303
    assert "Ann has the ticket" in words(await ann.get(page))
    assert "Ann has this ticket" in words(await ann.get(card(approval)))
    assert (await ann.post(page, data={"act": "handback"})).status_code == 303
    assert "has the ticket" not in words(await ann.get(page))
    assert (await ann.post(page, data={"act": "x"})).status_code == 422
    olga = await console.sign_in("Olga", "runs:read", "runs:write")
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
    async with root.stream("GET", "/console/live") as stream:
        lines = stream.aiter_lines()
        async for line in lines:
            if line == "data: 1":
                break
        ben = await console.sign_in("Ben")
        await ben.post(card(approval), data=answer(approval, "approve"))
        later = []
        async for line in lines:
            later.append(line)
            if line == "data: 0":
                break
    assert str(approval.id) not in "".join(later)


async def test_settings_show_policy_and_connections(console: Console) -> None:
    """Each version with what it changed and by whom; a connection is tested at a press."""
    root = await console.sign_in("Root", "admin")
    async with console.service.sessions.begin() as session:
        for version, limit in ((1, 1000), (2, 2000)):
            body = Policy(refund_auto_limit={"USD": limit}).model_dump(mode="json")
            await add_policy(session, console.tenant.id, version, body, "Pol")
        vault = vault_of(console.service.settings)
        settings = {"url": "https://127.0.0.1:1/in"}
        row, _ = await manage.add(
            session, vault, console.tenant.id, "webhook", "Our <b>desk</b>", settings, {}
        )
    text = words(await root.get("/console/settings"))
    for said in (
        "Policy, version 2", 'refund_auto_limit: {"USD": 1000} → {"USD": 2000}', "Pol",
        "Our <b>desk</b> Webhook, desk", "refund_auto_limit 20.00 USD", "86400 (1 d)",
        "grounding not set What a reply is held to: quotes,",
    ):  # fmt: skip
        assert said in text, said
    tested = await root.post(f"/console/settings/connections/{row.id}/test", data={})
    assert tested.status_code == 200
    assert "Missing:" in words(tested)
    ann = await console.sign_in("Ann")
    assert "your key needs the scope admin" in words(await ann.get("/console/settings"))
    refused = await ann.post(f"/console/settings/connections/{row.id}/test", data={})
    assert refused.status_code == 403


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
    for act, said in (
        ("takeover", "Ann has the ticket"), ("handback", "Closed"), ("close", "Closed"),
    ):  # fmt: skip
        assert (await ann.post(place, data={"act": act})).status_code == 303
        assert said in words(await ann.get(place)), act
    assert "Nothing waits" in words(await ann.get("/console"))
    assert (await ann.post(place, data={"act": "burn"})).status_code == 422
