"""Who may decide, about what, and until when."""

from typing import Any

import httpx
import psycopg
import pytest

from app.db.core.connections import Sessions
from tests.acceptance.refusals import NOBODY, Callers, connect, expect_refused, make_callers
from tests.acceptance.stack import Client, Stack

ANNUAL = "Please refund my annual plan."
TWICE = "I was charged twice for my Pro plan, please refund one of them"
SEATS = "Please refund pay_4001 and pay_4002 and pay_4003. I cancelled the three team seats."


@pytest.fixture
async def callers(stack: Stack, sessions: Sessions, database_url: str) -> Callers:
    """A tenant of one test, since some of these end in a decision."""
    return await make_callers(stack, sessions, database_url)


@pytest.fixture
def run(callers: Callers) -> Any:
    """A run that waits for a person to agree to a refund of 60000 USD."""
    return callers.starter.start("cus_bob", ANNUAL, "T-bob")


def decide(client: Client, run: Any, **changes: Any) -> httpx.Response:
    """Approve the run's plan, with some of the answer changed."""
    [approval] = run["approvals"]
    body = {"approval_id": approval["id"], "digest": approval["digest"], "verdict": "approve"}
    return client.http.post(f"/v1/runs/{run['id']}/resume", json={**body, **changes})


def test_unknown_approval_is_404(callers: Callers, run: Any) -> None:
    """An approval that was never opened."""
    with callers.books.unchanged():
        expect_refused(decide(callers.approver, run, approval_id=NOBODY), 404, "not-found")


def test_approval_of_another_run_is_404(callers: Callers, run: Any) -> None:
    """A run is only decided by its own approval, even with that one's digest."""
    other = callers.starter.start("cus_ann", TWICE, "T-ann")
    [approval] = other["approvals"]
    with callers.books.unchanged():
        answer = decide(
            callers.approver, run, approval_id=approval["id"], digest=approval["digest"]
        )
        expect_refused(answer, 404, "not-found")


def test_stale_digest_is_412(callers: Callers, run: Any) -> None:
    """An answer to something else than what is shown, whatever the verdict."""
    other = callers.starter.start("cus_ann", TWICE, "T-ann")
    for digest in ("0" * 64, other["approvals"][0]["digest"]):
        for verdict in ("approve", "edit", "reject"):
            with callers.books.unchanged():
                answer = decide(callers.approver, run, digest=digest, verdict=verdict)
                expect_refused(answer, 412, "stale-digest")


@pytest.mark.parametrize("first", ["approve", "edit", "reject"])
async def test_second_decision_is_answered_with_the_first(
    callers: Callers, run: Any, first: str
) -> None:
    """409 with the decision that counts, before and after the run has finished."""
    assert decide(callers.approver, run, verdict=first, comment="seen").status_code == 202
    other = await callers.caller("approvals:decide")
    for client in (callers.approver, other):
        problem = expect_refused(decide(client, run, verdict="reject"), 409, "already-decided")
        assert problem["decision"]["verdict"] == first
        assert problem["decision"]["comment"] == "seen"
        assert problem["decision"]["decided_by"]["name"] == "approver"
    assert callers.starter.run(run["id"])["status"] == "success"
    with callers.books.unchanged():
        problem = expect_refused(decide(other, run), 409, "already-decided")
        assert problem["decision"]["verdict"] == first


def test_cancelled_run_takes_no_decision(callers: Callers, run: Any) -> None:
    """409: there is nothing left to decide."""
    assert callers.starter.http.post(f"/v1/runs/{run['id']}/cancel").status_code == 202
    for verdict in ("approve", "edit", "reject"):
        with callers.books.unchanged():
            expect_refused(decide(callers.approver, run, verdict=verdict), 409, "not-waiting")


def test_finished_run_cannot_be_cancelled(callers: Callers) -> None:
    """409 with the status it ended in."""
    run = callers.starter.start("cus_lou", "What are your opening hours?")
    with callers.books.unchanged():
        answer = callers.starter.http.post(f"/v1/runs/{run['id']}/cancel")
        assert expect_refused(answer, 409, "run-finished")["run_status"] == "success"


def test_run_without_a_question_takes_no_decision(callers: Callers, run: Any) -> None:
    """404: a run that never asked has no approval to answer."""
    answered = callers.starter.start("cus_lou", "What are your opening hours?", "T-lou")
    with callers.books.unchanged():
        answer = decide(callers.approver, {**run, "id": answered["id"]})
        expect_refused(answer, 404, "not-found")


