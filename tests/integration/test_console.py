"""The console shows what waits and takes answers, by the rules of the API."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import update

from app.db.runs.queue import enqueue_run
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey
from app.execution.wiring import Service
from app.lifecycle import ApprovalStatus, RunStatus
from app.services.approvals import decide
from app.services.approvals.decide import GivenAnswer
from app.services.approvals.deciders import ON_BEHALF_OF
from app.services.approvals.edit import StepEdit
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, answer, card, serving_console, words

pytestmark = pytest.mark.no_articles


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def test_inbox_lists_what_waits_due_first(console: Console) -> None:
    """The approval that expires first stands on top; the badge counts all."""
    await console.paused("T-late", expires_in_seconds=7200)
    await console.paused("T-soon", expires_in_seconds=3600)
    ann = await console.sign_in("Ann")
    page = await ann.get("/console")
    assert page.status_code == 200
    assert re.findall(r"Ticket <bdi>(T-\w+)", page.text) == ["T-soon", "T-late"]
    assert '<span class="count" sse-swap="waiting">2</span>' in page.text
    assert "649.00 USD" in words(page)


async def test_named_person_stands_with_the_key_that_named_them(console: Console) -> None:
    """On the card while it waits, and once it is decided."""
    run, approval = await console.paused(required_approvers=2)
    ann = await console.sign_in("Ann")
    helpdesk = await console.key("Helpdesk three", "approvals:decide", ON_BEHALF_OF)
    async with console.service.sessions.begin() as session:
        key = await session.get_one(ApiKey, helpdesk.split("_")[1])
        given = GivenAnswer(approval.id, approval.digest, "approve", (), "", on_behalf_of="Emma")
        await decide.resume(session, enqueue_run, key, run.id, given)
    said = "Emma through Helpdesk three"
    assert words(await ann.get(card(approval))).count(said) == 2
    fits = answer(approval, "approve", **{"total-USD": "649.00"})
    assert (await ann.post(card(approval), data=fits)).status_code == 303
    assert f"{said} : approve" in words(await ann.get(card(approval)))
    assert f"{said} : approve" in words(await ann.get(f"/console/runs/{run.id}"))


async def test_inbox_says_whose_ticket_and_what_about(console: Console) -> None:
    """The customer for all; the subject, which is their own words, with the right to read them."""
    run, _ = await console.paused()
    async with console.service.sessions.begin() as session:
        subject = {**run.ticket, "subject": "Charged <b>twice</b>"}
        await session.execute(update(Run).where(Run.id == run.id).values(ticket=subject))
    ann, ben = await console.sign_in("Ann"), await console.sign_in("Ben", "approvals:decide")
    for browser, reads in ((ann, True), (ben, False)):
        text = words(await browser.get("/console"))
        assert "customer cus_max" in text
        assert ("Charged <b>twice</b>" in text) is reads


async def test_renewed_list_brings_its_counts(console: Console) -> None:
    """What htmx swaps in holds the numbers above the list, so that both say the same."""
    await console.paused()
    ann = await console.sign_in("Ann")
    page = await ann.get("/console")
    renewed = await ann.get("/console", headers={"HX-Target": "list"})
    for name in ("all", "plan", "reply", "handoff"):
        [shown] = re.findall(rf'<span class="n" id="waiting-{name}">(\d+)</span>', page.text)
        [swapped] = re.findall(
            rf'<span class="n" id="waiting-{name}" hx-swap-oob="true">(\d+)</span>', renewed.text
        )
        assert shown == swapped == ("1" if name in ("all", "plan") else "0")
    assert "hx-swap-oob" not in page.text


async def test_card_says_what_would_be_done_and_what_follows(console: Console) -> None:
    """Verb, money, payment, why it asks, the customer's words, and what happens without answer."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    page = await ann.get(card(approval))
    text = words(page)
    for said in (
        "Refund payment ×2 649.00 USD", "pay_1", "too much", "The customer wrote s b",
        "To customer cus_max", "Nothing is done; the ticket is handed to a person.",
        "Approve 649.00 USD", "Once it is done, the reply says We have refunded 600.00 USD",
    ):  # fmt: skip
        assert said in text, said
    assert len(page.content) < 100_000


