"""Answers that an approval does not allow: each is refused, and the question stays open."""

from typing import Any

import httpx
import pytest

from app.db.core.connections import Sessions
from tests.acceptance.in_process import InProcess
from tests.acceptance.refusals import NOBODY, Callers, expect_refused, make_callers, pointers
from tests.acceptance.stack import Client

SEATS = "Please refund pay_4001 and pay_4002 and pay_4003. I cancelled the three team seats."
PLANNED = 60_000


@pytest.fixture(scope="module")
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(in_process, sessions, database_url)


@pytest.fixture(scope="module")
def run(callers: Callers) -> Any:
    """A run that waits for a person to agree to one refund of PLANNED."""
    paused = callers.starter.start("cus_bob", "Please refund my annual plan.", "T-bob")
    [step] = paused["plan"]
    assert (step["args"]["amount_minor"], step["editable"]) == (PLANNED, ["amount_minor"])
    return paused


@pytest.fixture(scope="module")
def seats(callers: Callers) -> Any:
    """A run that waits with a plan of three steps."""
    paused = callers.starter.start("cus_max", SEATS, "T-max")
    assert len(paused["plan"]) == 3
    return paused


def body(run: Any, verdict: str = "approve", **more: Any) -> Any:
    """An answer to the run's open approval."""
    [approval] = run["approvals"]
    asked = {"approval_id": approval["id"], "digest": approval["digest"], "verdict": verdict}
    return {**asked, **more}


def resume(client: Client, run: Any, answer: Any) -> httpx.Response:
    """Send an answer."""
    return client.http.post(f"/v1/runs/{run['id']}/resume", json=answer)


def edit(run: Any, args: Any, **more: Any) -> Any:
    """An answer that edits the plan's first step."""
    return body(run, "edit", steps=[{"id": run["plan"][0]["id"], "args": args, **more}])


@pytest.mark.parametrize(
    "amount",
    [1.0, 100.5, 1e3, 1e308, "100", "1_000", "", True, False, None, [], [1], {}, 0, -1, -PLANNED,
     PLANNED + 1, 2 * PLANNED, 10**12 + 1, 2**63, 10**29],
)  # fmt: skip
def test_amount_is_a_positive_integer_up_to_what_was_planned(
    callers: Callers, run: Any, amount: Any
) -> None:
    """No float, text or boolean is money; nothing below 1, nothing above the plan."""
    with callers.books.unchanged():
        answer = resume(callers.approver, run, edit(run, {"amount_minor": amount}))
        [pointer] = pointers(expect_refused(answer, 422, "edit-not-allowed"))
        assert pointer.startswith("/steps/0/args")


def test_amount_of_31_digits_is_no_number(callers: Callers, run: Any) -> None:
    """The body is refused before anybody computes with it."""
    with callers.books.unchanged():
        answer = resume(callers.approver, run, edit(run, {"amount_minor": 10**30}))
        expect_refused(answer, 400, "invalid-json")


@pytest.mark.parametrize(
    ("name", "value"),
    [("payment_id", "pay_1001"), ("payment_id", "pay_2001"), ("currency", "EUR"),
     ("currency", "USD"), ("reason", "because"), ("customer_id", "cus_ann"), ("id", "x"),
     ("Amount_minor", 1), ("amount_minor ", 1), ("", 1), ("__proto__", {}), ("a/b~c", 1)],
)  # fmt: skip
def test_only_editable_arguments_may_be_edited(
    callers: Callers, run: Any, name: str, value: Any
) -> None:
    """Another payment or currency is another plan, even beside an allowed change."""
    for args in ({name: value}, {"amount_minor": 1, name: value}):
        with callers.books.unchanged():
            answer = resume(callers.approver, run, edit(run, args))
            expect_refused(answer, 422, "edit-not-allowed")


@pytest.mark.parametrize("step_id", ["nope", "refund-pay_1001", "refund-pay_2001 ", "\u2028"])
def test_unknown_step_is_refused(callers: Callers, run: Any, step_id: str) -> None:
    """An edit names a step of this plan, to the letter."""
    with callers.books.unchanged():
        answer = resume(callers.approver, run, body(run, "edit", steps=[{"id": step_id}]))
        assert pointers(expect_refused(answer, 422, "edit-not-allowed")) == ["/steps/0/id"]


