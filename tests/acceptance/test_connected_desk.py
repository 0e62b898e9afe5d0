"""A helpdesk of the tenant's own, connected: hooks in, one reply out, and never over a person."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.connected import OwnConnected
from tests.cases import some
from tests.doubles.own_desk import until
from tests.tls import TLS

E42 = "My upload fails with error E42. How do I fix it?"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
PERSON = "I want to speak to a person, please."


def test_question_is_answered_once_at_the_desk(connected: OwnConnected) -> None:
    """The hook starts a run, the reply stands at the desk once, its fields follow the outcome."""
    desk = connected.desk
    desk.open("42", E42)
    run = connected.rested("42")
    assert (run["outcome"], run["ticket_id"]) == ("answered", f"{connected.id}:42")
    sent = connected.settled("42", "reply")
    assert sent["status"] == "sent"
    assert desk.public("42") == [run["reply"]["text"]]
    assert sent["desk_id"] == desk.tickets["42"].messages[-1]["id"]
    until(lambda: desk.tickets["42"].tags == {"bot"})
    assert desk.tickets["42"].fields["status"] == "pending"


def test_hook_that_comes_again_starts_nothing(connected: OwnConnected) -> None:
    """Neither the same delivery nor another one of the same message."""
    desk = connected.desk
    desk.open("42", E42, hook=False)
    message = desk.tickets["42"].messages[-1]
    data = {"ticket": {"id": "42"}, "message": message}
    first = desk.post("message.created", data, "d-1")
    assert (first.status_code, first.json()) == (202, {"duplicate": False})
    assert desk.post("message.created", data, "d-1").json() == {"duplicate": True}
    assert desk.post("message.created", data, "d-2").json() == {"duplicate": True}
    connected.settled("42", "reply")
    assert len(connected.runs("42")) == 1
    assert len(desk.public("42")) == 1


@pytest.mark.parametrize("fault", some(["lose", "garbage", "later"], 3))
def test_lost_answer_leaves_one_reply(connected: OwnConnected, fault: str) -> None:
    """What happened is unknown, so the desk is looked at before anything is posted again."""
    desk = connected.desk
    desk.faults = [fault]
    desk.open("42", E42)
    sent = connected.settled("42", "reply")
    assert sent["status"] == "sent"
    assert sent["attempts"] == 2
    assert len(desk.public("42")) == 1


def test_figures_say_what_came_and_what_went(connected: OwnConnected) -> None:
    """Hooks and deliveries as they were, the lost answer as a retry, and the runs behind them."""
    desk = connected.desk
    desk.faults = ["lose"]
    desk.open("42", E42)
    connected.settled("42", "reply")
    until(lambda: all(sent["status"] != "pending" for sent in connected.deliveries()))
    sent = connected.deliveries()

    def read() -> Any:
        answer = connected.starter.http.get("/v1/stats/connections?window=1h")
        [figures] = answer.raise_for_status().json()["connections"]
        return figures

    figures = read()
    assert (figures["connection_id"], figures["name"]) == (connected.id, "Own")
    assert {one["kind"]: one["count"] for one in figures["hooks"]} == {"received": 1}
    assert {one["kind"]: one["count"] for one in figures["deliveries"]} == {"sent": len(sent)}
    assert (figures["retries"], figures["success_rate"]) == (1, 1.0)
    assert figures["took"]["count"] == len(sent)
    listed = connected.starter.http.get(figures["runs"]).raise_for_status().json()["items"]
    assert [run["id"] for run in listed] == [connected.rested("42")["id"]]


def test_no_reply_leaves_over_a_person(connected: OwnConnected) -> None:
    """A person answers while the run waits for approval: the draft goes in as a private note."""
    desk, ticket = connected.desk, "42"
    desk.open(ticket, TWICE, external_id="cus_ann", verified=True)
    run = connected.rested(ticket)
    assert run["status"] == "interrupted"
    desk.write(ticket, "person", "I will look into it.", hook=False)
    assert connected.approver.decide(run, "approve").status_code == 202
    ended = connected.settled(ticket, "reply")
    assert ended["status"] == "overtaken"
    assert desk.public(ticket) == ["I will look into it."]
    connected.settled(ticket, "draft")
    [note] = desk.notes(ticket)
    assert "refunded 49.00 USD" in note


def test_person_silences_the_bot_until_it_is_handed_back(connected: OwnConnected) -> None:
    """From the hook on nothing leaves; handed back, the bot answers what is waiting."""
    desk = connected.desk
    desk.open("42", E42, hook=False)
    desk.take("42", "Emma")
    desk.write("42", "customer", "Are you there? " + E42)
    run = connected.rested("42")
    assert (run["outcome"], run["ignored"]) == ("ignored", "human_has_it")
    assert desk.public("42") == []
    desk.take("42", None)
    until(lambda: desk.public("42"))
    assert connected.settled("42", "reply")["status"] == "sent"


def test_unverified_requester_has_no_account(connected: OwnConnected) -> None:
    """Whatever id they claim: no payment is read, and no money is proposed."""
    desk = connected.desk
    desk.open("42", TWICE, external_id="cus_ann", verified=False)
    run = connected.rested("42")
    assert (run["outcome"], run["plan"]) == ("escalated", [])
    assert run["customer_id"] == f"{connected.id}:person-42"
    assert "pay_" not in str(run), "the articles may name prices, and nothing names her payments"


def test_hand_off_is_a_note_and_a_group(connected: OwnConnected) -> None:
    """The desk's people read why; the ticket goes to the group of the skill."""
    desk = connected.desk
    desk.open("42", PERSON)
    assert connected.rested("42")["outcome"] == "escalated"
    connected.settled("42", "handoff")
    connected.settled("42", "fields")
    [note] = desk.notes("42")
    assert "human_requested" in note
    assert desk.tickets["42"].fields["group"] == "Second line"


