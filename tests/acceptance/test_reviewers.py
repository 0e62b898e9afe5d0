"""Two approvers, another plan, a drafted reply: the whole way over HTTP."""

from typing import Any

import pytest

from app.db.core.connections import Sessions
from tests.acceptance.refusals import Callers, expect_refused, make_callers, pointers
from tests.acceptance.stack import Stack

ANNUAL = "Please refund my annual plan."
SEATS = "Please refund pay_4001 and pay_4002 and pay_4003. I cancelled the three team seats."


@pytest.fixture
async def callers(stack: Stack, sessions: Sessions, database_url: str) -> Callers:
    """A tenant of one test."""
    return await make_callers(stack, sessions, database_url, articles=True)


def set_policy(callers: Callers, **policy: Any) -> None:
    """Replace the tenant's policy."""
    callers.admin.http.patch("/v1/policy", json=policy).raise_for_status()


def refunds(run: Any) -> list[int]:
    """The amounts that were given back."""
    return [
        effect["result"]["amount_minor"]
        for effect in run["effects"]
        if effect["tool"] == "refund_payment"
    ]


def pending(run: Any) -> Any:
    """The run's open approval."""
    [found] = [approval for approval in run["approvals"] if approval["status"] == "pending"]
    return found


async def test_above_the_second_threshold_two_people_decide(callers: Callers) -> None:
    """The first yes answers 202 and moves nothing; the second one of the same key is refused."""
    set_policy(callers, refund_second_approver_from={"USD": 60_000})
    run = callers.starter.start("cus_bob", ANNUAL)
    assert pending(run)["required_approvers"] == 2
    first = callers.approver.decide(run, "approve", comment="seen the contract")
    assert (first.status_code, first.json()["status"]) == (202, "interrupted")
    with callers.books.unchanged():
        again = expect_refused(callers.approver.decide(run, "approve"), 409, "already-decided")
        assert again["decision"]["comment"] == "seen the contract"
        steps = [{"id": run["plan"][0]["id"], "args": {"amount_minor": 1}}]
        refused = callers.approver.decide(run, "edit", steps=steps)
        expect_refused(refused, 403, "second-approver-needed")
        expect_refused(callers.starter.decide(run, "approve"), 403, "missing-scope")
    [decision] = pending(callers.starter.run(run["id"]))["decisions"]
    assert (decision["decided_by"]["name"], decision["verdict"]) == ("approver", "approve")

    second = await callers.caller("approvals:decide")
    assert second.decide(run, "approve").status_code == 202
    done = callers.starter.run(run["id"])
    assert (done["outcome"], refunds(done)) == ("acted", [60_000])
    assert [d["decided_by"]["name"] for d in done["approvals"][0]["decisions"]] == [
        "approver",
        "extra",
    ]


async def test_second_approver_sees_what_the_first_made_of_it(callers: Callers) -> None:
    """The edited plan under a new digest; the answer to the old one is stale."""
    set_policy(callers, refund_second_approver_from={"USD": 0})
    run = callers.starter.start("cus_bob", ANNUAL)
    steps = [{"id": run["plan"][0]["id"], "args": {"amount_minor": 100}}]
    assert callers.approver.decide(run, "edit", steps=steps).status_code == 202
    second = await callers.caller("approvals:decide")
    expect_refused(second.decide(run, "approve"), 412, "stale-digest")
    now = callers.starter.run(run["id"])
    [step] = pending(now)["steps"]
    assert step["args"]["amount_minor"] == 100
    assert "from 60000 to 100" in pending(now)["changed"][0]
    raised = [{"id": step["id"], "args": {"amount_minor": 101}}]
    expect_refused(second.decide(now, "edit", steps=raised), 422, "edit-not-allowed")
    assert second.decide(now, "approve").status_code == 202
    done = callers.starter.run(run["id"])
    assert (done["outcome"], refunds(done)) == ("acted", [100])
    assert done["approvals"][0]["status"] == "edited"


def test_respond_asks_for_another_plan(callers: Callers) -> None:
    """The newer message and the guidance go into it; the old digest is worthless."""
    run = callers.starter.start("cus_max", SEATS)
    newer = callers.starter.start("cus_max", "Sorry, only the last one.", wait=0)
    shown = callers.approver.http.get(f"/v1/approvals/{pending(run)['id']}").json()
    assert [m["text"] for m in shown["newer_messages"]] == ["Sorry, only the last one."]
    assert "respond" in shown["verdicts"]
    assert callers.approver.decide(run, "respond", comment="pay_4003 only").status_code == 202

    again = callers.starter.run(run["id"])
    old, new = again["approvals"]
    assert (old["status"], new["status"], new["round"]) == ("responded", "pending", 1)
    assert (new["id"] != old["id"], new["digest"] != old["digest"]) == (True, True)
    assert [step["args"]["payment_id"] for step in new["steps"]] == ["pay_4003"]
    assert new["newer_messages"] == []
    merged = callers.starter.run(newer["id"])
    assert (merged["status"], merged["merged_into"]) == ("cancelled", run["id"])
    with callers.books.unchanged():
        expect_refused(callers.approver.decide(run, "approve"), 409, "already-decided")
    assert callers.approver.decide(again, "approve").status_code == 202
    assert callers.starter.run(run["id"])["outcome"] == "acted"


def test_answer_to_the_plan_before_is_stale_though_the_next_is_the_same(callers: Callers) -> None:
    """412: the digest names the approval and its round, so the old one moves no money."""
    run = callers.starter.start("cus_ann", "I was charged twice for my Pro plan, please refund one")
    assert callers.approver.decide(run, "respond", comment="Are you sure?").status_code == 202
    again = callers.starter.run(run["id"])
    old, new = again["approvals"]
    assert (old["steps"], new["status"]) == (new["steps"], "pending")
    body = {"approval_id": new["id"], "digest": old["digest"], "verdict": "approve"}
    with callers.books.unchanged():
        answer = callers.approver.http.post(f"/v1/runs/{run['id']}/resume", json=body)
        expect_refused(answer, 412, "stale-digest")
    assert callers.approver.decide(again, "approve").status_code == 202


def test_drafted_reply_waits_and_may_be_rewritten(callers: Callers) -> None:
    """Nothing is sent before; an empty text never; the edited one is what the customer gets."""
    set_policy(callers, reply_mode={"default": "draft"})
    run = callers.starter.start("cus_lou", "What are your opening hours?")
    approval = pending(run)
    assert (approval["kind"], run["reply"]) == ("reply", None)
    assert approval["on_expiry"].startswith("The draft is not sent")
    [step] = approval["steps"]
    assert (step["tool"], step["editable"]) == ("send_reply", ["text"])
    [edits] = approval["answer_schema"]["properties"]["steps"]["items"]["oneOf"]
    assert edits["properties"]["args"]["properties"]["text"]["maxLength"] == 10_000
    for text in ("", " \n"):
        with callers.books.unchanged():
            steps = [{"id": step["id"], "args": {"text": text}}]
            refused = callers.approver.decide(run, "edit", steps=steps)
            named = pointers(expect_refused(refused, 422, "edit-not-allowed"))
            assert named == ["/steps/0/args/text"]
    text = step["args"]["text"].replace("\n", "\n\n", 1)
    steps = [{"id": step["id"], "args": {"text": text}}]
    assert callers.approver.decide(run, "edit", steps=steps).status_code == 202
    done = callers.starter.run(run["id"])
    assert (done["outcome"], done["reply"]["text"]) == ("answered", text)