@pytest.mark.parametrize("second", [{}, {"args": {"amount_minor": 2}}, {"drop": True}])
def test_step_is_edited_once(callers: Callers, seats: Any, second: Any) -> None:
    """The same step twice leaves open which edit counts."""
    step_id = seats["plan"][1]["id"]
    steps = [{"id": step_id, "args": {"amount_minor": 1}}, {"id": step_id, **second}]
    with callers.books.unchanged():
        answer = resume(callers.approver, seats, body(seats, "edit", steps=steps))
        expect_refused(answer, 422, "edit-not-allowed")


def test_dropping_every_step_is_a_rejection(callers: Callers, seats: Any) -> None:
    """Who wants nothing done says `reject`."""
    steps = [{"id": step["id"], "drop": True} for step in seats["plan"]]
    with callers.books.unchanged():
        answer = resume(callers.approver, seats, body(seats, "edit", steps=steps))
        expect_refused(answer, 422, "edit-not-allowed")


@pytest.mark.parametrize("verdict", ["approve", "reject"])
@pytest.mark.parametrize("change", [{"args": {"amount_minor": 1}}, {"drop": True}, {}])
def test_only_the_verdict_edit_carries_edits(
    callers: Callers, run: Any, verdict: str, change: Any
) -> None:
    """A change beside another verdict is never silently dropped."""
    steps = [{"id": run["plan"][0]["id"], **change}]
    with callers.books.unchanged():
        answer = resume(callers.approver, run, body(run, verdict, steps=steps))
        expect_refused(answer, 422, "edit-not-allowed")


@pytest.mark.parametrize("comment", ["", "  \n\t"])
def test_wish_without_a_word_is_refused(callers: Callers, run: Any, comment: str) -> None:
    """Who wants another plan says what should be different."""
    with callers.books.unchanged():
        answer = resume(callers.approver, run, body(run, "respond", comment=comment))
        assert pointers(expect_refused(answer, 422, "invalid-request")) == ["/comment"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"verdict": "approved"}, "/verdict"), ({"verdict": "APPROVE"}, "/verdict"),
        ({"verdict": None}, "/verdict"), ({"verdict": True}, "/verdict"),
        ({"digest": "0" * 63}, "/digest"), ({"digest": "A" * 64}, "/digest"),
        ({"digest": "a" * 64 + "\n"}, "/digest"), ({"digest": None}, "/digest"),
        ({"approval_id": "x"}, "/approval_id"), ({"approval_id": 7}, "/approval_id"),
        ({"approval_id": None}, "/approval_id"), ({"approvalId": NOBODY}, "/approvalId"),
        ({"steps": {}}, "/steps"), ({"steps": [1]}, "/steps/0"),
        ({"steps": [{"args": {}}]}, "/steps/0/id"), ({"steps": [{"id": ""}]}, "/steps/0/id"),
        ({"steps": [{"id": "x", "arg": {}}]}, "/steps/0/arg"),
        ({"steps": [{"id": "x", "args": []}]}, "/steps/0/args"),
        ({"steps": [{"id": "x", "drop": "true"}]}, "/steps/0/drop"),
        ({"steps": [{"id": "x", "drop": 1}]}, "/steps/0/drop"),
        ({"steps": [{"id": "x"}] * 101}, "/steps"),
        ({"comment": None}, "/comment"), ({"comment": "x" * 2001}, "/comment"),
        ({"decided_by": "the boss"}, "/decided_by"),
    ],
)  # fmt: skip
def test_answer_of_the_wrong_form_is_refused(
    callers: Callers, run: Any, changes: Any, pointer: str
) -> None:
    """422 with the place, unknown fields included at every level."""
    with callers.books.unchanged():
        answer = resume(callers.approver, run, {**body(run), **changes})
        assert pointers(expect_refused(answer, 422, "invalid-request")) == [pointer]


def test_answer_after_all_refusals_is_taken(callers: Callers, run: Any) -> None:
    """None of the refusals above closed the question."""
    fine = edit(run, {"amount_minor": PLANNED - 1})
    assert resume(callers.approver, run, fine).status_code == 202
    effects = callers.starter.run(run["id"])["effects"]
    [refund] = [effect for effect in effects if effect["tool"] == "refund_payment"]
    assert refund["result"]["amount_minor"] == PLANNED - 1
