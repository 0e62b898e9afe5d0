"""A connected desk whose hooks repeat, come late and out of order, and whose people interfere."""

from typing import Any

import pytest

from app.db.core.connections import Sessions
from tests.acceptance.connected import OwnConnected
from tests.acceptance.stack import Stack
from tests.acceptance.test_connected_desk import E42, PERSON, TWICE
from tests.cases import some
from tests.conftest import Tenant, make_tenant
from tests.doubles.own_desk import until


def said(connected: OwnConnected, ticket: str, message: Any) -> Any:
    """What a hook about the message is answered with."""
    data = {"ticket": {"id": ticket}, "message": message}
    return connected.desk.post("message.created", data).json()


def is_any_public(connected: OwnConnected, ticket: str) -> bool:
    """Whether a reply of ours counts as one that the customer got."""
    ours = [m for m in connected.messages(ticket) if m["author"] == "deskgraph"]
    assert len(ours) == 1
    return bool(ours[0]["public"])


def test_messages_of_two_tickets_may_share_an_id(connected: OwnConnected) -> None:
    """A desk may number the messages of each ticket: none of them is a duplicate."""
    desk = connected.desk
    for ticket in ("1", "2"):
        desk.open(ticket, E42, hook=False)
        desk.tickets[ticket].messages[-1]["id"] = "1"
    for ticket in ("1", "2"):
        assert said(connected, ticket, desk.tickets[ticket].messages[-1]) == {"duplicate": False}
    for ticket in ("1", "2"):
        assert connected.rested(ticket)["outcome"] == "answered"
        assert connected.settled(ticket, "reply")["status"] == "sent"


def test_reply_for_a_removed_connection_is_not_kept_as_sent(connected: OwnConnected) -> None:
    """Neither one that waits at the removal, nor one that a run writes after it."""
    desk = connected.desk
    desk.open("1", TWICE, external_id="cus_ann", verified=True)
    desk.open("2", E42, hook=False)
    desk.faults = ["later"] * 50
    said(connected, "2", desk.tickets["2"].messages[-1])
    late = connected.rested("1")
    connected.rested("2")
    until(lambda: "ticket.reply" in desk.calls)
    assert connected.admin.http.delete(f"/v1/connections/{connected.id}").status_code == 204
    assert connected.approver.decide(late, "approve").status_code == 202
    until(lambda: connected.runs("1")[0]["outcome"])
    until(lambda: not is_any_public(connected, "1"))
    until(lambda: not is_any_public(connected, "2"))
    assert desk.public("1") == desk.public("2") == []


def test_hand_back_that_is_said_twice_is_answered_once(connected: OwnConnected) -> None:
    """As one delivery under two ids, or as two changes of the desk."""
    desk = connected.desk
    desk.open("42", E42, hook=False)
    desk.take("42", "Emma")
    said(connected, "42", desk.tickets["42"].messages[-1])
    connected.rested("42")
    desk.assign("42", None)
    for _ in range(3):
        desk.post("ticket.handed_back", {"ticket": {"id": "42"}})
    until(lambda: desk.public("42"))
    connected.settled("42", "fields")
    assert len(connected.runs("42")) == 2, "the ignored one, and one after the hand-back"
    assert len(desk.public("42")) == 1


def test_person_between_two_messages_has_the_ticket(connected: OwnConnected) -> None:
    """Their hook is late, and the customer has written again: the ticket itself shows them."""
    desk = connected.desk
    desk.open("42", TWICE, external_id="cus_ann", verified=True)
    run = connected.rested("42")
    person = desk.write("42", "person", "I will look into it.", hook=False)
    asked = desk.write("42", "customer", "Thank you, please do. " + E42, hook=False)
    assert connected.approver.decide(run, "approve").status_code == 202
    assert connected.settled("42", "reply")["status"] == "overtaken"
    said(connected, "42", asked)
    newer = connected.rested("42", 2)
    assert (newer["outcome"], newer["ignored"]) == ("ignored", "human_has_it")
    assert desk.public("42") == ["I will look into it."]
    assert said(connected, "42", person) == {"duplicate": False}


def test_failure_of_another_tickets_reply_is_not_believed(connected: OwnConnected) -> None:
    """A key of one ticket says nothing about another, and its words do not go there."""
    desk = connected.desk
    desk.open("1", E42)
    connected.settled("1", "reply")
    desk.open("2", E42)
    connected.settled("2", "reply")
    key = desk.tickets["1"].messages[-1]["key"]
    desk.post("reply.failed", {"ticket": {"id": "2"}, "key": key})
    desk.post("reply.failed", {"ticket": {"id": "2"}, "key": desk.tickets["2"].messages[-1]["key"]})
    connected.settled("2", "handoff")
    until(lambda: desk.notes("2"))
    assert connected.messages("1")[-1]["public"] is True
    assert connected.messages("2")[-1]["public"] is False