def test_closed_or_refusing_desk_brings_a_person(connected: OwnConnected) -> None:
    """What the customer did not get is no reply of ours, and a person has the ticket."""
    desk = connected.desk
    desk.open("1", E42, hook=False)
    desk.tickets["1"].closed = True
    message = desk.tickets["1"].messages[-1]
    desk.post("message.created", {"ticket": {"id": "1"}, "message": message})
    assert connected.settled("1", "reply")["status"] == "closed"
    connected.settled("1", "draft")
    connected.settled("1", "fields")
    desk.faults = ["refuse"]
    desk.open("2", E42)
    refused = connected.settled("2", "reply")
    assert (refused["status"], refused["last_error"]) == ("refused", "HTTP 403")
    handoffs = connected.approver.http.get("/v1/handoffs").json()["items"]
    assert {h["ticket_id"] for h in handoffs} == {f"{connected.id}:1", f"{connected.id}:2"}


def test_ticket_that_is_gone_ends_quietly(connected: OwnConnected) -> None:
    """No hand-off, no reply."""
    desk = connected.desk
    desk.open("42", TWICE, external_id="cus_ann", verified=True)
    run = connected.rested("42")
    del desk.tickets["42"]
    connected.approver.decide(run, "approve")
    assert connected.settled("42", "reply")["status"] == "gone"


