"""A tenant's policy over HTTP: read, replaced as a whole, never by accident."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.db.core.connections import Sessions
from graphs.policy import Policy
from tests.acceptance.in_process import InProcess
from tests.acceptance.refusals import Callers, expect_refused, make_callers, pointers

DEFAULTS = Policy().model_dump(mode="json")
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


@pytest.fixture
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """A tenant of one test, with the default policy."""
    return await make_callers(in_process, sessions, database_url)


def put(callers: Callers, body: Any, **headers: str) -> Any:
    """Replace the policy as an admin, whatever is there unless the body or a header says more."""
    if "version" not in body:
        headers = {"If-Match": "*", **headers}
    return callers.admin.http.put("/v1/policy", json=body, headers=headers)


def test_default_policy_has_version_0(callers: Callers) -> None:
    """It was never set; its fields stand flat beside its version."""
    for client in (callers.admin, callers.approver):
        answer = client.http.get("/v1/policy").raise_for_status()
        unset = {"version": 0, "created_at": None, "created_by": None}
        assert (answer.json(), answer.headers["ETag"]) == ({**DEFAULTS, **unset}, '"0"')
    assert callers.admin.http.get("/v1/policy/versions").json()["items"] == []


def test_what_was_read_can_be_sent_back(callers: Callers) -> None:
    """The same content is no new version; a change is, under the name of the key."""
    read = callers.admin.http.get("/v1/policy").json()
    assert put(callers, read).json() == read
    changed = {**read, "refund_auto_limit": {"USD": 5000, "JPY": 0}, "anger_threshold": 1}
    stored = put(callers, changed)
    assert (stored.status_code, stored.headers["ETag"]) == (200, '"1"')
    body = stored.json()
    assert (body["version"], body["created_by"]) == (1, "admin")
    assert body["refund_auto_limit"] == {"USD": 5000, "JPY": 0}
    assert callers.approver.http.get("/v1/policy").json() == body
    assert put(callers, body).json() == body
    assert put(callers, {}).json()["version"] == 2, "what is left out has its default"
    assert callers.admin.http.get("/v1/policy").json()["refund_auto_limit"] == {}


def test_new_runs_are_held_to_the_new_policy(callers: Callers) -> None:
    """A run shows the version it started under, and keeps it."""
    before = callers.starter.start("cus_ann", TWICE, "T-before")
    assert (before["status"], before["policy_version"]) == ("interrupted", 0)
    callers.starter.http.post(f"/v1/runs/{before['id']}/cancel").raise_for_status()
    put(callers, {"refund_auto_limit": {"USD": 5000}}).raise_for_status()
    after = callers.starter.start("cus_ann", TWICE, "T-after")
    assert (after["status"], after["policy_version"]) == ("interrupted", 1)
    shown = [callers.approver.http.get(f"/v1/runs/{run['id']}").json() for run in (before, after)]
    reasons = [run["approvals"][0]["reasons"] for run in shown]
    assert [len(gate) for gate in reasons] == [2, 1], "the limit no longer asks"
    assert callers.starter.run(before["id"])["policy_version"] == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"refund_auto_limit": {"usd": 1}}, "/refund_auto_limit/usd"),
        ({"refund_auto_limit": {"USD": 1.5}}, "/refund_auto_limit/USD"),
        ({"refund_auto_limit": {"USD": "1"}}, "/refund_auto_limit/USD"),
        ({"refund_auto_limit": {"USD": True}}, "/refund_auto_limit/USD"),
        ({"refund_auto_limit": {"USD": -1}}, "/refund_auto_limit/USD"),
        ({"refund_second_approver_from": {"USD": 10**13}}, "/refund_second_approver_from/USD"),
        ({"refund_second_approver_from": 5}, "/refund_second_approver_from"),
        ({"bulk_mail_gate_from": -1}, "/bulk_mail_gate_from"),
        ({"reply_mode": "draft"}, "/reply_mode"),
        ({"reply_mode": {"default": "maybe"}}, "/reply_mode/default"),
        ({"reply_mode": {"by_intent": {"sales": "auto"}}}, "/reply_mode/by_intent/sales"),
        ({"approval_ttl_seconds": 59}, "/approval_ttl_seconds"),
        ({"approval_ttl_seconds": None}, "/approval_ttl_seconds"),
        ({"anger_threshold": 1.1}, "/anger_threshold"),
        ({"refund_limit": {}}, "/refund_limit"),
        ({"version": "1"}, "/version"),
        ({"version": -1}, "/version"),
        ([], ""),
    ],
)
def test_bad_policy_is_refused_where_it_is_bad(callers: Callers, body: Any, pointer: str) -> None:
    """Nothing is converted, no unknown field is taken, nothing is stored."""
    with callers.books.unchanged():
        assert pointers(expect_refused(put(callers, body), 422, "invalid-request")) == [pointer]


@pytest.mark.parametrize("tag", ["1", "", '"1', '"1" "2"', "W/1", "é", '"' + "1" * 200 + '"'])
def test_strange_if_match_is_refused(callers: Callers, tag: str) -> None:
    """422 for what is no list of entity tags."""
    headers = {b"If-Match": tag.encode()}
    with callers.books.unchanged():
        answer = callers.admin.http.put("/v1/policy", json={"anger_threshold": 1}, headers=headers)
        expect_refused(answer, 422, "invalid-request")


def test_policy_that_changed_meanwhile_is_not_overwritten(callers: Callers) -> None:
    """By the version in the body or by If-Match; `*` and no condition take what is there."""
    assert put(callers, {"anger_threshold": 0.1, "version": 0}).json()["version"] == 1
    with callers.books.unchanged():
        expect_refused(put(callers, {"version": 0}), 412, "stale-version")
        for tags in ('"0"', '"0", "2"', 'W/"1"', '""'):
            expect_refused(put(callers, {}, **{"If-Match": tags}), 412, "stale-version")
        expect_refused(put(callers, {"version": 1}, **{"If-Match": '"0"'}), 412, "stale-version")
    assert put(callers, {"anger_threshold": 0.2}, **{"If-Match": '"0", "1"'}).json()["version"] == 2
    assert put(callers, {"anger_threshold": 0.3}, **{"If-Match": "*"}).json()["version"] == 3


def test_put_without_a_condition_resets_nothing(callers: Callers) -> None:
    """428 until the caller says what it replaces; an empty body is no slip that costs a policy."""
    put(callers, {"anger_threshold": 0.1}).raise_for_status()
    with callers.books.unchanged():
        for body in ({}, {"anger_threshold": 0.2}):
            answer = callers.admin.http.put("/v1/policy", json=body)
            expect_refused(answer, 428, "precondition-required")


def test_patch_changes_what_it_names(callers: Callers) -> None:
    """The other fields stay; null is a value; nothing named is no new version."""

    def patch(body: Any, **headers: str) -> Any:
        return callers.admin.http.patch("/v1/policy", json=body, headers=headers)

    put(callers, {"anger_threshold": 0.1, "refund_auto_limit": {"USD": 5000}}).raise_for_status()
    changed = patch({"confidence_threshold": 0.3, "handoff_hold_hours": None})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    wanted = {"anger_threshold": 0.1, "refund_auto_limit": {"USD": 5000},
              "confidence_threshold": 0.3, "handoff_hold_hours": None, "version": 2}  # fmt: skip
    assert wanted.items() <= changed.json().items()
    assert patch({"refund_auto_limit": {}}, **{"If-Match": '"2"'}).json()["version"] == 3
    with callers.books.unchanged():
        assert patch({}).json()["version"] == 3
        expect_refused(patch({"anger_threshold": 0.9, "version": 2}), 412, "stale-version")
        expect_refused(patch({"anger_threshold": 0.9}, **{"If-Match": '"1"'}), 412, "stale-version")
        expect_refused(patch({"anger_treshold": 0.9}), 422, "invalid-request")


def test_of_many_changes_to_one_version_one_is_stored(callers: Callers) -> None:
    """Eight at the same instant; without a condition each is a version of its own."""
    bodies = [{"anger_threshold": n / 10, "version": 0} for n in range(1, 8)]
    with ThreadPoolExecutor(7) as admins:
        answers = list(admins.map(lambda body: put(callers, body), bodies))
    assert sorted(a.status_code for a in answers) == [200] + [412] * 6
    free = [{"anger_threshold": n / 100} for n in range(1, 8)]
    with ThreadPoolExecutor(7) as admins:
        answers = list(admins.map(lambda body: put(callers, body), free))
    assert sorted(a.json()["version"] for a in answers) == list(range(2, 9))

    seen: list[int] = []
    cursor = None
    while cursor or not seen:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = callers.approver.http.get("/v1/policy/versions", params=params).json()
        seen += [item["version"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == list(range(8, 0, -1))
