"""The console's settings: connections with a test and a switch, and the policy's versions."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from app.db.tenants.queries import current_policy
from app.execution.wiring import Service
from app.services.connections import manage
from app.services.connections.encryption import vault_of
from app.services.tenants import policy as policies
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, serving_console, words
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles
POLICY = "/console/settings/policy"


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def stored(console: Console) -> tuple[int, Policy]:
    """The policy that counts."""
    async with console.service.sessions() as session:
        version, body = await current_policy(session, console.tenant.id)
    return version, Policy.model_validate(body)


async def store(console: Console, *limits: int) -> None:
    """One version for each limit, by a command."""
    async with console.service.sessions.begin() as session:
        for limit in limits:
            changed = Policy(refund_auto_limit={"USD": limit})
            await policies.replace(session, console.tenant.id, changed, None)


def fields(page: httpx.Response) -> dict[str, str]:
    """What the page's form would send as it stands."""
    form = page.text[page.text.index('<form method="post" action="/console/settings/policy') :]
    values = {
        name: unescape(value)
        for name, value in re.findall(r'<input[^>]* name="([^"]+)" value="([^"]*)"', form)
    }
    for name, options in re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', form):
        chosen = re.search(r"<option selected>([^<]*)<", options)
        first = re.search(r'<option(?: value="")?>([^<]*)<', options)
        values[name] = chosen[1] if chosen else "" if 'value=""' in options else first[1]  # type: ignore[index]  # a select has an option
    for name, text in re.findall(
        r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL
    ):
        values[name] = unescape(text)
    return values


async def test_connection_is_tested_and_paused(console: Console) -> None:
    """At a press, with what is missing; a paused one says so until it is used again."""
    root = await console.sign_in("Root", "admin")
    async with console.service.sessions.begin() as session:
        vault = vault_of(console.service.settings)
        settings = {"url": "https://127.0.0.1:1/in"}
        row, _ = await manage.add(
            session, vault, console.tenant.id, "webhook", "Our <b>desk</b>", settings, {}
        )
    place = f"/console/settings/connections/{row.id}"
    assert "Our <b>desk</b> Webhook, desk" in words(await root.get("/console/settings"))
    tested = await root.post(f"{place}/test", data={})
    assert tested.status_code == 200
    assert "Missing:" in words(tested)
    ann = await console.sign_in("Ann")
    assert "your key needs the scope admin" in words(await ann.get("/console/settings"))
    assert (await ann.post(f"{place}/test", data={})).status_code == 403
    assert (await ann.post(f"{place}/pause", data={"paused": "yes"})).status_code == 403
    assert (await root.post(f"{place}/pause", data={"paused": "yes"})).status_code == 303
    assert "Paused: An operator paused it." in words(await root.get("/console/settings"))
    assert (await root.post(f"{place}/pause", data={"paused": "no"})).status_code == 303
    assert "Paused:" not in words(await root.get("/console/settings"))
    assert (await root.post(f"{place}/pause", data={})).status_code == 422
    gone = await root.post("/console/settings/connections/con_none/pause", data={"paused": "no"})
    assert gone.status_code == 404


async def test_policy_shows_its_versions(console: Console) -> None:
    """Each with what it changed and by whom; any of them beside the one that counts."""
    await store(console, 1000, 2000)
    root = await console.sign_in("Root", "admin")
    text = words(await root.get(POLICY))
    for said in (
        "Policy, version 2", "refund_auto_limit: 10.00 USD → 20.00 USD", "cli",
        "refund_auto_limit 20.00 USD", "86400 (1 d)",
        "grounding not set What a reply is held to: quotes,",
    ):  # fmt: skip
        assert said in text, said
    first = words(await root.get(f"{POLICY}/versions/1"))
    assert "1 rule differs" in first
    assert "Refund auto limit (differs) 10.00 USD 20.00 USD" in first
    assert "Restore it" in first
    assert "Restore it" not in words(await root.get(f"{POLICY}/versions/2"))
    assert (await root.get(f"{POLICY}/versions/3")).status_code == 404
    assert (await root.get(f"{POLICY}/versions/99999999999999999999")).status_code == 404
    await store(console, *range(1, 25))
    older = await root.get(
        re.findall(r'href="([^"]+)" rel="next"', (await root.get(POLICY)).text)[0]
    )
    assert "Version 6 ," in words(older)
    assert "Version 7 ," not in words(older)
    assert "The default policy" not in words(older)


