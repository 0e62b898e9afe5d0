"""A ticket in, a gated refund decided by a person, a reply out: over HTTP, by a real worker."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from tests.acceptance.stack import Client
from tests.cases import some
from tests.conftest import Tenant

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
# The row's lock decides each race; what could be lost without it shows in far fewer.
RACES = 12


def refunds(database_url: str, tenant: Tenant) -> list[tuple[str, int, str]]:
    """What the provider's own books say."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT payment_id, amount_minor, currency FROM sandbox_refunds WHERE tenant_id = %s",
            [tenant.id],
        )
        return list(rows)


def ledgered(database_url: str, tenant: Tenant, tool: str) -> list[str]:
    """The status of the ledger's rows of a tool."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT status FROM ledger WHERE tenant_id = %s AND tool = %s", [tenant.id, tool]
        )
        return [status for (status,) in rows]


def test_duplicate_charge_is_refunded_once_after_approval(
    starter: Client, approver: Client, tenant: Tenant, database_url: str
) -> None:
    """The run pauses with evidence, one approval moves the money, a second is refused."""
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    [step] = run["plan"]
    assert step["tool"] == "refund_payment"
    assert step["args"]["payment_id"] in ("pay_1001", "pay_1002")
    assert (step["args"]["amount_minor"], step["args"]["currency"]) == (4900, "USD")
    assert {item["id"] for item in step["evidence"]} == {"pay_1001", "pay_1002"}
    assert refunds(database_url, tenant) == []

    assert starter.decide(run, "approve").status_code == 403
    assert approver.decide(run, "approve").status_code == 202
    done = starter.run(run["id"])

    assert (done["status"], done["outcome"]) == ("success", "acted")
    assert refunds(database_url, tenant) == [(step["args"]["payment_id"], 4900, "USD")]
    assert ledgered(database_url, tenant, "refund_payment") == ["done"]
    assert "49.00 USD" in done["reply"]["text"]
    assert re.findall(r"\d[\d.]*", done["reply"]["text"]) == ["49.00"]
    again = approver.decide(run, "approve")
    assert (again.status_code, again.json()["code"]) == (409, "already-decided")
    assert again.json()["decision"]["verdict"] == "approve"


def test_rejected_refund_moves_nothing_and_brings_a_person(
    starter: Client, approver: Client, tenant: Tenant, database_url: str
) -> None:
    """No money, a reply, and a hand-off that carries the reviewer's reason."""
    run = starter.start("cus_bob", "Please refund my annual plan, we stopped using it.")
    assert run["plan"][0]["args"]["amount_minor"] == 60_000
    assert approver.decide(run, "reject", comment="outside 30 days").status_code == 202
    done = starter.run(run["id"])

    assert (done["status"], done["outcome"]) == ("success", "rejected")
    assert refunds(database_url, tenant) == []
    assert done["handoff"]["skill"] == "billing"
    assert done["reply"]["text"]
    [handoff] = [effect for effect in done["effects"] if effect["tool"] == "create_handoff"]
    assert "outside 30 days" in handoff["args"]["summary"]


@pytest.mark.parametrize(
    ("body", "article"),
    some(
        [
            ("My upload fails with error E42. How do I fix it?", "upload-error-e42"),
            ("What are your opening hours?", "opening-hours"),
            ("How do I reset my password?", "reset-password"),
        ],
        3,
    ),
)
def test_question_is_answered_from_the_article_that_knows(
    starter: Client, body: str, article: str
) -> None:
    """answered, with the one article cited."""
    run = starter.start("cus_eva", body)
    assert (run["status"], run["outcome"]) == ("success", "answered")
    assert run["reply"]["citations"] == [article]


def test_furious_customer_gets_a_person_with_the_skill(starter: Client) -> None:
    """escalated to a person who handles complaints, with a summary."""
    run = starter.start("cus_bob", "THIS IS UNACCEPTABLE!!! I am furious. Get me a manager NOW.")
    assert (run["status"], run["outcome"]) == ("success", "escalated")
    assert run["handoff"]["skill"] == "complaints"
    assert run["handoff"]["agent"]["name"]
    [handoff] = [effect for effect in run["effects"] if effect["tool"] == "create_handoff"]
    assert "UNACCEPTABLE" in handoff["args"]["summary"]


GIBBERISH = ("qwpoeiru zmxncb asdlkfj", "????", "🚧🚧🚧", "lorem ipsum dolor")


@pytest.mark.parametrize("body", some(GIBBERISH, 4))
def test_gibberish_goes_to_a_person(starter: Client, body: str) -> None:
    """A person, not an invention."""
    run = starter.start("cus_bob", body)
    assert run["outcome"] == "escalated"
    assert run["reply"]["citations"] == []


def test_edit_lowers_the_amount(
    starter: Client, approver: Client, tenant: Tenant, database_url: str
) -> None:
    """What the reviewer left is what is moved and reported."""
    run = starter.start("cus_bob", "Please refund my annual plan.")
    edit = [{"id": run["plan"][0]["id"], "args": {"amount_minor": 12_345}}]
    assert approver.decide(run, "edit", steps=edit).status_code == 202
    done = starter.run(run["id"])
    assert refunds(database_url, tenant) == [("pay_2001", 12_345, "USD")]
    assert "123.45 USD" in done["reply"]["text"]


