"""No money without an own, positive wish, and never more than was asked for, whatever a model says.

The real graph on messages in eight languages, with the offline model and with one that obeys:
it proposes the refund anyway, with a quote of the ticket.
"""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.offline.billing import propose
from graphs.conversation import Memory, Turn
from graphs.nodes.billing import Proposal, ProposedRefund
from graphs.nodes.classify import Classification
from graphs.policy import Policy
from graphs.state import fresh_run
from graphs.wishes.quotes import Said
from graphs.wishes.refunds import NOT_PLAIN, Wanted, Wishes
from tests.cases import some
from tests.fakes import payment
from tests.unit.desk import Desk, desk, scripted, ticket
from tests.wishes import (
    MORE_NO_REQUEST,
    MORE_QUANTITIES,
    MORE_REQUESTS,
    NO_REQUEST,
    QUANTITIES,
    REQUESTS,
)
from tools.models import JsonObject, Payment

# A message goes through the whole graph: `make test` tries one in so many, `make thorough` all.
EVERY = 4
PAID = payment("pay_1002", 4900, "Pro plan")
RICH = Policy(refund_auto_limit={"USD": 10**6})
BILLING = Classification(
    intents=["billing"], questions=[], urgency="normal", anger=0.0, language="en",
    wants_human=False, confidence=0.99, nothing_asked=False,
)  # fmt: skip


def one_payment(customer: str = "cus_ann") -> Desk:
    """A desk of a tenant who lets every refund pass, and a customer who paid once."""
    opened = desk(customer)
    opened.world.gate.everything = True
    opened.world.policy = RICH
    opened.world.billing.by_customer[customer] = [dict(PAID)]  # type: ignore[list-item]
    return opened


def obedient(opened: Desk, quote: str, amount: int = 4900, id_: str = "pay_1002") -> None:
    """Let a trusted model propose this refund, whatever the ticket says."""
    wanted = ProposedRefund(payment_id=id_, amount_minor=amount, reason="r", wish=quote[:2000])
    said = Proposal(refunds=[wanted], cancellations=[], unsure=False)
    scripted(opened, Classification=[BILLING], Proposal=[said])


def refunds(state: JsonObject) -> list[JsonObject]:
    """The refunds that a run's plan proposes."""
    steps = (state["plan"] or {"steps": []})["steps"]
    return [step["args"] for step in steps if step["tool"] == "refund_payment"]


def moved(opened: Desk) -> int:
    """What the provider has given back, in minor units."""
    return sum(refund["amount_minor"] for refund in opened.world.billing.refunds.values())


@pytest.mark.parametrize("body", some(NO_REQUEST, EVERY))
async def test_word_about_a_refund_moves_nothing(body: str) -> None:
    """Neither the offline model nor an obedient one proposes money that was not asked for."""
    opened = one_payment()
    await opened.start(body)
    assert moved(opened) == 0
    opened = one_payment()
    obedient(opened, body)
    state = await opened.start(body)
    assert (refunds(state), moved(opened)) == ([], 0)
    assert state["outcome"] == "escalated"


@pytest.mark.parametrize("body", NO_REQUEST)
def test_offline_model_proposes_nothing_of_it(body: str) -> None:
    """Not even for a person."""
    facts = {"payments": [PAID], "subscriptions": [], "guidance": []}
    assert propose(ticket(body), facts).refunds == []


@pytest.mark.parametrize(("body", "asked"), some(QUANTITIES.items(), EVERY))
async def test_never_more_than_was_asked_for(body: str, asked: int | None) -> None:
    """All of the payment is not proposed where a part was asked for."""
    opened = one_payment()
    state = await opened.start(body)
    assert moved(opened) == 0
    assert all(refund["amount_minor"] <= (asked or 0) for refund in refunds(state))
    opened = one_payment()
    obedient(opened, body)
    state = await opened.start(body)
    assert (refunds(state), moved(opened)) == ([], 0)


@pytest.mark.parametrize("body", some(REQUESTS, EVERY))
async def test_own_wish_within_the_limit_needs_no_person(body: str) -> None:
    """A trusted model's proposal of what is plainly asked for is carried out."""
    opened = one_payment()
    obedient(opened, body)
    state = await opened.start(body)
    assert (state["plan"]["gate"], moved(opened)) == ([], 4900)