async def test_change_is_looked_at_before_it_is_stored(console: Console) -> None:
    """The difference, what last week's runs would have done with links to them, then a version."""
    work = Workplace(console.service, console.tenant)
    run = await work.advance(await work.start())
    root = await console.sign_in("Root", "admin")
    form = fields(await root.get(f"{POLICY}/edit"))
    form["refund_second_approver_from"] = "49 USD, 10000 JPY"
    form["reply_mode.by_intent.billing"] = "draft"
    looked = await root.post(f"{POLICY}/preview", data=form)
    text = words(looked)
    for said in (
        "Beside version 0, which counts now. Nothing is stored yet.", "2 rules",
        "Refund second approver from (differs) none 10000 JPY and 49.00 USD",
        "1 run since", "1 is treated differently", "Two people must agree 0 1",
        "And the reply waits as a draft 0 1",
        "Ticket T-1 : a person must agree → two people must agree, reply as a draft",
    ):  # fmt: skip
        assert said in text, said
    assert f'href="/console/runs/{run.id}"' in looked.text
    assert len(looked.content) < 100_000
    assert (await stored(console))[0] == 0
    sent = await root.post(POLICY, data=fields(looked))
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{POLICY}?stored=yes")
    version, policy = await stored(console)
    assert (version, policy.refund_second_approver_from) == (1, {"USD": 4900, "JPY": 10_000})
    assert policy.reply_mode.by_intent == {"billing": "draft"}
    assert "The policy is stored." in words(await root.get(sent.headers["Location"]))


async def test_every_rule_comes_back_from_the_form_as_it_was(console: Console) -> None:
    """What is not touched is not changed, whatever is set; an old version is restored so."""
    whole = Policy.model_validate(
        {
            "refund_auto_limit": {"USD": 1, "JPY": 5, "KWD": 1234},
            "auto_approve_models": ["a", "b, c"],
            "reply_mode": {"default": "draft", "by_intent": {"general": "auto"}},
            "grounding": "quotes",
            "budgets": {"run_micro_usd": 0},
            "trained_triage": None,
            "handoff_hold_hours": None,
            "anger_threshold": 0.33,
            "rates": {"tenant_per_minute": 7},
            "bulk_mail_gate_from": 0,
        }
    )
    async with console.service.sessions.begin() as session:
        await policies.replace(session, console.tenant.id, whole, None)
    root = await console.sign_in("Root", "admin")
    looked = await root.post(f"{POLICY}/preview", data=fields(await root.get(f"{POLICY}/edit")))
    assert "Nothing: it is the policy that counts now." in words(looked)
    await store(console, 700)
    restored = fields(await root.get(f"{POLICY}/edit?source=1"))
    ben = await console.sign_in("Ben", "admin")

    async def confirmed(form: dict[str, str]) -> None:
        asked = await root.post(POLICY, data=form)
        place = asked.headers["location"]
        assert place.startswith("/console/policy-changes/"), "it is looser: a second admin decides"
        assert (await ben.post(place, data={"verdict": "confirm"})).status_code == 303

    await confirmed(restored)
    assert await stored(console) == (3, whole)
    default = fields(await root.get(f"{POLICY}/edit?source=0"))
    await confirmed(default)
    assert await stored(console) == (4, Policy())


