"""Offline billing: one clear payment is proposed; whatever is not clear is `unsure`."""

import pytest

from app.models.offline.billing import propose
from tests.fakes import payment, shop
from tests.unit.desk import TWICE, ticket
from tools.models import Payment

PRO = payment("pay_1", 4900, "Pro plan", day="2026-11-10")
AGAIN = payment("pay_2", 4900, "Pro plan", day="2026-11-12")
LATER = payment("pay_3", 4900, "Pro plan", day="2026-11-14")
STORAGE = payment("pay_4", 900, "Extra storage")
EURO = payment("pay_5", 4500, "Pro plan", "EUR")
YEN = payment("pay_6", 5800, "Pro plan", "JPY")
DINAR = payment("pay_7", 12_345, "Pro plan", "KWD")


def given_back(paid: Payment, amount: int) -> Payment:
    """The payment after an earlier refund."""
    return {**paid, "refunded_minor": amount}


def proposed(body: str, *payments: Payment) -> list[tuple[str, int]] | None:
    """Payment and amount of each proposed refund; None when the model is not sure."""
    facts = {"payments": list(payments), "subscriptions": [], "guidance": []}
    answer = propose(ticket(body), facts)
    assert not (answer.unsure and answer.refunds)
    refunds = [(refund.payment_id, refund.amount_minor) for refund in answer.refunds]
    return None if answer.unsure or answer.candidates else refunds


def test_later_payment_of_a_duplicate_is_the_one_too_many() -> None:
    """Same thing, same amount, within three days: the second is given back, with the reason."""
    ann = shop()["cus_ann"]
    assert proposed(TWICE, *ann) == proposed(TWICE, *reversed(ann)) == [("pay_1002", 4900)]
    facts = {"payments": ann, "subscriptions": [], "guidance": []}
    answer = propose(ticket(TWICE), facts)
    assert answer.refunds[0].reason == "pay_1002 repeats pay_1001: Pro plan, 49.00 USD"


@pytest.mark.parametrize(
    "second",
    [
        payment("pay_9", 4900, "Pro plan", day="2026-11-14"),  # four days later
        payment("pay_9", 4901, "Pro plan", day="2026-11-10"),
        payment("pay_9", 4900, "Pro plan", "EUR", day="2026-11-10"),
    ],
)
def test_payments_that_only_resemble_each_other_are_no_duplicate(second: Payment) -> None:
    """Which of the two is meant? A person looks."""
    assert proposed("I was charged twice, refund me", PRO, second) is None


def test_two_duplicates_are_one_too_many_to_choose_from() -> None:
    """Three charges in a row make two pairs."""
    assert proposed("I was charged twice!", PRO, AGAIN, LATER) is None


def test_duplicate_that_was_given_back_in_part_is_unsure() -> None:
    """A person has looked at the pair before."""
    assert proposed("I was charged twice, refund me", given_back(PRO, 1000), AGAIN) is None


def test_question_about_payments_proposes_nothing() -> None:
    """The customer asked for no money, and that is sure."""
    assert proposed("When is my next payment due?", PRO) == []
    assert proposed("Please send me the invoice", PRO, STORAGE) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Refund pay_4 please", [("pay_4", 900)]),
        ("Refund pay_1 and pay_4", [("pay_1", 4900), ("pay_4", 900)]),
        ("I want a refund for the extra storage", [("pay_4", 900)]),
        ("Refund all my payments", [("pay_1", 4900), ("pay_4", 900)]),
        ("I want a refund", None),
        ("Refund my team seat", None),
    ],
)
def test_payment_is_named_by_id_or_by_what_was_bought(
    body: str, expected: list[tuple[str, int]] | None
) -> None:
    """One clear answer, or not sure."""
    assert proposed(body, PRO, STORAGE) == expected


def test_nothing_left_or_nothing_paid_is_unsure() -> None:
    """There is nothing to propose, and a person has to say so."""
    assert proposed("Refund me") is None
    assert proposed("Refund me", given_back(PRO, 4900)) is None


def test_what_is_left_is_the_most_there_is() -> None:
    """After a partial refund the rest is proposed."""
    assert proposed("Refund me", given_back(PRO, 1000)) == [("pay_1", 3900)]


@pytest.mark.parametrize(
    ("body", "paid", "amount"),
    [
        ("Refund 10 USD of it", PRO, 1000),
        ("Refund $10.50", PRO, 1050),
        ("Refund 10.5 dollars", PRO, 1050),
        ("Refund €20", EURO, 2000),
        ("Refund 2000 JPY", YEN, 2000),
        ("Refund ¥2000", YEN, 2000),
        ("Refund 5800 JPY", YEN, 5800),
        ("Refund $49.00", PRO, 4900),
        ("Refund 12.345 KWD of it", DINAR, 12_345),
    ],
)
def test_named_amount_is_read_in_the_payments_own_minor_units(
    body: str, paid: Payment, amount: int
) -> None:
    """Cents, whole yen, thousandths of a dinar: never a factor of a hundred too much."""
    assert proposed(body, paid) == [(paid["id"], amount)]