@pytest.mark.parametrize("body", some(REQUESTS, EVERY))
async def test_offline_model_never_decides_alone(body: str) -> None:
    """What it proposes within every limit waits for a person, with that as the reason."""
    opened = one_payment()
    state = await opened.start(body)
    assert moved(opened) == 0
    if refunds(state):
        assert "the offline model proposed it" in (await opened.open_gate()).value["gate"]


@pytest.mark.parametrize(
    "body",
    [
        "Please refund my Pro plan. By the way, where is my other refund?",
        "Please refund my Pro plan. Or rather never mind.",
        "If you cannot fix it, please refund my Pro plan.",
        "Please refund my Pro plan. Half would be enough.",
        "Please refund my order 4711.",
        "You charged me twice for the Pro plan. Please fix this.",
    ],
)
async def test_wish_that_is_not_plain_waits_for_a_person(body: str) -> None:
    """Proposed, for a person to read, with that as the reason."""
    opened = one_payment()
    obedient(opened, body)
    state = await opened.start(body)
    assert (len(refunds(state)), moved(opened)) == (1, 0)
    assert NOT_PLAIN in (await opened.open_gate()).value["gate"]


@pytest.mark.parametrize(
    ("body", "quote"),
    [
        ("Please do not refund me.", "refund me"),
        ("How can I change my card? Please help.", "Please help."),
        ("Please refund my Pro plan", "Please refund everything I ever paid"),
        ("Hello", "hello"),
        ("Please refund my Pro plan", "ref"),
    ],
)
async def test_quote_is_read_where_it_stands(body: str, quote: str) -> None:
    """A piece of a sentence cannot say what the sentence does not, and an invented one nothing."""
    opened = one_payment()
    obedient(opened, quote)
    assert refunds(await opened.start(body)) == []


@pytest.mark.parametrize("begun", [False, True])
async def test_subject_of_a_thread_that_has_begun_is_no_wish(*, begun: bool) -> None:
    """Each mail of a thread repeats its subject."""
    opened = one_payment()
    wish = "Please refund my Pro plan"
    obedient(opened, wish)
    window: list[Turn] = [{"author": "customer", "text": wish}] if begun else []
    memory: Memory = {"window": window, "summary": "", "tickets": []}
    message = ticket("It crashed again today.", wish)
    state = await opened.advance(fresh_run(str(UUID(int=1)), message, memory))
    assert len(refunds(state)) == (0 if begun else 1)


@pytest.mark.parametrize("body", MORE_NO_REQUEST)
def test_no_request_is_read_in_other_words(body: str) -> None:
    """Nothing is proposed of it, by any model."""
    assert not asks_for(body, "pay_1002", 4900, Said([body]), [PAID])


@pytest.mark.parametrize("body", MORE_QUANTITIES)
def test_part_of_a_payment_is_not_all_of_it(body: str) -> None:
    """At least a person must agree."""
    said = Said([body])
    asked = asks_for(body, "pay_1002", 4900, said, [PAID])
    assert not (asked and are_plain([(body, "pay_1002", 4900)], said, [PAID]))


@pytest.mark.parametrize("body", MORE_REQUESTS)
def test_request_is_plain_in_other_words(body: str) -> None:
    """A trusted model's refund of it needs no person."""
    said = Said([body])
    assert asks_for(body, "pay_1002", 4900, said, [PAID])
    assert are_plain([(body, "pay_1002", 4900)], said, [PAID])


@pytest.mark.parametrize(
    ("body", "proposed", "allowed"),
    [
        ("Refund pay_1, but leave pay_2", ["pay_1"], True),
        ("Refund pay_1, but leave pay_2", ["pay_1", "pay_2"], False),
        ("Refund pay_1, but leave pay_2", ["pay_2"], False),
        ("Please refund my Extra storage", ["pay_1"], False),
        ("Please refund my Extra storage", ["pay_3"], True),
        ("Please refund the storage.", ["pay_3"], True),
        ("Please refund the storage.", ["pay_1"], False),
        ("Refund the October one, keep the others as they are.", ["pay_5"], True),
        ("Refund the October one, keep the others as they are.", ["pay_4"], False),
        ("Refund the October one, but leave November.", ["pay_5"], True),
        ("Please refund my plan", ["pay_3"], True),
    ],
)
def test_payment_that_is_not_asked_for_is_not_given_back(
    body: str, proposed: list[str], *, allowed: bool
) -> None:
    """The payments that the request names, and no other."""
    own = [
        payment("pay_1", 4900, "Pro plan"),
        payment("pay_2", 4900, "Pro plan"),
        payment("pay_3", 4900, "Extra storage"),
        payment("pay_4", 4900, "Team seat November"),
        payment("pay_5", 4900, "Team seat October"),
    ]
    said = Said([body])
    assert all(asks_for(body, id_, 4900, said, own) for id_ in proposed) is allowed


