"""Questions about payments are answered from the lines that code writes about them."""

from typing import Any

import pytest

from graphs.nodes.billing import Proposal
from graphs.nodes.respond import CitedQuote, Reply, Statement
from graphs.reply.sources import sources
from graphs.state import fresh_run
from tests.fakes import payment
from tests.unit.desk import Desk, desk, scripted, ticket
from tests.unit.test_triage import opinion, question
from tools.models import Payment

ASKED = "When was my last Pro payment?"
PAID = [
    payment("pay_1", 4900, "Pro plan", day="2026-10-18"),
    payment("pay_2", 4900, "Pro plan", day="2026-11-18"),
    payment("pay_3", 900, "Extra storage", day="2026-11-20"),
]
FAILED: Payment = {**payment("pay_4", 4900, "Pro plan", day="2026-11-21"), "status": "failed"}
LINE = (
    "Pro plan: 49.00 USD captured on 2026-11-18, 0.00 USD refunded so far, "
    "the newest payment for Pro plan"
)


def lines(payments: list[Payment]) -> dict[str, str]:
    """What a claim may quote of these payments."""
    state: Any = {**fresh_run("r", ticket(ASKED)), "findings": {"billing": {
        "passages": [], "payments": payments, "refunded_24h": {}, "steps": [],
        "failed": None, "unsure": None,
    }}}  # fmt: skip
    return {source["id"]: source["text"] for source in sources(state)}


def asking(claim: str, id_: str, quote: str) -> Desk:
    """A desk whose model answers with this claim about a payment."""
    opened = desk("cus_ann")
    opened.world.billing.by_customer["cus_ann"] = [*PAID, FAILED]
    shown = [CitedQuote(kind="payment", id=id_, quote=quote)]
    scripted(
        opened,
        Classification=[opinion(intents=["billing"], questions=[question("billing", ASKED)])],
        Proposal=[Proposal(refunds=[], cancellations=[], unsure=False)],
        Reply=[Reply(claims=[Statement(question="q1", text=claim, evidence=shown)], unanswered=[])],
    )
    return opened


def test_line_says_which_payment_is_the_newest() -> None:
    """Of all, and of one thing; what was never taken is none."""
    found = lines([*PAID, FAILED])
    assert found["pay_2"] == LINE
    assert found["pay_3"].endswith("so far, the newest of all payments")
    assert found["pay_1"].endswith("so far")
    assert found["pay_4"].endswith("so far")
    assert lines([FAILED])["pay_4"].endswith("so far")


async def test_last_payment_is_reported_from_its_line() -> None:
    """The line alone shows date, amount, and that it is the last one."""
    claim = "Your last Pro plan payment was on 18 November 2026: 49.00 USD."
    done = await asking(claim, "pay_2", LINE).start(ASKED)
    assert (done["outcome"], done["reply"]["text"]) == ("answered", f"Hello,\n\n{claim}")
    assert done["reply"]["citations"] == []


@pytest.mark.parametrize(
    ("claim", "id_", "quote"),
    [
        ("Your last payment was on 19 November 2026.", "pay_2", LINE),
        ("You paid 59.00 USD last.", "pay_2", LINE),
        ("Your last payment was on 18 November 2026.", "pay_2", LINE.split(",", maxsplit=1)[0]),
        ("Your last payment was on 18 November 2026.", "pay_9", LINE),
    ],
)
async def test_false_or_unshown_payment_is_not_reported(claim: str, id_: str, quote: str) -> None:
    """Another day or amount, a fragment of the line, a payment that is not theirs."""
    done = await asking(claim, id_, quote).start(ASKED)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_valid_reply")