@pytest.mark.parametrize(
    ("body", "paid", "right"),
    [
        # A comma is a decimal sign in most of Europe, and groups thousands elsewhere.
        ("Refund 20,00 EUR of my Pro plan", EURO, 2000),
        ("Refund €20,50 of my Pro plan", EURO, 2050),
        ("Refund ¥2,000 of my Pro plan", YEN, 2000),
        ("Refund 2000 yen of my Pro plan", YEN, 2000),
        # The price is named before the wish.
        ("I was charged 49 USD, please refund 10 USD", PRO, 1000),
        # Dollars of a yen payment, more than was paid, finer than the currency, in words.
        ("Refund $20", YEN, None),
        ("Refund 60 USD", PRO, None),
        ("Refund 20.5 JPY", YEN, None),
        ("Refund half of it", PRO, None),
    ],
)
def test_amount_that_is_not_understood_is_not_rounded_up_to_everything(
    body: str, paid: Payment, right: int | None
) -> None:
    """Read it right or be unsure; never another amount than the customer asked for."""
    assert proposed(body, paid) in (None, [(paid["id"], right)])


@pytest.mark.parametrize(
    ("body", "payments"),
    [
        # Said to be charged twice, and there is one charge: nothing repeats anything.
        ("I was charged twice for my Pro plan", [PRO]),
        # The duplicate was given back before: the other one is what the customer owes.
        ("I was charged twice for my Pro plan", [PRO, given_back(AGAIN, 4900)]),
        ("I was charged twice for my Pro plan", [given_back(PRO, 4900), AGAIN]),
        # An id that is not the customer's.
        ("Refund pay_9999", [PRO]),
        ("Do not refund anything", [PRO]),
    ],
)
def test_claim_that_the_payments_do_not_bear_out_is_unsure(
    body: str, payments: list[Payment]
) -> None:
    """No refund is proposed for what is not there: a person looks."""
    assert not proposed(body, *payments)


@pytest.mark.parametrize(
    "body",
    [
        "I don't want a refund, please just cancel",
        "I was charged twice, 49.00 USD each, please refund 10 USD",
    ],
)
def test_words_that_say_otherwise_are_heard(body: str) -> None:
    """Neither against the customer's word, nor more than they name."""
    assert not proposed(body, PRO)
    assert not proposed(body, PRO, AGAIN)


@pytest.mark.parametrize(
    "body",
    [
        "Where is my refund?",
        "Thank you for the refund!",
        "Please don't process the refund",
        "Please do not refund me, I found the reason",
        "The refund you promised has not arrived",
        "When will the refund arrive?",
        "I got the refund, all good now",
        "Why did you refund me? I did not ask for it",
        "My colleague asked for a refund last week, has it been approved?",
        "How do refunds work?",
        "What happens if I want a refund later?",
        "I never wanted my money back",
        "You already gave me a refund, thanks",
        "No refund is needed",
        "I was promised a reimbursement. I am still waiting",
        "Refund policy says 30 days, is that right?",
    ],
)
def test_word_about_a_refund_is_no_request(body: str) -> None:
    """Nothing is proposed, whatever was paid: a person reads what is meant."""
    assert proposed(body, PRO) is None
    assert proposed(body, PRO, AGAIN) is None


@pytest.mark.parametrize(
    "body",
    [
        "Please refund 50 % of my Pro plan",
        "Please refund 50 percent of it",
        "Please refund twenty dollars of my Pro plan",
        "Please refund the VAT on my Pro plan",
        "Please refund the tax",
        "Please refund the difference between Pro and Team",
        "Please refund the unused days of my Pro plan",
        "Please refund the rest of it",
        "Please refund the fee only",
        "Please refund a portion of it",
        "I want a partial refund",
        "Please refund a few euros",
        "Refund pay_1 and keep pay_2 as it is",
    ],
)
def test_quantity_that_is_not_worked_out_proposes_nothing(body: str) -> None:
    """Less than everything was asked for, so everything is wrong."""
    assert proposed(body, PRO, AGAIN) is None
    assert proposed(body, PRO) is None


def test_payment_that_is_to_be_left_alone_is_left() -> None:
    """The one that is named in the request, and no other."""
    assert proposed("Refund pay_1, but leave pay_2", PRO, AGAIN) == [("pay_1", 4900)]
    assert proposed("Refund pay_2, but leave pay_1 alone", PRO, AGAIN) == [("pay_2", 4900)]


