"""A customer is erased over HTTP: who may, what is answered, and that no other is touched."""

from typing import Any

import pytest

from app.db.core.connections import Sessions
from tests.acceptance.refusals import expect_refused
from tests.acceptance.stack import Client, Stack
from tests.conftest import Tenant, make_tenant

E42 = "My upload fails with error E42. How do I fix it?"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


@pytest.fixture
def talked(starter: Client) -> Any:
    """A finished run of Lou."""
    run = starter.start("cus_lou", E42)
    assert run["outcome"] == "answered"
    return run


@pytest.fixture
async def other_tenant(sessions: Sessions) -> Tenant:
    """Another company."""
    async with sessions.begin() as session:
        return await make_tenant(session, articles=False)


def erase(client: Client, customer: str) -> Any:
    """What the erasure answers."""
    answer = client.http.delete(f"/v1/customers/{customer}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_erased_customer_is_gone_from_every_answer(
    starter: Client, admin: Client, talked: Any
) -> None:
    """Runs, steps and thread are empty shells; the answer counts what went."""
    done = erase(admin, "cus_lou")
    assert done["erased"]["runs"] == 1
    assert done["erased"]["messages"] == 2
    assert done["erased"]["checkpoints"] > 0
    assert done["pseudonymised"] == {"ledger": 1}
    shell = starter.run(talked["id"])
    steps = starter.http.get(f"/v1/runs/{talked['id']}/steps").json()["items"]
    thread = starter.http.get("/v1/threads/T-1").json()
    assert thread["messages"] == []
    assert {str(step[part]) for step in steps for part in ("input", "output")} == {"None"}
    for shown in (done, shell, steps, thread):
        assert "cus_lou" not in str(shown)
        assert "E42" not in str(shown)
    assert (shell["status"], shell["outcome"], shell["reply"]) == ("success", "answered", None)
    assert starter.http.get("/v1/runs?customer_id=cus_lou").json()["items"] == []


def test_erasing_again_is_no_error(admin: Client, talked: Any) -> None:
    """DELETE is idempotent: the second answer counts nothing, like that for a stranger."""
    first = erase(admin, "cus_lou")
    for customer in ("cus_lou", "cus_unknown"):
        again = erase(admin, customer)
        assert set(again["erased"].values()) == {0}
        assert again["id"] != first["id"]


def test_waiting_run_refuses_until_it_is_cancelled(starter: Client, admin: Client) -> None:
    """409 names the run; nothing is erased before a person decided about it."""
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    refused = expect_refused(
        admin.http.delete("/v1/customers/cus_ann"), 409, "customer-has-live-runs"
    )
    assert refused["run_ids"] == [run["id"]]
    assert starter.run(run["id"])["approvals"][0]["steps"] != []
    starter.http.post(f"/v1/runs/{run['id']}/cancel").raise_for_status()
    assert erase(admin, "cus_ann")["erased"]["approvals"] == 1
    assert starter.run(run["id"])["approvals"][0]["steps"] == []


def test_refund_of_an_erased_customer_is_not_made_twice(
    starter: Client, approver: Client, admin: Client
) -> None:
    """The ledger keeps amount and key, so the same request finds the refund already made."""
    run = starter.start("cus_ann", TWICE)
    assert approver.decide(run, "approve").status_code == 202
    acted = starter.run(run["id"])
    assert acted["outcome"] == "acted"
    erase(admin, "cus_ann")
    [kept] = [e for e in starter.run(run["id"])["effects"] if e["tool"] == "refund_payment"]
    assert kept["args"]["amount_minor"] == 4900
    assert "reason" not in kept["args"]
    again = starter.start("cus_ann", TWICE)
    assert [e["tool"] for e in again["effects"] if e["tool"] == "refund_payment"] == []


def test_only_admins_erase(starter: Client, approver: Client, talked: Any) -> None:
    """Any other scope is refused, and nothing happens."""
    for client in (starter, approver):
        expect_refused(client.http.delete("/v1/customers/cus_lou"), 403, "missing-scope")
    assert starter.run(talked["id"])["customer_id"] == "cus_lou"


def test_another_tenant_s_customer_of_the_same_id_stays(
    stack: Stack, starter: Client, talked: Any, other_tenant: Tenant
) -> None:
    """The id is the tenant's own name for a customer."""
    done = erase(stack.client(other_tenant.admin), "cus_lou")
    assert done["erased"]["runs"] == 0
    assert starter.run(talked["id"])["customer_id"] == "cus_lou"
    assert len(starter.http.get("/v1/threads/T-1").json()["messages"]) == 2


@pytest.mark.parametrize("customer", ["%20", "a%00b", "erased%205f1c", "%F0%9F%99%82", "x" * 129])
def test_what_is_no_customer_id_is_refused(admin: Client, customer: str) -> None:
    """Nothing lives at its address; a pseudonym is no id either."""
    answer = admin.http.delete(f"/v1/customers/{customer}")
    code = "invalid-url" if "%00" in customer else "not-found"
    expect_refused(answer, 400 if "%00" in customer else 404, code)
