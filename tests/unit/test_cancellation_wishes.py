"""A subscription ends only on words of an end, with nothing against it, in each language."""

import pytest

from graphs.wishes.cancellations import asks_to_end
from graphs.wishes.quotes import Said


@pytest.mark.parametrize(
    "body",
    [
        "Please cancel my subscription.",
        "Kindly terminate my Pro plan, I've moved on to something else.",
        "I no longer want the Extra storage. Thanks!",
        "Please don't renew my plan.",
        "Bitte kündigen Sie mein Abo.",
        "Ich möchte den Tarif nicht verlängern.",
        "Merci de résilier mon abonnement.",
        "Quiero dar de baja mi suscripción.",
        "Vorrei disdire l'abbonamento.",
        "Por favor, encerrem a minha assinatura.",
        "Graag mijn abonnement stopzetten.",
        "定期購入を解約してください。",
        "Proszę anulować moją subskrypcję, przeniosłem się do innego dostawcy.",
    ],
)
def test_wish_for_an_end_is_read(body: str) -> None:
    """In another language than ours no word is known, and the person who agrees reads it."""
    assert asks_to_end(body, Said([body]))


@pytest.mark.parametrize(
    "body",
    [
        "You took the Pro plan twice, please refund one.",
        "Kindly reimburse pay_4003 to us in full.",
        "I like the new timeline.",
        "Please send me the invoice of my plan.",
        "Bitte erstatten Sie mir die doppelte Abbuchung.",
        "Veuillez me rembourser le forfait Pro.",
        "Por favor, devuélvanme el pago de octubre.",
        "Vi prego di rimborsare il pagamento.",
        "Reembolsem o pagamento, por favor.",
        "Graag het bedrag terugbetalen.",
        "返金してください。",
    ],
)
def test_wish_for_something_else_ends_nothing(body: str) -> None:
    """Whatever a model proposes, with the customer's own words as its reason."""
    assert not asks_to_end(body, Said([body]))


@pytest.mark.parametrize(
    "body",
    [
        "I do not want you to cancel my plan.",
        "Please don't close my subscription!",
        "Bitte nicht kündigen.",
        "No quiero cancelar mi plan.",
        "Do you delete the data when a plan ends?",
    ],
)
def test_words_of_an_end_do_not_hide_what_denies_it(body: str) -> None:
    """ "do not want" is a reason to end a plan, and none when it is said of the end."""
    assert not asks_to_end(body, Said([body]))


def test_quote_beside_the_wish_is_not_the_wish() -> None:
    """The sentence that the model quotes must speak of the end."""
    body = "Refund pay_4003 in full. And cancel my plan."
    assert not asks_to_end("Refund pay_4003 in full.", Said([body]))
    assert asks_to_end("And cancel my plan.", Said([body]))