@pytest.mark.parametrize("body", ["Please refund USD 20 of my Pro plan", "Refund me USD 20.00"])
def test_currency_may_stand_before_the_amount(body: str) -> None:
    """ "USD 20" is the part that was asked for."""
    assert proposed(body, PRO) == [("pay_1", 2000)]


@pytest.mark.parametrize(
    "body",
    [
        "Please refund my Pro plan",
        "I want a refund for the Pro plan.",
        "Could you please refund pay_1?",
        "I would like my money back",
        "Hi, can I get a refund for my Pro plan? Thanks!",
    ],
)
def test_own_request_is_one(body: str) -> None:
    """Said as an order, as a wish, or as a polite question."""
    assert proposed(body, PRO) == [("pay_1", 4900)]


CHARGE: Payment = {
    **payment("ch_3MmlLrLkdIwHu7ix0snN0B15", 4900, "Pro plan", day="2026-11-10"),
    "also_called": ["pi_3MmlLrLkdIwHu7ix0n1o", "1234-5678"],
}
OTHER_CHARGE = payment("ch_3NpQabLkdIwHu7ix1xYz", 900, "Pro plan", day="2026-10-10")
ODD = payment("R/2031-7", 4900, "Pro plan", day="2026-11-10")


@pytest.mark.parametrize(
    "name",
    [*CHARGE["also_called"], CHARGE["id"], CHARGE["id"].lower(), f"({CHARGE['id']})"],
)
@pytest.mark.parametrize("body", ["Please refund {}.", "Could you please refund {}? Thanks"])
def test_payment_is_named_by_any_id_that_its_provider_gives_it(body: str, name: str) -> None:
    """Of a charge, its payment intent or its receipt, exactly as they were read in this run."""
    wanted = [(CHARGE["id"], 4900)]
    assert proposed(body.format(name), CHARGE, OTHER_CHARGE) == wanted
    assert proposed(f"My payment is {name}. Please refund it.", CHARGE, OTHER_CHARGE) == wanted


def test_id_of_any_form_is_understood_when_it_was_read() -> None:
    """There is no list of forms."""
    assert proposed("Please refund R/2031-7", ODD, OTHER_CHARGE) == [(ODD["id"], 4900)]
    both = f"Please refund {CHARGE['id']} but leave R/2031-7 alone"
    assert proposed(both, CHARGE, ODD) == [(CHARGE["id"], 4900)]


@pytest.mark.parametrize(
    "name",
    ["ch_3MmlLrLkdIwHu7ix0snN0B1", "ch_3MmlLrLkdIwHu7ix0snN0B155", "pi_4000", "in_1MtHbELkdIwHu7",
     "pay_9", "R/2031", "R/2031-77", "1234-567", "xch_3MmlLrLkdIwHu7ix0snN0B15"],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", ["Please refund {}.", "Please refund my payment {}.", "Is it {}? Please refund {}."]
)
def test_id_that_was_not_read_names_no_payment(body: str, name: str) -> None:
    """Not even one that is nearly theirs, and not their only payment instead."""
    assert proposed(body.format(name, name), CHARGE) is None
    assert proposed(body.format(name, name), CHARGE, ODD) is None


def test_id_that_two_payments_have_names_neither() -> None:
    """Two charges of one payment intent, of which one failed and was tried again."""
    again: Payment = {**OTHER_CHARGE, "also_called": ["pi_3MmlLrLkdIwHu7ix0n1o"]}
    assert proposed("Please refund pi_3MmlLrLkdIwHu7ix0n1o", CHARGE, again) is None


def test_reviewer_may_name_a_payment_by_any_of_its_ids() -> None:
    """The newest wish that names payments by id counts."""
    facts = {
        "payments": [CHARGE, OTHER_CHARGE], "subscriptions": [],
        "guidance": ["refund pi_3MmlLrLkdIwHu7ix0n1o"],
    }  # fmt: skip
    answer = propose(ticket("Something else"), facts)
    assert [refund.payment_id for refund in answer.refunds] == [CHARGE["id"]]


def test_id_of_a_subscription_names_no_payment() -> None:
    """It stands beside the request for a refund."""
    subscription = {
        "id": "sub_1", "description": "Pro plan", "status": "active", "amount_minor": 4900,
        "currency": "USD", "renews_at": None,
    }  # fmt: skip
    facts = {"payments": [CHARGE], "subscriptions": [subscription], "guidance": []}
    answer = propose(ticket(f"Please refund {CHARGE['id']}. It was for sub_1."), facts)
    assert [refund.payment_id for refund in answer.refunds] == [CHARGE["id"]]