async def test_answer_is_taken_by_a_form_and_leads_on(console: Console) -> None:
    """303 to the next approval that waits, which says what was answered; the run goes on."""
    run, approval = await console.paused("T-1")
    _, other = await console.paused("T-2", expires_in_seconds=7200)
    ann = await console.sign_in("Ann")
    sent = await ann.post(card(approval), data=answer(approval, "approve"))
    assert (sent.status_code, sent.headers["Location"]) == (
        303, f"{card(other)}?answered={approval.id}",
    )  # fmt: skip
    following = await ann.get(sent.headers["Location"])
    assert "Approved , ticket T-1 ." in words(following)
    assert (await console.desk.run(run.id)).status is RunStatus.PENDING
    [decision] = await console.desk.decisions(approval)
    assert (decision.decided_by, decision.verdict) == ("Ann", "approve")
    closed = words(await ann.get(card(approval)))
    assert "Approved by Ann" in closed
    assert "Your answer It is decided; there is nothing to answer." in closed


async def test_edit_lowers_an_amount_and_drops_a_step(console: Console) -> None:
    """Amounts are typed as people write them; a step may be left out."""
    run, approval = await console.paused()
    ann = await console.sign_in("Ann")
    changed = {"arg-0-amount_minor": "100.50", "drop-1": "yes", "arg-1-amount_minor": "49.00"}
    sent = await ann.post(card(approval), data=answer(approval, "edit", **changed))
    assert sent.status_code == 303
    closed = await console.desk.approval(run)
    assert closed.status is ApprovalStatus.EDITED
    assert closed.decision is not None
    assert [step["args"]["amount_minor"] for step in closed.decision["steps"]] == [10_050]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"verdict": "edit", "arg-0-amount_minor": "600.01"}, 422, "may only be lowered"),
        ({"verdict": "edit", "arg-0-amount_minor": "1_00"}, 422, "Type the amount in USD"),
        ({"verdict": "edit", "arg-0-amount_minor": "4.999"}, 422, "Type the amount in USD"),
        ({"verdict": "edit", "arg-0-amount_minor": "٤٩"}, 422, "Type the amount in USD"),
        ({"verdict": "edit"}, 422, "Nothing is changed"),
        ({"verdict": "reject"}, 422, "Say why you reject it"),
        ({"verdict": "respond"}, 422, "must say what to do differently"),
        ({"verdict": "destroy"}, 422, "Choose what to answer"),
        ({"verdict": "approve", "digest": "0" * 64}, 412, "Read the approval again"),
        ({"verdict": "reject", "comment": "x" * 2001}, 422, "2000 characters"),
    ],
)
async def test_refused_answer_changes_nothing_and_says_why(
    console: Console, fields: dict[str, str], status: int, said: str
) -> None:
    """The card comes back with the reason, the status of the API, and what was typed."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    sent = await ann.post(card(approval), data={"digest": approval.digest, **fields})
    assert (sent.status_code, said in words(sent)) == (status, True), words(sent)
    assert await console.desk.decisions(approval) == []


async def test_first_answer_wins_and_the_other_sees_whose(console: Console) -> None:
    """The second of two people is shown who was first."""
    _, approval = await console.paused()
    ann, ben = await console.sign_in("Ann"), await console.sign_in("Ben")
    assert "Approve 649.00 USD" in words(await ben.get(card(approval)))
    rejected = answer(approval, "reject", comment="A duplicate of T-9")
    assert (await ann.post(card(approval), data=rejected)).status_code == 303
    late = await ben.post(card(approval), data=answer(approval, "approve"))
    assert late.status_code == 409
    assert "Rejected by Ann" in words(late)
    assert "A duplicate of T-9" in words(late)
    state = await ben.get(f"{card(approval)}/state", params={"digest": approval.digest})
    assert "Rejected by Ann" in words(state)
    assert 'id="answer" hx-swap-oob="true"' in state.text
    assert "<form" not in state.text


async def test_changed_plan_says_what_changed(console: Console) -> None:
    """The first of two approvers edits; the second, who looks at the old plan, sees the edit."""
    run, approval = await console.paused(required_approvers=2)
    editor = await console.desk.person("Eve")
    lowered = StepEdit("refund-pay_1", {"amount_minor": 10_000}, drop=False)
    await console.desk.decide(editor, approval, "edit", lowered)
    ben = await console.sign_in("Ben")
    seen = {"digest": approval.digest}
    state = words(await ben.get(f"{card(approval)}/state", params=seen))
    assert "It was changed while you looked at it." in state
    assert "Eve changed amount_minor of refund-pay_1 from 60000 to 10000" in state
    stale = await ben.post(
        card(approval), data=answer(approval, "approve", **{"total-USD": "649.00"})
    )
    assert stale.status_code in {412, 422}
    now = await console.desk.approval(run)
    fits = answer(now, "approve", **{"total-USD": "149.00"})
    assert (await ben.post(card(approval), data=fits)).status_code == 303
    assert (await console.desk.approval(run)).status is ApprovalStatus.EDITED


async def test_large_sum_is_typed(console: Console) -> None:
    """Where two must agree, each types the total; a wrong one is refused."""
    _, approval = await console.paused(required_approvers=2)
    ann = await console.sign_in("Ann")
    assert 'name="total-USD"' in (await ann.get(card(approval))).text
    for typed in ("", "64.90", "649,00"):
        form = answer(approval, "approve", **{"total-USD": typed})
        assert (await ann.post(card(approval), data=form)).status_code == 422, typed
    assert await console.desk.decisions(approval) == []
    form = answer(approval, "approve", **{"total-USD": "649.00"})
    assert (await ann.post(card(approval), data=form)).status_code == 303
    again = words(await ann.get(card(approval)))
    assert "1 of 2 have agreed: Ann" in again
    assert "You agreed already; another person must agree as well." in again
    assert "Approve 649.00 USD" not in again


async def test_why_not_is_said_before_the_press(console: Console) -> None:
    """A starter, a small limit, a key that only reads: each stands on list and card."""
    _, approval = await console.paused()
    cases = [
        (await console.sign_in("starter"), "Another person must decide", False),
        (await console.sign_in("Small", limits={"USD": 100}), "this key may approve 1.00", True),
        (await console.sign_in("Reader", "runs:read"), "may look at approvals", False),
    ]
    for browser, why, may_reject in cases:
        page, rows = await browser.get(card(approval)), await browser.get("/console")
        assert why in words(page)
        assert why in words(rows)
        assert ("Reject, hand to a person" in words(page)) is may_reject
        assert "data-approve>" not in page.text
        sent = await browser.post(card(approval), data=answer(approval, "approve"))
        assert sent.status_code == 403


async def test_claims_and_snoozes(console: Console) -> None:
    """A claim is shown to others and may be replaced by who saw it; a snooze is one's own."""
    _, approval = await console.paused()
    ann, ben = await console.sign_in("Ann"), await console.sign_in("Ben")
    item = f"/console/items/{approval.id}"
    assert (await ann.post(f"{item}/claim", data={"back": card(approval)})).status_code == 303
    assert "claimed by you" in words(await ann.get("/console", params={"view": "mine"}))
    assert "claimed by Ann" in words(await ben.get("/console"))
    assert "Nothing waits" in words(await ben.get("/console", params={"view": "unclaimed"}))
    assert (await ben.post(f"{item}/claim", data={})).status_code == 409
    over = re.findall(r'name="over" value="(\w+)"', (await ben.get(card(approval))).text)
    assert (await ben.post(f"{item}/claim", data={"over": over[0]})).status_code == 303
    assert "claimed by Ben" in words(await ann.get("/console"))
    assert (await ben.post(f"{item}/release", data={})).status_code == 303

    assert (await ann.post(f"{item}/snooze", data={"hours": "4"})).status_code == 303
    assert "Nothing waits" in words(await ann.get("/console"))
    assert "T-1" in words(await ann.get("/console", params={"view": "snoozed"}))
    assert "T-1" in words(await ben.get("/console"))
    assert (await ann.post(f"{item}/snooze", data={"hours": "0"})).status_code == 303
    assert "T-1" in words(await ann.get("/console"))


