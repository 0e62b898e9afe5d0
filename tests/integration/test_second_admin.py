"""A change of the policy that loosens limits waits for another admin, where there is one."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import func, text, update

from app.commands.keys import issue_key
from app.db.audit.actor import act_as, by_key
from app.db.tables.policy_changes import PolicyChange
from app.db.tenants.queries import revoke_key
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.command_line import deskgraph
from tests.integration.place import client

pytestmark = pytest.mark.no_articles

LOOSE: dict[str, Any] = {"refund_auto_limit": {"USD": 5000}}
PLACE = "/v1/policy/changes"


@dataclass(frozen=True, slots=True)
class Office:
    """A tenant's admins at an API."""

    service: Service
    tenant: Tenant

    async def admin(
        self, name: str, person: str | None = None, issued_by: str | None = None
    ) -> httpx.AsyncClient:
        """An admin by a key of that name, which a key may have issued."""
        async with self.service.sessions.begin() as session:
            if issued_by:
                await act_as(session, by_key(issued_by))
            token = await issue_key(session, self.tenant.id, name, ["admin"], person=person)
        return client(self.service, token)

    @property
    def first(self) -> httpx.AsyncClient:
        """The admin that every tenant of a test has."""
        return client(self.service, self.tenant.admin)


@pytest.fixture
def office(service: Service, tenant: Tenant) -> Office:
    """An API, and a tenant with one admin."""
    return Office(service, tenant)


def key_id(speaker: httpx.AsyncClient) -> str:
    """The public part of the client's key."""
    return speaker.headers["Authorization"].split("_")[1]