def test_of_two_decisions_at_once_one_counts(
    starter: Client, approver: Client, tenant: Tenant, database_url: str
) -> None:
    """RACES times two clicks at the same instant: one 202, one 409, one ledger row."""
    bodies = [f"Please refund {p}" for p in ("pay_4001", "pay_4002", "pay_4003")]
    for n in range(RACES):
        run = starter.start("cus_max", bodies[n % 3], ticket_id=f"T-{n}", wait=20)
        edit = [{"id": run["plan"][0]["id"], "args": {"amount_minor": 1000 + n}}]
        with ThreadPoolExecutor(2) as clicks:
            both = [clicks.submit(approver.decide, run, "edit", steps=edit) for _ in range(2)]
        assert sorted(click.result().status_code for click in both) == [202, 409]
        assert starter.run(run["id"])["outcome"] == "acted"
    moved = refunds(database_url, tenant)
    assert len(moved) == len(set(moved)) == RACES
    assert ledgered(database_url, tenant, "refund_payment") == ["done"] * RACES


def test_same_idempotency_key_is_the_same_run(starter: Client) -> None:
    """A repeat answers the first run; another body under the key is refused."""
    body = {"ticket": {"id": "T-9", "subject": "Hi", "body": "What are your opening hours?",
                       "customer": {"id": "cus_lou"}}}  # fmt: skip
    headers = {"Idempotency-Key": "abc-1"}
    with ThreadPoolExecutor(8) as senders:
        answers = list(
            senders.map(
                lambda _: starter.http.post("/v1/runs", json=body, headers=headers), range(8)
            )
        )
    assert {answer.status_code for answer in answers} == {202}
    [run_id] = {answer.json()["id"] for answer in answers}
    assert answers[0].headers["Location"] == f"/v1/runs/{UUID(run_id)}"
    body["ticket"]["body"] = "Something else"
    other = starter.http.post("/v1/runs", json=body, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_runs_of_a_ticket_keep_their_order(starter: Client, approver: Client) -> None:
    """A message that comes while an approval waits is shown there, and handled afterwards."""
    first = starter.start("cus_ann", TWICE, ticket_id="T-order")
    second = starter.start("cus_ann", "What are your opening hours?", "T-order", wait=0)
    assert starter.run(second["id"], wait=0.5)["status"] == "pending"
    approval = approver.http.get(f"/v1/approvals/{first['approvals'][0]['id']}").json()
    [newer] = approval["newer_messages"]
    assert newer["text"] == "What are your opening hours?"

    approver.decide(first, "approve")
    assert starter.run(first["id"])["outcome"] == "acted"
    assert starter.run(second["id"])["outcome"] == "answered"
    thread = starter.http.get("/v1/threads/T-order").json()
    assert [m["author"] for m in thread["messages"]] == [
        "customer", "customer", "deskgraph", "deskgraph",
    ]  # fmt: skip
    assert [run["id"] for run in thread["runs"]] == [first["id"], second["id"]]


def test_cancel_of_a_waiting_run_closes_its_approval(starter: Client, approver: Client) -> None:
    """Nothing can be decided any more, and the ticket is free for its next message."""
    run = starter.start("cus_ann", TWICE, ticket_id="T-cancel")
    cancelled = starter.http.post(f"/v1/runs/{run['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    refused = approver.decide(run, "approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-waiting")
    assert starter.http.post(f"/v1/runs/{run['id']}/cancel").status_code == 202
    assert starter.start("cus_ann", "What are your opening hours?", "T-cancel")["outcome"]


def test_steps_tell_what_every_node_did(starter: Client) -> None:
    """Each node execution with its input, output, time, model calls and checkpoint."""
    run = starter.start("cus_eva", "My upload fails with error E42. How do I fix it?")
    steps = starter.http.get(f"/v1/runs/{run['id']}/steps").json()["items"]
    assert all(step["status"] == "success" and step["checkpoint_id"] for step in steps)
    nodes = [step["node"] for step in steps]
    begins = nodes.index("classify")
    assert nodes[begins:] == ["classify", "technical", "plan", "respond", "check", "send"]
    assert [call["model"] for call in steps[begins]["model_calls"]] == ["offline"]
    assert steps[begins + 3]["output"]["draft"]["citations"] == ["upload-error-e42"]


def test_lists_are_pages_with_signed_cursors(starter: Client) -> None:
    """Pages join without gap or double, and a cursor works on its own list only."""
    made = [starter.start("cus_lou", "What are your opening hours?", f"T-{n}", 0) for n in range(5)]
    seen, cursor = [], None
    while True:
        params: dict[str, str | int] = {"limit": 2, "customer_id": "cus_lou"}
        if cursor:
            params["cursor"] = cursor
        page = starter.http.get("/v1/runs", params=params).raise_for_status().json()
        seen += [run["id"] for run in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        other = starter.http.get("/v1/runs", params={"cursor": cursor})
        assert (other.status_code, other.json()["code"]) == (422, "invalid-cursor")
    assert seen == [run["id"] for run in reversed(made)]