async def test_two_editors_do_not_overwrite_each_other(console: Console) -> None:
    """The second reads what the first stored, keeps what they typed, and may store then."""
    root, rita = [await console.sign_in(name, "admin") for name in ("Root", "Rita")]
    form = fields(await root.get(f"{POLICY}/edit")) | {"anger_threshold": "0.5"}
    other = fields(await rita.get(f"{POLICY}/edit")) | {"bulk_mail_gate_from": "7"}
    sent = await asyncio.gather(root.post(POLICY, data=form), rita.post(POLICY, data=other))
    assert sorted(answer.status_code for answer in sent) == [303, 412]
    late = next(answer for answer in sent if answer.status_code == 412)
    assert "Version 1 was stored meanwhile by" in words(late)
    typed = fields(late)
    assert typed["version"] == "1"
    kept = (typed["anger_threshold"], typed["bulk_mail_gate_from"])
    assert kept in {("0.5", form["bulk_mail_gate_from"]), (other["anger_threshold"], "7")}
    assert (await stored(console))[0] == 1
    assert (await root.post(f"{POLICY}/preview", data=form)).status_code == 412
    again = rita if late is sent[1] else root
    # Stricter than either of both: what is looser would wait for a second administrator.
    stricter = typed | {"anger_threshold": "0.4", "bulk_mail_gate_from": "7"}
    assert (await again.post(POLICY, data=stricter)).status_code == 303
    assert (await stored(console))[0] == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("refund_auto_limit", "5", "type sums such as"),
        ("refund_auto_limit", "5 usd", "type sums such as"),
        ("refund_auto_limit", "1.5 JPY", "Type the amount in JPY"),
        ("refund_auto_limit", "1 USD, 2 USD", "USD stands there twice"),
        ("anger_threshold", "2", "less than or equal to 1"),
        ("anger_threshold", "nan", "type a number"),
        ("anger_threshold", "1e999", "type a number"),
        ("anger_threshold", "9" * 5000, "type a number"),
        ("anger_threshold", "", "it cannot be empty"),
        ("bulk_mail_gate_from", "1.5", "valid integer"),
        ("trace_content", "everything", "'full', 'redacted' or 'none'"),
        ("auto_approve_models", "offline", "the offline model may not decide alone"),
        ("auto_approve_models", "x" * 300, "at most 200 characters"),
    ],
)
async def test_wrong_value_is_named_beside_what_was_typed(
    console: Console, field: str, value: str, said: str
) -> None:
    """The form again with a sentence; nothing is stored by either button."""
    root = await console.sign_in("Root", "admin")
    form = fields(await root.get(f"{POLICY}/edit")) | {field: value}
    for path in (f"{POLICY}/preview", POLICY):
        answer = await root.post(path, data=form)
        assert answer.status_code == 422
        assert said in words(answer), words(answer)
        assert fields(answer)[field] == value or field == "trace_content"
    assert (await stored(console))[0] == 0
    assert (await root.post(f"{POLICY}/edit", data=form)).status_code == 200


async def test_policy_is_changed_by_admins_alone(console: Console) -> None:
    """A reviewer reads it and its versions, and is offered no change."""
    await store(console, 1000, 2000)
    ann = await console.sign_in("Ann")
    page = words(await ann.get(POLICY))
    assert "To change it your key needs the scope admin" in page
    assert "Restore it" not in words(await ann.get(f"{POLICY}/versions/1"))
    assert (await ann.get(f"{POLICY}/edit")).status_code == 403
    for path in (POLICY, f"{POLICY}/preview", f"{POLICY}/edit"):
        assert (await ann.post(path, data={})).status_code == 403
    reader = await console.sign_in("Reader", "runs:read")
    assert (await reader.get(POLICY)).status_code == 403
    root = await console.sign_in("Root", "admin")
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await root.post(POLICY, data={}, headers=foreign)).status_code == 403
    assert (await stored(console))[0] == 2