def test_refused_credentials_pause_the_connection_and_lose_nothing(connected: OwnConnected) -> None:
    """One alarm; what waits goes on once it is put right."""
    desk = connected.desk
    right, desk.secret = desk.secret, "whsec_" + "A" * 43 + "="
    connected_secret = desk.secret
    desk.secret = right
    desk.open("42", E42, hook=False)
    body = {"ticket": {"id": "42"}, "message": desk.tickets["42"].messages[-1]}
    assert desk.post("message.created", body).status_code == 202
    desk.secret = connected_secret

    def paused() -> Any:
        shown = connected.admin.http.get(f"/v1/connections/{connected.id}").json()
        return shown["paused_because"]

    assert "401" in until(paused)
    desk.secret = right
    again = connected.admin.http.patch(f"/v1/connections/{connected.id}", json={"paused": False})
    assert again.json()["paused_because"] is None
    until(lambda: desk.public("42"))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    some(
        [
            ({"webhook-signature": "v1,AAAA"}, 401, "hook-not-signed"),
            ({"webhook-signature": "nonsense"}, 401, "hook-not-signed"),
            ({"webhook-timestamp": "1700000000"}, 401, "hook-not-signed"),
            ({"webhook-timestamp": "nan"}, 401, "hook-not-signed"),
            ({"webhook-id": ""}, 401, "hook-not-signed"),
        ],
        5,
    ),
)
def test_forged_or_old_hook_is_refused(
    connected: OwnConnected, change: dict[str, str], status: int, code: str
) -> None:
    """And starts no run."""
    desk = connected.desk
    body = b'{"type":"message.created","data":{}}'
    answer = httpx.post(desk.hooks, content=body, headers=desk.signed(body) | change, verify=TLS)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    some([
        (b'{"type":"message.created"}', 400, "invalid-json"),
        (b'{"type":"message.created","data":{"ticket":{"id":7}}}', 400, "invalid-json"),
        (b'{"type":"message.created","data":{"ticket":{"id":"' + b"x" * 300 + b'"}}}', 400,
         "invalid-json"),
        (b"[]", 400, "invalid-json"),
        (b"{", 400, "invalid-json"),
        (b'{"a":"' + b"x" * 300_000 + b'"}', 413, "body-too-large"),
    ], 3),
)  # fmt: skip
def test_malformed_hook_is_refused(
    connected: OwnConnected, body: bytes, status: int, code: str
) -> None:
    """Signed as it is."""
    desk = connected.desk
    answer = httpx.post(desk.hooks, content=body, headers=desk.signed(body), verify=TLS)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_hook_of_no_connection_is_not_found(connected: OwnConnected) -> None:
    """Another tenant's desk signs for its own address only."""
    desk = connected.desk
    answer = httpx.post(desk.hooks.rsplit("/", 1)[0] + "/con_aaaaaaaaaaaaaaaa", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    removed = connected.admin.http.delete(f"/v1/connections/{connected.id}")
    assert removed.status_code == 204
    body = b"{}"
    assert (
        httpx.post(desk.hooks, content=body, headers=desk.signed(body), verify=TLS).status_code
        == 404
    )


@pytest.mark.parametrize("event", some(["own", "note", "automation", "unknown"], 2))
def test_hook_without_a_fact_for_us_starts_nothing(connected: OwnConnected, event: str) -> None:
    """Our own echo, a private note, the desk's own words, a type that we do not know."""
    desk = connected.desk
    desk.open("42", E42, hook=False)
    message = {"id": f"m{uuid4()}", "author": "person", "public": False}
    kind = "message.created"
    match event:
        case "own":
            message |= {"author": "bot", "public": True, "key": "reply:1"}
        case "automation":
            message |= {"author": "system", "public": True}
        case "unknown":
            kind = "ticket.painted"
    answer = desk.post(kind, {"ticket": {"id": "42"}, "message": message})
    assert answer.json() == {"duplicate": False}
    listed = connected.admin.http.get(f"/v1/connections/{connected.id}").json()
    assert listed["last_hook_at"] is not None
    assert connected.runs("42") == []


def test_rotated_secret_is_taken_beside_the_old_one(connected: OwnConnected) -> None:
    """Until the overlap ends."""
    desk, old = connected.desk, connected.desk.secret
    path = f"/v1/connections/{connected.id}/rotate-secret"
    desk.secret = connected.admin.http.post(path, json={}).json()["hook_secret"]
    new = desk.secret
    for secret in (old, new):
        desk.secret = secret
        assert desk.post("x", {"ticket": {"id": "1"}}).status_code == 202
    desk.secret = connected.admin.http.post(path, json={"overlap_seconds": 0}).json()["hook_secret"]
    assert desk.post("x", {"ticket": {"id": "1"}}).status_code == 202
    desk.secret = old
    assert desk.post("x", {"ticket": {"id": "1"}}).status_code == 401


def test_api_cannot_start_a_run_of_a_desks_ticket(connected: OwnConnected) -> None:
    """Its hooks alone do, since the run would speak at the desk."""
    asked = {"id": f"{connected.id}:42", "subject": "", "body": E42, "customer": {"id": "cus_ann"}}
    answer = connected.starter.http.post("/v1/runs", json={"ticket": asked})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


def test_connection_test_says_what_is_right_and_what_is_missing(connected: OwnConnected) -> None:
    """In sentences; and a secret is nowhere in them."""
    path = f"/v1/connections/{connected.id}/test"
    before = connected.admin.http.post(path).json()
    assert before["ok"] is False
    assert [check["ok"] for check in before["checks"]] == [True, False]
    connected.desk.post("x", {"ticket": {"id": "1"}})
    assert connected.admin.http.post(path).json()["ok"] is True
    assert connected.desk.secret not in str(before)