async def test_filters_stand_in_the_address(console: Console) -> None:
    """Kind, ticket and page: what is shown can be sent to another person as a link."""
    for number in range(27):
        await console.paused(f"T-{number:02}", expires_in_seconds=3600 + number)
    ann = await console.sign_in("Ann")
    assert "Nothing waits that fits" in words(await ann.get("/console", params={"kind": "reply"}))
    one = await ann.get("/console", params={"ticket": "T-07"})
    assert re.findall(r"Ticket <bdi>(T-\w+)", one.text) == ["T-07"]
    first = await ann.get("/console")
    seen = re.findall(r"Ticket <bdi>(T-\w+)", first.text)
    [link] = re.findall(r'href="([^"]+)" rel="next"', first.text)
    seen += re.findall(r"Ticket <bdi>(T-\w+)", (await ann.get(link)).text)
    assert seen == [f"T-{number:02}" for number in range(27)]
    forged = await ann.get("/console", params={"cursor": "x"})
    assert (forged.status_code, "The cursor is not valid" in words(forged)) == (422, True)


async def test_other_tenants_see_nothing(console: Console, service: Service, begin: Begin) -> None:
    """What is another tenant's does not exist."""
    _, approval = await console.paused()
    from tests.conftest import make_tenant  # noqa: PLC0415

    async with service.sessions.begin() as session:
        other = await make_tenant(session, articles=False)
    async with serving_console(service, other, begin) as theirs:
        eve = await theirs.sign_in("Eve")
        item = f"/console/items/{approval.id}"
        assert (await eve.get(card(approval))).status_code == 404
        assert (await eve.get(f"{card(approval)}/state")).status_code == 404
        assert (await eve.post(f"{item}/claim", data={})).status_code == 404
        sent = await eve.post(card(approval), data=answer(approval, "approve"))
        assert sent.status_code == 404
        assert "Nothing waits" in words(await eve.get("/console"))