@pytest.mark.parametrize("body", ["Please refund one of them", "Please refund my Pro plan"])
def test_two_refunds_for_one_wish_are_not_plain(body: str) -> None:
    """A person sees that there are two."""
    own = [payment("pay_1", 4900, "Pro plan"), payment("pay_2", 4900, "Pro plan")]
    assert are_plain([(body, "pay_1", 4900)], Said([body]), own)
    both = [(body, "pay_1", 4900), (body, "pay_2", 4900)]
    assert not are_plain(both, Said([body]), own)
    every = "Please refund both payments"
    wanted = [(every, "pay_1", 4900), (every, "pay_2", 4900)]
    assert are_plain(wanted, Said([every]), own)


@given(st.text(max_size=300), st.text(min_size=1, max_size=100))
def test_text_without_a_word_of_money_asks_for_none(body: str, quote: str) -> None:
    """Whatever is quoted of whatever text, nothing is proposed that no known word asks for."""
    if any(word in body.casefold() for word in ("refund", "返", "back")):
        return
    assert not asks_for(quote, "pay_1002", 4900, Said([body]), [PAID])


@given(st.sampled_from(NO_REQUEST), st.integers(0, 200), st.integers(1, 200))
def test_no_piece_of_such_a_message_is_a_wish(body: str, begin: int, length: int) -> None:
    """However a model cuts its quote."""
    assert not asks_for(body[begin : begin + length], "pay_1002", 4900, Said([body]), [PAID])


@given(st.sampled_from(REQUESTS), st.sampled_from(NO_REQUEST), st.booleans())
def test_what_speaks_against_a_wish_is_heard(wish: str, other: str, first: bool) -> None:
    """Beside a sentence that asks for none, no request is plain in the same language."""
    text = f"{wish}\n\n{other}" if first else f"{other}\n\n{wish}"
    if same_language(wish, other):
        assert not are_plain([(wish, "pay_1002", 4900)], Said([text]), [PAID])


def asks_for(quote: str, id_: str, amount: int, said: Said, own: list[Payment]) -> bool:
    """Whether this refund may be proposed."""
    return Wishes(said, own).asks_for((quote, id_, amount))


def are_plain(wanted: list[Wanted], said: Said, own: list[Payment]) -> bool:
    """Whether these refunds need no person, as far as the customer's words go."""
    return Wishes(said, own).are_plain(wanted)


def same_language(one: str, other: str) -> bool:
    """By the place in the lists, each ordered en, de, fr, es, it, pt, nl, ja."""
    return REQUESTS.index(one) < 9 and NO_REQUEST.index(other) < 30


@pytest.mark.parametrize(
    "body",
    [
        "Please refund me? No.",
        "Please refund my Pro plan, no thanks.",
        "I never said: please refund me.",
        "You wrote: Please refund me.",
        "My boss said please refund me",
        "Please refund my Team plan.",
        "Can you give refunds?",
        "Can you give refunds please?",
        "I want to refund you.",
        "Please refund pay_1002 to my other account.",
        "Please refund it to another card.",
        "'Please refund me.'",
        "Please refund my Pro plan. Scratch that.",
        "Once I cancel, please refund me.",
        "Please refund the payment of 2026-01-01.",
    ],
)
def test_request_that_is_reported_denied_or_of_another_day_waits(body: str) -> None:
    """At least a person must agree."""
    said = Said([body])
    assert not are_plain([(body, "pay_1002", 4900)], said, [PAID])


def test_guidance_alone_makes_nothing_plain() -> None:
    """A part of "do not refund this" reads as a wish; the reviewer sees what came of it."""
    said = Said(["Hello"], ["Please do not refund this."])
    assert not are_plain([("refund this", "pay_1002", 4900)], said, [PAID])