async def ask(admin: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """An admin asks for the looser policy; the change that waits."""
    answer = await admin.patch("/v1/policy", json=fields or LOOSE)
    assert answer.status_code == 202, answer.text
    change: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"{PLACE}/{change['id']}"
    return change


async def decide(
    admin: httpx.AsyncClient, change: dict[str, Any], verdict: str = "confirm"
) -> httpx.Response:
    """An admin decides a change."""
    return await admin.post(f"{PLACE}/{change['id']}/decision", json={"verdict": verdict})


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """The answer is that problem."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def version(admin: httpx.AsyncClient) -> int:
    """The version that counts."""
    return int((await admin.get("/v1/policy")).json()["version"])


async def test_alone_it_applies_at_once_and_the_trail_says_so(office: Office) -> None:
    """A tenant with one admin is not locked out of its own policy."""
    ann = office.first
    answer = await ann.patch("/v1/policy", json=LOOSE)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    [change] = (await ann.get(PLACE)).json()["items"]
    assert (change["status"], change["version"]) == ("alone", 1)
    [event] = (await ann.get("/v1/audit?kind=policy_change.alone")).json()["items"]
    assert event["facts"] == {"loosens": ["refund_auto_limit"], "base_version": 0}
    assert event["subjects"] == [f"policy_change:{change['id']}", "policy:1"]


async def test_second_admin_confirms_and_it_counts(office: Office) -> None:
    """Until then the policy is the one of before; afterwards both stand on the version."""
    ann, ben = office.first, await office.admin("Ben")
    change = await ask(ann)
    assert (change["status"], change["loosens"]) == ("pending", ["refund_auto_limit"])
    assert change["policy"]["refund_auto_limit"] == {"USD": 5000}
    assert await version(ann) == 0
    assert (await ask(ann))["id"] == change["id"], "asked again, it is the same"
    confirmed = await decide(ben, change)
    assert confirmed.status_code == 200
    assert (confirmed.json()["status"], confirmed.json()["version"]) == ("confirmed", 1)
    counts = (await ann.get("/v1/policy")).json()
    assert counts["refund_auto_limit"] == {"USD": 5000}
    assert counts["created_by"] == "admin, confirmed by Ben"
    refused(await decide(ben, change, "refuse"), 409, "policy-change-closed")
    assert (await ann.get(f"{PLACE}?status=pending")).json()["items"] == []


async def test_tighter_and_equal_ones_wait_for_no_person(office: Office) -> None:
    """Anyone who may change the policy may make it stricter at once."""
    ann, ben = office.first, await office.admin("Ben")
    await decide(ben, await ask(ann))
    for body in (LOOSE, {"refund_auto_limit": {"USD": 1}}, {"anger_threshold": 0.1}):
        answer = await ben.patch("/v1/policy", json=body)
        assert answer.status_code == 200, answer.text
    whole = await ben.put("/v1/policy", json={**LOOSE, "version": 3})
    assert (whole.status_code, whole.json()["loosens"]) == (202, ["refund_auto_limit"])


@pytest.mark.parametrize("detour", ["same key", "same name", "same person", "own key", "through"])
async def test_one_person_does_not_confirm_their_own(office: Office, detour: str) -> None:
    """Whatever keys they hold or issue; they may take the change back."""
    ann, ben = await office.admin("Ann", "ann@example.com"), await office.admin("Ben")
    again = ann
    if detour == "same name":
        again = await office.admin(" ANN ")
    elif detour == "same person":
        again = await office.admin("Second", "Ann@Example.com")
    elif detour == "own key":
        again = await office.admin("Mallory", issued_by=key_id(ann))
    elif detour == "through":
        first = await office.admin("Mallory", issued_by=key_id(ann))
        again = await office.admin("Trudy", issued_by=key_id(first))
    change = await ask(ann)
    refused(await decide(again, change), 403, "second-admin-needed")
    assert await version(ann) == 0
    assert (await decide(again, change, "refuse")).json()["status"] == "refused"
    refused(await decide(ben, change), 409, "policy-change-closed")


async def test_own_keys_are_no_second_admin(office: Office) -> None:
    """Three keys of one person are one admin, and a key of theirs that was revoked is theirs."""
    ann = office.first
    await office.admin("Other", issued_by=key_id(ann))
    await office.admin("Admin")
    assert (await ann.patch("/v1/policy", json=LOOSE)).status_code == 200
    ben = await office.admin("Ben")
    change = await ask(ann, refund_auto_limit={"USD": 6000})
    async with office.service.sessions.begin() as session:
        assert await revoke_key(session, office.tenant.id, key_id(ann))
    own = await office.admin("ADMIN")
    refused(await decide(own, change), 403, "second-admin-needed")
    assert (await decide(ben, change)).status_code == 200


async def test_it_binds_to_the_version_it_was_asked_of(office: Office) -> None:
    """A policy that changed meanwhile is not overwritten by what was seen before."""
    ann, ben = office.first, await office.admin("Ben")
    change = await ask(ann)
    await ben.patch("/v1/policy", json={"anger_threshold": 0.1})
    refused(await decide(ben, change), 409, "policy-changed")
    assert (await decide(ben, change, "refuse")).status_code == 200
    assert await version(ann) == 1


async def test_after_seven_days_it_is_over(office: Office) -> None:
    """Shown as expired, and confirmed no more."""
    ann, ben = office.first, await office.admin("Ben")
    change = await ask(ann)
    async with office.service.sessions.begin() as session:
        week = await session.scalar(
            text("SELECT expires_at - created_at = interval '7 days' FROM policy_changes"
                 " WHERE id = :id"), {"id": change["id"]},
        )  # fmt: skip
        assert week is True
        over = update(PolicyChange).where(PolicyChange.id == change["id"])
        await session.execute(over.values(expires_at=func.now()))
    assert (await ben.get(f"{PLACE}/{change['id']}")).json()["status"] == "expired"
    refused(await decide(ben, change), 410, "policy-change-expired")
    assert (await ask(ann))["id"] != change["id"]


async def test_of_many_decisions_at_once_one_counts(office: Office) -> None:
    """Eight confirm and refuse at the same instant: one answer, and one version at most."""
    ann, ben = office.first, await office.admin("Ben")
    change = await ask(ann)
    verdicts = ["confirm", "refuse"] * 4
    answers = await asyncio.gather(*(decide(ben, change, verdict) for verdict in verdicts))
    [taken] = [answer.json() for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, 409, "policy-change-closed")
    assert await version(ann) == (1 if taken["status"] == "confirmed" else 0)


async def test_other_tenants_know_nothing_of_it(office: Office, service: Service) -> None:
    """404 for a change of another tenant, and an empty trail of it."""
    await office.admin("Ben")
    change = await ask(office.first)
    async with service.sessions.begin() as session:
        await session.execute(text("INSERT INTO tenants (id, name) VALUES ('else', 'else')"))
        token = await issue_key(session, "else", "Root", ["admin"])
    root = client(office.service, token)
    refused(await decide(root, change), 404, "not-found")
    refused(await root.get(f"{PLACE}/{change['id']}"), 404, "not-found")
    assert (await root.get(PLACE)).json()["items"] == []
    about = f"/v1/audit?subject=policy_change:{change['id']}"
    assert (await root.get(about)).json()["items"] == []
    assert len((await office.first.get(about)).json()["items"]) == 1


async def test_command_line_waits_for_no_person(office: Office, database_url: str) -> None:
    """Its user may write to the database; the trail names the command line."""
    await office.admin("Ben")
    whose = ("--tenant", office.tenant.id)
    stored = await deskgraph(database_url, "policy", "set", "-", *whose,
                             typed='{"refund_auto_limit": {"USD": 5000}}')  # fmt: skip
    assert stored.exit_code == 0, stored.output
    [event] = (await office.first.get("/v1/audit?kind=policy.changed")).json()["items"]
    assert (event["actor"], event["actor_key"]) == ("command_line", None)


async def test_trail_pages_and_filters(office: Office) -> None:
    """Newest first, by kind, subject and time; the numbers and seals come with the sealer."""
    ann = office.first
    for limit in range(1, 6):
        await ann.patch("/v1/policy", json={"refund_auto_limit": {"USD": limit}})
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await ann.get(f"/v1/audit?kind=policy.changed&limit=2{cursor}")).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [event["facts"]["version"] for event in seen] == [5, 4, 3, 2, 1]
    assert {event["actor_key"] for event in seen} == {key_id(ann)}
    at = seen[2]["at"].replace("+", "%2B")
    for bound, versions in (("since", [5, 4, 3]), ("until", [2, 1])):
        found = (await ann.get(f"/v1/audit?kind=policy.changed&{bound}={at}")).json()["items"]
        assert [event["facts"]["version"] for event in found] == versions
    assert {event["number"] for event in seen} == {None}
    refused(await ann.get("/v1/audit?kind=policy"), 422, "invalid-request")
