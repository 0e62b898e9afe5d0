"""The answer to "which payment?" is read together with the request that we asked about."""

from dataclasses import replace
from typing import Any

import pytest

from graphs.nodes.billing import Proposal, ProposedCancellation, ProposedRefund
from graphs.policy import Policy
from graphs.quiet import ignored
from graphs.wishes.answers import plainly_chosen, speaks_against
from graphs.wishes.refunds import NOT_PLAIN
from tests.fakes import ScriptedModel, payment
from tests.unit.desk import SILENT, Desk, desk, scripted
from tests.unit.test_triage import opinion
from tools.models import JsonObject

WISH = "Please refund my payment."
PRO = payment("pay_1", 4900, "Pro plan")
PAID = [PRO, payment("pay_2", 900, "Extra storage"), payment("pay_3", 900, "Extra storage")]
UNCLEAR = Proposal(refunds=[], cancellations=[], candidates=["pay_1", "pay_2"], unsure=False)
BILLING = opinion(intents=["billing"])


def refund(id_: str = "pay_1", amount: int = 4900, wish: str = WISH) -> Proposal:
    """A model that proposes this, and quotes the request of the message before."""
    wanted = ProposedRefund(payment_id=id_, amount_minor=amount, reason="They chose it.", wish=wish)
    return Proposal(refunds=[wanted], cancellations=[], unsure=False)


async def asked(*proposals: Proposal) -> tuple[Desk, ScriptedModel]:
    """A desk whose customer was asked back, and whose model proposes this next."""
    opened = desk("cus_ann")
    opened.world.billing.by_customer["cus_ann"] = [paid.copy() for paid in PAID]
    opened.world.policy = Policy(refund_auto_limit={"USD": 10_000})
    opened.world.gate.everything = True
    model = scripted(
        opened, Classification=[BILLING], Proposal=[UNCLEAR, *proposals], Reply=[SILENT]
    )
    done = await opened.start(WISH)
    assert done["outcome"] == "asked"
    return opened, model


def gate_of(state: JsonObject) -> list[str]:
    """Why the plan waits."""
    return list(state["plan"]["gate"]) if state["plan"] else []


@pytest.mark.parametrize("answer", ["pay_1", "pay_1, thanks", "The Pro plan, 49.00 USD, please."])
async def test_payment_that_is_chosen_is_refunded(answer: str) -> None:
    """By the request of the message before; no model is asked what the answer is about."""
    opened, model = await asked(refund())
    done = await opened.start(answer, run=2)
    assert (done["outcome"], opened.world.billing.calls) == ("acted", 1)
    assert done["reply"]["text"].endswith("We have refunded 49.00 USD for Pro plan.")
    assert model.asked.count("Classification") == 1
    assert done["asked_about"] is None


async def test_model_reads_what_was_asked() -> None:
    """The customer's words then, and our question."""
    opened, model = await asked(refund())
    await opened.start("pay_1", run=2)
    first, second = [heard for name, heard in model.heard if name == "Proposal"]
    assert '"asked_before": null' in first
    assert f'"wrote": ["Help", "{WISH}"]' in second
    assert "Which of these payments do you mean?" in second


@pytest.mark.parametrize(
    "answer",
    ["The first one.", "pay_1, I think.", "Not pay_1.", "pay_1 if that is possible", "pay_1?"],
)
async def test_answer_that_is_not_plain_waits_for_a_person(answer: str) -> None:
    """Within the limit as well."""
    opened, _ = await asked(refund())
    waiting = await opened.start(answer, run=2)
    assert gate_of(waiting) == [NOT_PLAIN]
    assert opened.world.billing.calls == 0


@pytest.mark.parametrize(
    ("answer", "proposed"),
    [
        ("pay_2", refund()),
        ("20 USD of pay_1", refund()),
        ("half of pay_1", refund()),
        ("pay_1", refund(wish="I want my money back.")),
        ("pay_1", refund("pay_9")),
    ],
)
async def test_answer_that_speaks_against_it_proposes_nothing(
    answer: str, proposed: Proposal
) -> None:
    """Another payment, less of it, a wish that was never written: a person reads it."""
    opened, _ = await asked(proposed)
    done = await opened.start(answer, run=2)
    assert (done["outcome"], opened.world.billing.calls) == ("escalated", 0)


async def test_only_the_next_message_answers() -> None:
    """Behind another reply of ours the old request is no wish any more."""
    opened, model = await asked(refund())
    model.script["Classification"] = [opinion(intents=["general"])]
    await opened.start("Where are you located?", run=2)
    model.script["Classification"] = [BILLING]
    done = await opened.start("pay_1", run=3)
    assert (done["outcome"], opened.world.billing.calls) == ("escalated", 0)


async def test_another_customer_on_the_ticket_was_asked_nothing() -> None:
    """Neither do their runs read the first one's words."""
    opened, model = await asked(refund())
    opened.world.billing.by_customer["cus_eve"] = [paid.copy() for paid in PAID]
    opened.world.caller = replace(opened.world.caller, customer_id="cus_eve")
    done = await opened.start("pay_1", run=2)
    assert (done["outcome"], opened.world.billing.calls) == ("escalated", 0)
    assert WISH not in [heard for name, heard in model.heard if name == "Proposal"][-1]


async def test_old_words_end_no_subscription() -> None:
    """What was written before our question asks for the refund alone."""
    end = ProposedCancellation(subscription_id="sub_1001", reason="They ask.", wish=WISH)
    opened, _ = await asked(Proposal(refunds=[], cancellations=[end], unsure=False))
    done = await opened.start("pay_1", run=2)
    assert done["outcome"] == "escalated"


async def test_grave_answer_still_brings_a_person() -> None:
    """Words that alarm are read in every message."""
    opened, _ = await asked(refund())
    done = await opened.start("pay_1, or my lawyer will write to you", run=2)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "alarm")


def test_question_is_over_once_a_person_has_the_thread() -> None:
    """What they write to the customer is not known here."""
    assert ignored("human_has_it")["asked_about"] is None
    assert "asked_about" not in ignored("thanks")


async def test_offline_the_answer_becomes_a_plan_for_a_person() -> None:
    """Without a key as well."""
    opened = desk("cus_max")
    assert (await opened.start(WISH))["outcome"] == "asked"
    waiting = await opened.start("pay_4003", run=2)
    assert [step["id"] for step in waiting["plan"]["steps"]] == ["refund-pay_4003"]
    done = await opened.decide("approve")
    assert (done["outcome"], opened.world.billing.calls) == ("acted", 1)


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("pay_1", "pay_1"),
        ("Pro plan", "pay_1"),
        ("Hello, the Pro plan please. Thanks", "pay_1"),
        ("pay_1 and pay_2", None),
        ("Extra storage", None),
        ("the first one", None),
        ("pay_1 was not me", None),
        ("pay_1, never mind", None),
        ("", None),
        ("pay_1 " * 20_000, None),
    ],
)
def test_plain_choice_names_one_payment_and_nothing_else(answer: str, chosen: Any) -> None:
    """Whatever else is said makes it unclear."""
    assert plainly_chosen(answer, PAID) == chosen


@pytest.mark.parametrize(
    ("answer", "against"),
    [
        ("pay_1", False),
        ("the first one", False),
        ("49 USD, the Pro plan", False),
        ("pay_2", True),
        ("20 EUR", True),
        ("10 % of pay_1", True),
    ],
)
def test_answer_speaks_against_another_payment_or_less(answer: str, against: bool) -> None:
    """Read without a model."""
    assert speaks_against(answer, PRO, 4900, PAID) == against