async def test_stream_counts_and_names_what_changed(console: Console) -> None:
    """The count comes first; an answer sends the approval's name and the new count."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    async with ann.stream("GET", "/console/live") as stream:
        lines = stream.aiter_lines()

        async def until(wanted: str) -> None:
            async for line in lines:
                if line == wanted:
                    return

        await until("event: waiting")
        await until("data: 1")
        ben = await console.sign_in("Ben")
        await ben.post(card(approval), data=answer(approval, "approve"))
        await until(f"event: approval-{approval.id}")
        await until("event: waiting")
        await until("data: 0")
        # Signed out, the stream ends with the next event.
        everywhere = {"everywhere": "yes"}
        assert (await ann.post("/console/sign-out", data=everywhere)).status_code == 303
        await console.paused("T-9")
        assert "data: 1" not in [line async for line in lines]


async def test_page_has_a_policy_and_nothing_inline(console: Console) -> None:
    """No script, style or handler stands in a page, and nothing is loaded from elsewhere."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    for page in (
        await ann.get("/console"), await ann.get(card(approval)),
        await ann.get("/console/nothing"), await console.browser().get("/console/sign-in"),
    ):  # fmt: skip
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert page.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script>|<style|style=|\son\w+=|https?://", page.text)
        for link in re.findall(r'(?:src|href)="(/console/static/[^"]*)"', page.text):
            loaded: httpx.Response = await ann.get(link)
            assert loaded.status_code == 200
            assert "immutable" in loaded.headers["Cache-Control"]


async def test_no_address_gives_an_error_of_ours(console: Console) -> None:
    """Whatever is asked for, the answer is a page of the console."""
    ann = await console.sign_in("Ann")
    for path in (
        "/console/approvals/x", "/console/approvals/" + "0" * 36, "/console/handoffs/%00",
        "/console?kind=x", "/console?view=x", "/console?answered=x", "/console/runs?status=x",
        "/console/runs?cursor=x", "/console/static/x/y", "/console/static/x/../../x",
        "/console/sign-in/x", "/console/runs/x", f"/console?ticket={'x' * 200}", "/console/%ff",
        "/console/sign-in/with-provider", "/console/sign-in/callback?code=1&state=2",
    ):  # fmt: skip
        answer_ = await ann.get(path)
        assert 400 <= answer_.status_code < 500, path
    for host in ("[", "[::1", "a b", "", "127.0.0.1:x", "[::1]:80"):
        for path in ("/console", "/console/sign-in", "/console/x%2Fy?a=%2F"):
            shown = await console.browser().get(path, headers={"Host": host})
            assert shown.status_code < 500, (host, path)
