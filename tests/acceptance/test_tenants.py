"""What belongs to another tenant does not exist, for any call and in any list."""

from typing import Any

import pytest

from app.db.core.connections import Sessions
from tests.acceptance.refusals import NOBODY, Books, Callers, expect_refused, make_callers
from tests.acceptance.stack import Client, Stack, ticket

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


@pytest.fixture(scope="module")
async def owner(stack: Stack, sessions: Sessions, database_url: str) -> Callers:
    """The tenant whose things they are."""
    return await make_callers(stack, sessions, database_url)


@pytest.fixture(scope="module")
async def stranger(stack: Stack, sessions: Sessions, database_url: str) -> Callers:
    """Another tenant."""
    return await make_callers(stack, sessions, database_url)


@pytest.fixture(scope="module")
async def intruder(stranger: Callers) -> Client:
    """A key of the other tenant that may do everything there."""
    scopes = ("runs:write", "runs:read", "approvals:decide", "articles:write", "admin")
    return await stranger.caller(*scopes)


@pytest.fixture(scope="module")
def run(owner: Callers) -> Any:
    """A run of the owner that waits for a decision."""
    return owner.starter.start("cus_ann", TWICE, "T-secret")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/runs/{run}"), ("GET", "/v1/runs/{run}?wait=30"), ("GET", "/v1/runs/{run}/steps"),
     ("POST", "/v1/runs/{run}/cancel"), ("GET", "/v1/approvals/{approval}")],
)  # fmt: skip
def test_foreign_id_is_an_unknown_id(
    owner: Callers, intruder: Client, run: Any, method: str, path: str
) -> None:
    """404, word for word what an unknown id is answered."""
    approval = run["approvals"][0]["id"]
    with owner.books.unchanged():
        foreign = intruder.http.request(method, path.format(run=run["id"], approval=approval))
        unknown = intruder.http.request(method, path.format(run=NOBODY, approval=NOBODY))
        problem = str(expect_refused(foreign, 404, "not-found"))
        for real in (run["id"], approval):
            problem = problem.replace(real, NOBODY)
        assert problem == str(expect_refused(unknown, 404, "not-found"))


def test_foreign_approval_cannot_be_decided(
    owner: Callers, stranger: Callers, intruder: Client, run: Any, stack: Stack
) -> None:
    """Neither through its own run, nor through one of the intruder's."""
    own = stranger.starter.start("cus_ann", TWICE)
    answer = {
        "approval_id": run["approvals"][0]["id"],
        "digest": run["approvals"][0]["digest"],
        "verdict": "approve",
    }
    with owner.books.unchanged(), stranger.books.unchanged():
        for run_id in (run["id"], own["id"]):
            expect_refused(
                intruder.http.post(f"/v1/runs/{run_id}/resume", json=answer), 404, "not-found"
            )


def test_foreign_ticket_is_unknown(owner: Callers, intruder: Client, run: Any) -> None:
    """A thread is found by tenant and ticket, so a guessed ticket id opens nothing."""
    assert owner.starter.http.get("/v1/threads/T-secret").status_code == 200
    expect_refused(intruder.http.get("/v1/threads/T-secret"), 404, "not-found")


def test_foreign_article_cannot_be_removed_or_replaced(owner: Callers, intruder: Client) -> None:
    """The same id names another article in another tenant."""
    put = owner.admin.http.put(
        "/v1/articles/secret", json={"title": "Secret", "content": "zyzzyva"}
    )
    assert put.status_code == 200
    with owner.books.unchanged():
        expect_refused(intruder.http.delete("/v1/articles/secret"), 404, "not-found")
        theirs = {"title": "Mine", "content": "nothing"}
        assert intruder.http.put("/v1/articles/secret", json=theirs).json()["version"] == 1
    for query in ("zyzzyva", "Secret"):
        found = intruder.http.get("/v1/articles", params={"q": query, "limit": 100}).json()["items"]
        assert all("zyzzyva" not in article["content"] for article in found)


def test_lists_hold_only_what_is_the_tenants(stranger: Callers, intruder: Client, run: Any) -> None:
    """No filter brings another tenant's runs or approvals into view."""
    hidden = {run["id"], run["approvals"][0]["id"]}
    for path in (
        "/v1/runs?limit=100",
        "/v1/runs?ticket_id=T-secret",
        "/v1/runs?status=interrupted&customer_id=cus_ann",
        "/v1/approvals?limit=100",
        "/v1/approvals?status=pending",
    ):
        answer = intruder.http.get(path)
        assert answer.status_code == 200
        assert not [item for item in answer.json()["items"] if item["id"] in hidden]


def test_idempotency_key_of_another_tenant_is_free(
    owner: Callers, stranger: Callers, database_url: str
) -> None:
    """The same key in two tenants starts two runs and tells neither of the other."""
    body = ticket("cus_lou", "What are your opening hours?", "T-same")
    headers = {"Idempotency-Key": "shared"}
    first, second = (
        callers.starter.http.post("/v1/runs?wait=20", json=body, headers=headers).json()
        for callers in (owner, stranger)
    )
    assert first["id"] != second["id"]
    assert first["thread_id"] != second["thread_id"]
    rows = Books(database_url, stranger.tenant.id).read()[0]
    assert second["id"] in {str(row[0]) for row in rows}
