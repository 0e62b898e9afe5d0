"""Replays and diffs over HTTP: idempotent, refused with a reason, and only the tenant's own."""

from typing import Any
from uuid import uuid4

import httpx

from tests.acceptance.stack import Client, Stack

E42 = "My upload fails with error E42. How do I fix it?"


def replay(caller: Client, run: Any, key: str = "", **body: Any) -> httpx.Response:
    """Ask for a replay and wait for its end."""
    headers = {"Idempotency-Key": key} if key else {}
    return caller.http.post(f"/v1/runs/{run['id']}/replay?wait=20", json=body, headers=headers)


def steps(caller: Client, run: Any) -> Any:
    """The run's node executions."""
    return caller.http.get(f"/v1/runs/{run['id']}/steps").raise_for_status().json()["items"]


def test_replay_and_its_diff(starter: Client, approver: Client) -> None:
    """One run for one key, its links lead to the diff, and the thread does not know it."""
    first = starter.start("cus_ann", E42)
    at = steps(starter, first)[0]["checkpoint_id"]
    body = {"checkpoint_id": at, "state": {"ticket": {"body": "I want to talk to a person."}}}
    answer = replay(starter, first, "again", **body, dry_run=True)
    assert answer.status_code == 202, answer.text
    again = answer.json()
    assert answer.headers["Location"] == again["links"]["self"]
    assert (again["replay_of"], again["dry_run"]) == (first["id"], True)
    assert (again["status"], again["outcome"]) == ("success", "escalated")
    assert (again["effects"], again["reply"]) == ([], first["reply"]), "what was sent"
    assert again["handoff"]["id"] == "simulated"
    assert replay(starter, first, "again", **body, dry_run=True).json()["id"] == again["id"]
    other = replay(starter, first, "again", **body)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")

    diff = starter.http.get(again["links"]["diff"]).raise_for_status().json()
    assert (diff["base"]["id"], diff["run"]["id"]) == (first["id"], again["id"])
    assert {"nodes", "outcome", "draft"} <= set(diff["changed"])
    same = starter.http.get(f"/v1/runs/{first['id']}/diff?with={first['id']}").json()
    assert same["same"] is True
    thread = starter.http.get(first["links"]["thread"]).raise_for_status().json()
    assert [run["id"] for run in thread["runs"]] == [first["id"]]
    assert len(thread["messages"]) == 2, "a replay says nothing"


def test_replays_are_refused_with_a_reason(starter: Client, approver: Client, stack: Stack) -> None:
    """Unknown run or checkpoint, a live run, keys of state that are not a caller's, no scope."""
    paused = starter.start("cus_max", "Please refund all my payments, all three of them", "T-9")
    assert paused["status"] == "interrupted"
    at = steps(starter, paused)[-1]["checkpoint_id"]
    refusals = [
        (replay(starter, {"id": uuid4()}, checkpoint_id=at), 404, "not-found"),
        (replay(starter, paused, checkpoint_id=at), 409, "run-not-finished"),
        (replay(starter, paused, checkpoint_id="1f", dry_run=True), 422, "invalid-request"),
        (replay(starter, paused, checkpoint_id="G" * 101, dry_run=True), 422, "invalid-request"),
        (replay(approver, paused, checkpoint_id=at), 403, "missing-scope"),
        (starter.http.get(f"/v1/runs/{paused['id']}/diff"), 422, "invalid-request"),
    ]
    for answer, status, code in refusals:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    for key in ("decision", "effects", "plan", "run_id", "memory"):
        answer = replay(starter, paused, checkpoint_id=at, state={key: {}}, dry_run=True)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