def test_requesters_with_odd_ids_are_two_customers(connected: OwnConnected) -> None:
    """An id that is not plain ASCII is still an id: two people do not share a memory."""
    desk = connected.desk
    desk.open("1", E42, id="Jörg Müller")
    desk.open("2", E42, id="Zoë Brontë")
    first, second = connected.rested("1"), connected.rested("2")
    assert first["customer_id"] != second["customer_id"]
    assert first["customer_id"].startswith(f"{connected.id}:")


def test_desks_customer_is_not_the_apis(connected: OwnConnected) -> None:
    """Neither an API's caller nor a verified id of another desk names an unverified customer."""
    desk = connected.desk
    name = f"{connected.id}:person-1"
    asked = {"id": "T-1", "subject": "", "body": E42, "customer": {"id": name}}
    answer = connected.starter.http.post("/v1/runs", json={"ticket": asked})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), answer.text
    desk.open("2", E42, external_id=name, verified=True)
    assert connected.rested("2")["customer_id"] == f"{connected.id}:person-2"


def test_read_that_the_desk_refuses_once_is_made_again(connected: OwnConnected) -> None:
    """A desk that answers 403 while it is deployed loses no message of a customer."""
    desk = connected.desk
    desk.read_faults = ["refuse"]
    desk.open("42", E42)
    assert connected.rested("42")["outcome"] == "answered"


def test_news_of_a_ticket_that_people_have_reaches_them(connected: OwnConnected) -> None:
    """Its hand-off is open, and was at the desk: what goes wrong since is said there as well."""
    desk = connected.desk
    desk.open("42", E42)
    connected.settled("42", "reply")
    reply = desk.tickets["42"].messages[-1]["key"]
    desk.write("42", "customer", PERSON)
    connected.settled("42", "handoff")
    desk.post("reply.failed", {"ticket": {"id": "42"}, "key": reply})
    until(lambda: len(desk.notes("42")) == 2)
    assert "could not deliver" in desk.notes("42")[1]
    [handoff] = connected.approver.http.get("/v1/handoffs").json()["items"]
    assert handoff["summary"].startswith("The desk could not deliver")


def test_erased_customer_leaves_nothing_that_is_still_sent(connected: OwnConnected) -> None:
    """The reply that waits for a desk in trouble has no words any more."""
    desk = connected.desk
    desk.faults = ["later"] * 50
    desk.open("42", E42)
    run = connected.rested("42")
    until(lambda: "ticket.reply" in desk.calls)
    erased = connected.admin.http.delete(f"/v1/customers/{run['customer_id']}")
    assert erased.is_success, erased.text
    desk.faults = []
    assert connected.settled("42", "reply")["status"] == "cancelled"
    assert desk.public("42") == []


@pytest.fixture
async def other_tenant(sessions: Sessions) -> Tenant:
    """A tenant beside the connected one."""
    async with sessions.begin() as session:
        return await make_tenant(session, articles=False)


def test_connection_is_its_tenants_alone(
    connected: OwnConnected, stack: Stack, other_tenant: Tenant
) -> None:
    """Another tenant's admin finds nothing there, and another connection's secret signs nothing."""
    desk, other = connected.desk, stack.client(other_tenant.admin).http
    path = f"/v1/connections/{connected.id}"
    calls: tuple[tuple[str, str, Any], ...] = (
        ("GET", "", None), ("PATCH", "", {"name": "mine"}), ("DELETE", "", None),
        ("POST", "/test", None), ("POST", "/rotate-secret", {}), ("GET", "/deliveries", None),
    )  # fmt: skip
    for method, end, body in calls:
        answer = other.request(method, path + end, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), (method, end)
    theirs = {"kind": "webhook", "name": "Theirs", "settings": {"url": "http://127.0.0.1:1/"}}
    desk.secret = other.post("/v1/connections", json=theirs).json()["hook_secret"]
    assert desk.post("x", {"ticket": {"id": "1"}}).status_code == 401


ODD_IDS = [
    "a/b", "../x", "a\nb", "con_aaaaaaaaaaaaaaaa:7", "::", "\u202e7", "\U0001f600", " ", "%00",
    "x" * 100, "'; --", "seen\x1fm1",
]  # fmt: skip


@pytest.mark.parametrize("odd", some(ODD_IDS, 6))
def test_odd_id_of_a_ticket_a_message_or_a_person_is_only_a_name(
    connected: OwnConnected, odd: str
) -> None:
    """It is answered as any other; no id is read as anything but a name."""
    desk = connected.desk
    desk.open(odd, E42, hook=False, id=odd)
    desk.tickets[odd].messages[-1]["id"] = odd
    assert said(connected, odd, desk.tickets[odd].messages[-1]) == {"duplicate": False}
    until(lambda: desk.public(odd))
    desk.post("ticket.taken", {"ticket": {"id": odd}, "by": {"id": odd, "name": odd}})
    connected.settled(odd, "fields")
    assert len(desk.public(odd)) == 1
