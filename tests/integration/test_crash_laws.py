"""The crash campaign's laws can be broken: each wrong deed in the books is found."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import psycopg
import pytest

from tests.acceptance.crash import laws
from tests.acceptance.crash.cases import Case
from tests.acceptance.crash.connected_laws import (
    differing_refunds,
    differing_replies,
    wrong_count,
    wrong_replies,
)
from tests.acceptance.crash.listeners import Stream, wrong_story
from tests.acceptance.crash.receiver import FAILED, TAKEN, Received, wrong_deliveries
from tests.acceptance.crash.recovery import recoveries, repeated_calls
from tests.acceptance.crash.traffic import wrong_ends
from tests.acceptance.own_database import tenant_on
from tests.doubles.own_desk import OwnDesk
from tests.doubles.server import serving
from tests.doubles.stripe_double import StripeDouble

RUN = "00000000-0000-7000-8000-000000000001"
CALLBACK = (
    "INSERT INTO callbacks (id, tenant_id, run_id, number, event, url, body)"
    " SELECT gen_random_uuid(), tenant_id, id, {number}, 'run.finished', 'u', '{{}}' FROM runs"
)
CONNECTED = (
    "WITH c AS (INSERT INTO connections (id, tenant_id, kind, role, name, settings, credentials,"
    " secrets, key_id) SELECT 'con_aaaaaaaaaaaaaaaa', tenant_id, 'webhook', 'desk', 'Own', '{}',"
    " '', '', started_by FROM runs RETURNING *)"
)
DELIVERY = (
    f"{CONNECTED} INSERT INTO deliveries (id, tenant_id, connection_id, ticket_id, kind, key,"
    " status, ended_at) SELECT gen_random_uuid(), tenant_id, id, id || ':42', 'reply', 'reply',"
)
FACT = (
    f"{CONNECTED} INSERT INTO inbox (tenant_id, connection_id, delivery_id, event)"  # noqa: S608
    " SELECT tenant_id, id, 'd1', '{}' FROM c"
)
# What was done that should not have been, and the law that says so.
DEEDS = {
    "every run is final": "UPDATE runs SET status = 'running', finished_at = NULL",
    "only a run that waits": "INSERT INTO approvals (id, tenant_id, run_id, ticket_id,"
    " interrupt_id, kind, steps, gate, digest, verdicts, expires_at) SELECT id, tenant_id, id, 'T',"
    " 'i', 'plan', '[]', '[]', 'd', '{}', now() FROM runs",
    "no run ends as an error": "UPDATE runs SET status = 'error'",
    "the provider's refunds": "INSERT INTO sandbox_refunds (tenant_id, idempotency_key, id,"
    " payment_id, amount_minor, currency, reason)"
    " SELECT tenant_id, 'k', 're_1', 'pay_1001', 100, 'USD', 'r' FROM runs",
    "what a payment gave back": "UPDATE sandbox_payments SET refunded_minor = 1",
    "the provider's cancellations": "INSERT INTO sandbox_cancellations (tenant_id,"
    " idempotency_key, id, subscription_id, reason)"
    " SELECT tenant_id, 'k', 'can_1', 'sub_1001', 'r' FROM runs",
    "a subscription is cancelled": "UPDATE sandbox_subscriptions SET status = 'cancelled',"
    " renews_at = NULL",
    "no effect without an agreement": "INSERT INTO ledger (tenant_id, key, run_id, customer_id,"
    " tool, args, amount_minor, currency, status)"
    " SELECT tenant_id, 'k', id, 'c', 'refund_payment', '{}', 100, 'USD', 'failed' FROM runs",
    "a run has at most one reply": "DELETE FROM messages",
    "an escalated run": "UPDATE runs SET outcome = 'escalated'",
    "a ticket has at most one open": "INSERT INTO handoffs (id, tenant_id, key, ticket_id, skill,"
    " urgency, summary) SELECT gen_random_uuid(), tenant_id, 'k' || n, 'T', 'legal', 'low', ''"
    " FROM runs, generate_series(1, 2) AS n",
    "an ignored run did nothing": "WITH i AS (UPDATE runs SET outcome = 'ignored' RETURNING *)"
    " INSERT INTO ledger (tenant_id, key, run_id, customer_id, tool, args, status, result)"
    " SELECT tenant_id, 'k', id, 'c', 'send_reply', '{}', 'done', '{}' FROM i",
    "a mail that left": "INSERT INTO sandbox_mails (tenant_id, key, recipient, subject, text)"
    " SELECT tenant_id, 'mail:pro:T:con_1', 'a@example.com', 's', 't' FROM runs",
    "a finished mailing": "WITH l AS (INSERT INTO ledger (tenant_id, key, run_id, customer_id,"
    " tool, args, status, result) SELECT tenant_id, 'mail:pro:T', id, 'c', 'send_bulk_mail',"
    " '{\"audience\": \"pro\"}', 'done', '{}' FROM runs RETURNING *)"
    " INSERT INTO mail_recipients (tenant_id, key, contact_id, run_id, email, name)"
    " SELECT tenant_id, key, 'con_1', run_id, 'a@example.com', 'A' FROM l",
    "a replay moves nothing": "UPDATE runs SET replay_of = id, replay_from = '{}'",
    "an unknown outcome": "INSERT INTO ledger (tenant_id, key, run_id, customer_id, tool, args,"
    " status) SELECT tenant_id, 'k', id, 'c', 'send_reply', '{}', 'started' FROM runs",
    "a step of a finished run": "INSERT INTO steps (run_id, attempt, task_id, tenant_id, node,"
    " status, started_at) SELECT id, 1, 't', tenant_id, 'send', 'running', now() FROM runs",
    "a run's events tell its end": "DELETE FROM events WHERE type = 'run.finished'",
    "every pause and end": "UPDATE runs SET callback_url = 'http://127.0.0.1/'",
    "every callback of the outbox": CALLBACK.format(number=1),
    "the callbacks of a run": CALLBACK.format(number=2),
    "what was on its way": f"{DELIVERY} 'pending', NULL FROM c",
    "every fact of a hook": FACT,
    "a reply that a person came before": f"{DELIVERY} 'overtaken', now() FROM c",
    "what is remembered as said": f"{DELIVERY} 'overtaken', now() FROM c",
}


@pytest.fixture(scope="module")
async def books_url(migrated_database: Callable[[], str]) -> str:
    """A database with one run that ended well."""
    url = await asyncio.to_thread(migrated_database)
    tenant = await tenant_on(url)
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO runs (id, tenant_id, thread_id, ticket_id, customer_id, ticket, status,"
            " policy_version, started_by, request_sha256) VALUES"
            " (%s, %s, %s, 'T', 'c', '{}', 'pending', 0, %s, '')",
            [RUN, tenant.id, RUN, tenant.starter.split("_")[1]],
        )
        connection.execute(
            "UPDATE runs SET status = 'success', finished_at = now(), started_at = now()"
        )
        connection.execute(
            "INSERT INTO messages (tenant_id, ticket_id, run_id, author, key, text)"
            " VALUES (%s, 'T', %s, 'deskgraph', 'reply', 'Hello')",
            [tenant.id, RUN],
        )
    return url


@pytest.fixture
def books(books_url: str) -> Iterator[psycopg.Connection]:
    """A look into it; what a test does there is undone."""
    with psycopg.connect(books_url) as connection:
        yield connection
        connection.rollback()


def test_books_of_a_run_that_ended_well_break_no_law(books: psycopg.Connection) -> None:
    """Nothing is found where nothing is wrong."""
    assert laws.broken(books) == []


@pytest.mark.parametrize("law", DEEDS)
def test_wrong_deed_breaks_its_law(books: psycopg.Connection, law: str) -> None:
    """The law that forbids it names the row."""
    books.execute(DEEDS[law].encode())
    assert any(violation.startswith(law) for violation in laws.broken(books))


def test_every_law_has_its_deed() -> None:
    """A law that was never broken proves nothing."""
    assert {law for law in laws.LAWS if not law.startswith(tuple(DEEDS))} == set()


BODY = '{"data": {"run_id": "r", "sequence": 1}}'
GOOD = Received("1", BODY, verified=True, status=TAKEN)


@pytest.mark.parametrize(
    ("received", "mistake"),
    [
        ([], "was never taken"),
        ([replace(GOOD, status=FAILED)], "was never taken"),
        ([GOOD, replace(GOOD, id="2")], "is no event"),
        ([GOOD, replace(GOOD, id="2")], "came as ['1', '2']"),
        ([GOOD, replace(GOOD, body='{"data": {"run_id": "r", "sequence": 2}}')], "and is"),
        ([replace(GOOD, verified=False)], "not signed"),
    ],
)
def test_wrong_delivery_is_found(received: list[Received], mistake: str) -> None:
    """Never taken, about nothing, under a second id, with other words, or unsigned."""
    assert any(mistake in found for found in wrong_deliveries({"1": BODY}, received))


def test_callback_that_failed_at_first_and_came_twice_breaks_no_law() -> None:
    """At least once is the promise."""
    failed = replace(GOOD, status=FAILED)
    assert wrong_deliveries({"1": BODY}, [failed, GOOD, GOOD]) == []


FIRST, SECOND = ("1-1", "run.created", "r"), ("1-2", "run.started", "r")
STORED = [FIRST, SECOND, ("2-3", "run.finished", "r")]


@pytest.mark.parametrize(
    "events",
    [STORED[1:], [*STORED, STORED[2]], [FIRST, STORED[2], SECOND], [*STORED, ("9-9", "x", "r")]],
)
@pytest.mark.parametrize("run_id", ["", "r"])
def test_wrong_story_is_found(events: list[tuple[str, str, str]], run_id: str) -> None:
    """A gap, a double, another order, or what never happened."""
    ended = bool(run_id)
    assert wrong_story(Stream("/", run_id, events=events, ended=ended), STORED)
    assert not wrong_story(Stream("/", run_id, events=STORED, ended=ended), STORED)


def test_stream_of_a_run_that_does_not_end_with_it_is_found() -> None:
    """`end` too early, or never."""
    assert wrong_story(Stream("/", "r", events=STORED, ended=False), STORED)
    assert wrong_story(Stream("/", "r", events=STORED[:2], ended=True), STORED[:2])


def test_effect_that_was_not_agreed_to_or_did_not_happen_is_found() -> None:
    """Promised and missing, done and never promised; an unknown one may be missing."""
    case = Case("refund", 1)
    case.refunds()
    strange = ("refund", "pay_9_9", 1)
    assert len(wrong_ends([case], {strange}, set(), {})) == 2
    assert wrong_ends([case], case.promised, set(), {}) == []
    assert wrong_ends([case], set(), {("refund", "pay_1_2")}, {}) == []


def test_times_to_recover_are_read_from_the_book() -> None:
    """From a worker's death to the claim of its run by another; a second call is reported.

    Not of a refund, whose key the sandbox books once.
    """
    book = [
        {"event": "claim", "at": 1.0, "pid": 7, "run": "a"},
        {"event": "call", "at": 1.5, "pid": 7, "key": "cancel:1"},
        {"event": "call", "at": 1.6, "pid": 7, "key": "refund:1"},
        {"event": "kill", "at": 2.0, "pid": 7, "victim": 0, "point": "after_provider"},
        {"event": "claim", "at": 2.4, "pid": 8, "run": "b"},
        {"event": "claim", "at": 2.75, "pid": 8, "run": "a"},
        {"event": "call", "at": 2.9, "pid": 8, "key": "cancel:1"},
        {"event": "call", "at": 2.9, "pid": 8, "key": "refund:1"},
    ]
    [recovery] = recoveries(book)
    assert (recovery.point, recovery.seconds) == ("after_provider", (0.75,))
    assert repeated_calls(book) == ["cancel:1 was called 2 times"]


KEY = "refund:1"


@pytest.fixture
def desk() -> OwnDesk:
    """One with a ticket that the bot has answered."""
    own = OwnDesk()
    own.open("42", "How?", hook=False)
    own.write("42", "bot", "So.", key="reply", hook=False)
    return own


@pytest.mark.parametrize(("replies", "found"), [((1,), 0), ((0, 1), 0), ((0,), 1), ((2,), 1)])
def test_wrong_number_of_replies_at_a_desk_is_found(
    desk: OwnDesk, replies: tuple[int, ...], found: int
) -> None:
    """Another than the story has; a case of the API has no ticket there."""
    cases = [Case("question", 7), Case("desk_question", 42, replies=replies)]
    assert len(wrong_replies(cases, desk)) == found


@pytest.mark.parametrize("how", ["replied", "has it", "has it no more"])
def test_reply_over_a_person_is_found(desk: OwnDesk, how: str) -> None:
    """As the desk sees it when the reply comes, with the version that was read."""
    desk.connect("", f"whsec_{'A' * 43}=")
    if how == "replied":
        desk.write("42", "person", "I do it.", hook=False)
    else:
        desk.assign("42", "Emma")
    if how == "has it no more":
        desk.assign("42", None)
    data = {"ticket_id": "42", "key": "k", "text": "Late.",
            "expected_version": str(desk.tickets["42"].version)}  # fmt: skip
    body = httpx.Request("POST", "http://x", json={"type": "ticket.reply", "data": data}).content
    with serving(desk.app) as url:
        taken = httpx.post(f"{url}/deskgraph", content=body, headers=desk.signed(body, "k"))
    assert taken.status_code == 200
    assert (wrong_replies([], desk) == []) == (how == "has it no more")


def test_reply_that_only_one_side_knows_is_found(books: psycopg.Connection, desk: OwnDesk) -> None:
    """Sent by our books and not there, there and not sent, or there twice."""
    [where] = books.execute("SELECT tenant_id, 'con_aaaaaaaaaaaaaaaa' FROM runs").fetchall()
    assert differing_replies(OwnDesk(), where, books) == []
    assert len(differing_replies(desk, where, books)) == 1
    books.execute(f"{DELIVERY} 'sent', now() FROM c".encode())
    assert differing_replies(desk, where, books) == []
    assert len(differing_replies(OwnDesk(), where, books)) == 1
    desk.write("42", "bot", "So.", key="reply", hook=False)
    assert len(differing_replies(desk, where, books)) == 1


@pytest.mark.parametrize(
    ("said", "sent", "may", "found"),
    [
        (1, 1, (1,), 0), (0, 0, (0, 1), 0), (2, 2, None, 0),
        (2, 2, (0, 1), 1), (0, 0, (1,), 1), (1, 0, None, 1), (2, 1, (1,), 2),
    ],
)  # fmt: skip
def test_wrong_number_of_replies_at_a_hosted_desk_is_found(
    said: int, sent: int, may: tuple[int, ...] | None, found: int
) -> None:
    """Another than the story has, where that came to its end, or than we call sent."""
    assert len(wrong_count("zammad 7", said, sent, may)) == found


def test_refund_that_only_one_side_knows_is_found(books: psycopg.Connection) -> None:
    """Booked twice, booked and not in the ledger, done in the ledger and not booked."""
    [[tenant_id]] = books.execute("SELECT tenant_id FROM runs").fetchall()
    stripe = StripeDouble()
    booked = {"charge": "ch_1", "amount": 100, "metadata": {"deskgraph_key": KEY}}
    assert differing_refunds(stripe, tenant_id, books) == []
    stripe.refunds["re_1"] = booked
    assert len(differing_refunds(stripe, tenant_id, books)) == 1
    books.execute(
        "INSERT INTO ledger (tenant_id, key, run_id, customer_id, tool, args, amount_minor,"
        " currency, status, result) SELECT tenant_id, %s, id, 'c', 'refund_payment',"
        " '{\"payment_id\": \"ch_1\"}', 100, 'USD', 'done', '{}' FROM runs",
        [KEY],
    )
    assert differing_refunds(stripe, tenant_id, books) == []
    stripe.refunds["re_2"] = booked
    assert len(differing_refunds(stripe, tenant_id, books)) == 1
    stripe.refunds.clear()
    assert len(differing_refunds(stripe, tenant_id, books)) == 1