def test_expired_approval_is_410(callers: Callers, run: Any, database_url: str) -> None:
    """No person decides after the time is over, whether or not the worker has noticed."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE approvals SET expires_at = now() WHERE id = %s", [run["approvals"][0]["id"]]
        )
    expect_refused(decide(callers.approver, run), 410, "approval-expired")
    # By now the worker may have let the run go on to a person; money it has not moved.
    effects = callers.starter.run(run["id"])["effects"]
    assert "refund_payment" not in [effect["tool"] for effect in effects]


async def test_starter_may_not_decide_with_any_scope(callers: Callers) -> None:
    """403 own-run for the key that started the run, though it holds the scope."""
    both = await callers.caller("runs:write", "runs:read", "approvals:decide")
    run = both.start("cus_bob", ANNUAL)
    for verdict in ("approve", "edit", "reject"):
        with callers.books.unchanged():
            expect_refused(decide(both, run, verdict=verdict), 403, "own-run")
    assert decide(callers.approver, run).status_code == 202


async def test_starter_may_not_decide_a_replay_by_another_key(callers: Callers) -> None:
    """403 own-run for the first run's key and for the replay's; nothing moves, by any key."""
    scopes = ("runs:write", "runs:read", "approvals:decide")
    both, other = await callers.caller(*scopes), await callers.caller(*scopes)
    run = both.start("cus_bob", ANNUAL)
    assert decide(callers.approver, run, verdict="reject").status_code == 202
    assert both.run(run["id"])["outcome"] == "rejected"
    steps = both.http.get(f"/v1/runs/{run['id']}/steps").raise_for_status().json()["items"]
    [at] = [step["checkpoint_id"] for step in steps if step["node"] == "plan"]
    answer = other.http.post(f"/v1/runs/{run['id']}/replay?wait=20", json={"checkpoint_id": at})
    assert (answer.status_code, answer.json()["status"]) == (202, "interrupted"), answer.text
    for client in (both, other):
        for verdict in ("approve", "edit", "reject", "respond"):
            with callers.books.unchanged():
                expect_refused(decide(client, answer.json(), verdict=verdict), 403, "own-run")
    assert decide(callers.approver, answer.json()).status_code == 202
    assert other.run(answer.json()["id"])["outcome"] == "acted"


@pytest.mark.parametrize(
    ("customer", "text", "limits"),
    [
        ("cus_bob", ANNUAL, {"USD": 59_999}),
        ("cus_bob", ANNUAL, {"USD": 0}),
        ("cus_bob", ANNUAL, {}),
        ("cus_bob", ANNUAL, {"EUR": 10**9, "usd": 10**9}),
        ("cus_yui", "Please refund my Pro plan.", {"USD": 10**9}),
        ("cus_max", SEATS, {"USD": 3 * 19_900 - 1}),
    ],
)
async def test_key_approves_up_to_its_limit(
    callers: Callers, customer: str, text: str, limits: dict[str, int]
) -> None:
    """The plan's sum counts, currency by currency; a currency not named has limit 0."""
    limited = await callers.caller("approvals:decide", limits=limits)
    run = callers.starter.start(customer, text)
    for verdict in ("approve", "edit"):
        with callers.books.unchanged():
            expect_refused(decide(limited, run, verdict=verdict), 403, "over-limit")
    assert decide(limited, run, verdict="reject").status_code == 202


async def test_edit_below_the_limit_is_allowed(callers: Callers, run: Any) -> None:
    """What counts is the plan as the reviewer leaves it."""
    limited = await callers.caller("approvals:decide", limits={"USD": 100})
    steps = [{"id": run["plan"][0]["id"], "args": {"amount_minor": 101}}]
    with callers.books.unchanged():
        expect_refused(decide(limited, run, verdict="edit", steps=steps), 403, "over-limit")
    steps[0]["args"] = {"amount_minor": 100}
    assert decide(limited, run, verdict="edit", steps=steps).status_code == 202


@pytest.mark.parametrize("args", [{"payment_id": "pay_1001"}, {"amount_minor": "all of it"}])
def test_dropped_step_is_not_edited_as_well(callers: Callers, args: dict[str, Any]) -> None:
    """An edit that drops a step and changes what it must not is refused, not half obeyed."""
    run = callers.starter.start("cus_max", SEATS)
    steps = [{"id": run["plan"][0]["id"], "drop": True, "args": args}]
    with callers.books.unchanged():
        answer = decide(callers.approver, run, verdict="edit", steps=steps)
        expect_refused(answer, 422, "edit-not-allowed")


def test_cancel_that_breaks_off_is_no_cancel(callers: Callers, run: Any, stack: Stack) -> None:
    """A request whose body never fully arrives is not acted upon."""
    with callers.books.unchanged():
        connection = connect(stack)
        connection.putrequest("POST", f"/v1/runs/{run['id']}/cancel")
        connection.putheader("Authorization", callers.starter.http.headers["Authorization"])
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "100")
        connection.putheader("X-Request-Id", f"broken-{run['id']}")
        connection.endheaders()
        connection.send(b'{"reas')
        connection.close()
        # The API logs every request when it is done with it, answered or not.
        stack.processes[0].wait_for_line(f"broken-{run['id']}")
