"""Over HTTP: a run over its rate waits and says so; waiting messages are answered by one run."""

from typing import Any

from app.db.core.connections import Sessions
from app.db.tenants.queries import add_policy
from tests.acceptance.stack import Client, ticket
from tests.conftest import Tenant

HOURS = "What are your opening hours?"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


async def test_runs_over_the_rate_wait_in_order(
    starter: Client, sessions: Sessions, tenant: Tenant
) -> None:
    """None is refused; each says why it waits and at which place, and starts when it is due."""
    rates = {"customer_per_minute": 60, "customer_burst": 1}
    async with sessions.begin() as session:
        await add_policy(session, tenant.id, 1, {"rates": rates}, "test")
    made = [starter.start("cus_lou", HOURS, f"T-{n}", wait=0) for n in range(4)]
    page = starter.http.get("/v1/runs").json()["items"][::-1]
    times = [run["not_before"] for run in page]
    assert times == sorted(times)
    waiting = [run for run in made if run["queued_reason"] == "customer_rate"]
    assert len(waiting) >= 2
    assert all(run["queue_position"] >= 1 for run in waiting)
    ended = [starter.run(run["id"]) for run in made]
    assert [run["outcome"] for run in ended] == ["answered"] * 4
    assert all(run["started_at"] >= run["not_before"] for run in ended)
    assert {(run["queued_reason"], run["queue_position"]) for run in ended} == {(None, None)}


def test_messages_that_wait_together_are_one_run(starter: Client, approver: Client) -> None:
    """The absorbed run names the one that answers, also to a repeat of its request."""
    first = starter.start("cus_ann", TWICE, "T-m")
    newer = [HOURS, "And when do you close on Friday?"]
    headers = [{"Idempotency-Key": f"T-m-{n}"} for n in range(2)]
    bodies: list[Any] = [ticket("cus_ann", text, "T-m") for text in newer]
    second, third = (
        starter.http.post("/v1/runs", json=body, headers=header).json()
        for body, header in zip(bodies, headers, strict=True)
    )
    places = [(run["queued_reason"], run["queue_position"]) for run in (second, third)]
    assert places == [("thread_busy", 1), ("thread_busy", 2)]

    approver.decide(first, "approve")
    assert starter.run(second["id"])["status"] == "success"
    repeat = starter.http.post("/v1/runs?wait=20", json=bodies[1], headers=headers[1]).json()
    assert (repeat["id"], repeat["status"]) == (third["id"], "cancelled")
    assert repeat["merged_into"] == second["id"]
    assert repeat["links"]["merged_into"] == f"/v1/runs/{second['id']}"
    steps = starter.http.get(f"/v1/runs/{second['id']}/steps").json()["items"]
    assert steps[0]["input"]["ticket"]["body"] == "\n\n".join(newer)

    refused = starter.http.post(f"/v1/runs/{third['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "run-finished")
    assert refused.json()["merged_into"] == second["id"]
