"""A page of every kind, of a tenant whose every text is hostile."""

import re
from uuid import UUID

from sqlalchemy import insert, update
from uuid_utils.compat import uuid7

from app.db.effects.handoffs import put_agents
from app.db.knowledge.articles import put_article
from app.db.tables.conversations import Feedback
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.sandbox import Handoff
from app.db.tables.tenants import ApiKey
from app.services.connections import manage
from app.services.connections.encryption import vault_of
from app.services.tenants import policy as policies
from app.services.tenants.keys import issue_key
from graphs.policy import Policy
from tests.browser.person import Office
from tests.integration.console import card
from tests.integration.figures import History, good_and_bad
from tests.integration.workplace import Workplace

EVERYTHING = ("approvals:decide", "runs:read", "runs:write", "articles:write", "admin")
POLICY = "/console/settings/policy"
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} ${7*7} "
    '"><a href="javascript:alert(3)" hx-get="/console" hx-trigger="load">x</a>\n'
    + "W" * 3000
    + "\n\u202egnp.eciovni\u202c مرحبا بالعالم שלום עולם \u200f\x07\t"
    + "".join(chr(0xE0000 + ord(letter)) for letter in "unseen\x7f")
)
# As a name may be: without controls.
NAME = "<img src=x onerror=alert(4)>" + "N" * 150


async def pages_of(office: Office) -> list[str]:
    """A page of every kind, with real content."""
    _, plan = await office.console.paused("T-1")
    _, large = await office.console.paused("T-2", required_approvers=2)
    reply = [{
        "id": "reply", "tool": "send_reply", "reason": "The policy asks for drafts",
        "args": {"text": "Dear Max,\nwe looked into it.", "citations": [], "public": True},
        "editable": ["text"], "risk": "sends this text to the customer", "evidence": [],
    }]  # fmt: skip
    _, draft = await office.console.paused("T-3", kind="reply", steps=reply)
    _, hostile = await office.console.paused("T-4", gate=[HOSTILE], changed=[HOSTILE])
    await office.console.desk.write("And another thing", ticket="T-1")
    work = Workplace(office.console.service, office.console.tenant)
    await work.advance(await work.start("I want to talk to a person now", ticket="T-5"))
    await good_and_bad(History(office.console.service.sessions, office.console.tenant))
    handoff = await handoff_page(office)
    rated = await rated_by_hostile_people(office)
    cards = [card(approval) for approval in (plan, large, draft, hostile)]
    runs = [
        "/console/figures",
        "/console/figures?window=30d",
        "/console/runs",
        "/console/runs?status=timeout",
        "/console/runs?model=gpt-5&failed_node=billing",
        f"/console/runs/{plan.run_id}",
        f"/console/runs/{rated}",
    ]
    async with office.console.service.sessions.begin() as session:
        for limit in (1000, 2000):
            changed = Policy(refund_auto_limit={"USD": limit}, auto_approve_models=[HOSTILE[:200]])
            await policies.replace(session, office.console.tenant.id, changed, None)
        token = await issue_key(session, office.console.tenant.id, HOSTILE[:200], ["admin"])
        asks = await session.get_one(ApiKey, token.split("_")[1])
        looser = Policy(refund_auto_limit={"USD": 9000}, auto_approve_models=[HOSTILE[:200]])
        change = await policies.replace(session, office.console.tenant.id, looser, asks)
        assert isinstance(change, PolicyChange)
        await put_article(session, office.console.tenant.id, "a/b", HOSTILE[:500], HOSTILE, "en",
                          [HOSTILE[:300]])  # fmt: skip
    articles = ["/console/articles", "/console/articles/a%2Fb", "/console/articles/a%2Fb/edit",
                "/console/new-article", "/console/article-search?question=alert"]  # fmt: skip
    return [
        "/console",
        "/console?view=snoozed",
        *cards,
        handoff,
        *runs,
        *articles,
        "/console/settings",
        POLICY,
        f"{POLICY}/edit",
        f"{POLICY}/versions/1",
        "/console/settings/keys",
        "/console/audit",
        f"/console/policy-changes/{change.id}",
        "/console/nothing",
    ]


async def rated_by_hostile_people(office: Office) -> UUID:
    """A finished run with a rating, an agent who has its ticket, and a connection, all hostile."""
    tenant = office.console.tenant.id
    work = Workplace(office.console.service, office.console.tenant)
    run = await work.advance(await work.start("Let me talk to a person", "cus_max", "T-8"))
    async with office.console.service.sessions.begin() as session:
        row = {
            "tenant_id": tenant, "id": "mallory", "name": NAME, "skills": ["complaints"],
            "timezone": "UTC", "opens_hour": 0, "closes_hour": 24,
            "weekdays": [1, 2, 3, 4, 5, 6, 7], "away": False, "max_load": 100,
        }  # fmt: skip
        await put_agents(session, [row])
        theirs = update(Handoff).where(Handoff.tenant_id == tenant, Handoff.ticket_id == "T-8")
        await session.execute(theirs.values(agent_id="mallory", summary=HOSTILE))
        await session.execute(
            insert(Feedback).values(
                id=uuid7(),
                tenant_id=tenant,
                ticket_id="T-8",
                run_id=run.id,
                scale="stars",
                score=1,
                comment=HOSTILE,
                given_by="x",
            )
        )
        vault = vault_of(office.console.service.settings)
        settings = {"url": "https://127.0.0.1:1/in"}
        await manage.add(session, vault, tenant, "webhook", NAME, settings, {})
    return run.id


async def handoff_page(office: Office) -> str:
    """The address of the tenant's newest hand-off."""
    reader = await office.console.sign_in("Reader")
    page = await reader.get("/console", params={"kind": "handoff"})
    [path] = re.findall(r'href="(/console/handoffs/[^"]+)"', page.text)
    return str(path)
