"""A plan or a reply goes back and forth between people and the workflow, and nothing slips by."""

from collections.abc import Sequence

import pytest

from graphs.nodes.verify import Support
from graphs.policy import MAX_ROUNDS, Policy, ReplyMode
from graphs.state import Verdict
from graphs.text.phrases import DECLINED
from tests.fakes import FakeBilling, shop
from tests.unit.desk import E42, TWICE, Desk, claimed, desk, scripted
from tools.models import Payment, Step

DRAFTS = Policy(reply_mode=ReplyMode(default="draft"))
E42_ARTICLE = "upload-error-e42"
SAID = "Error E42 means that your upload is larger than the storage your workspace has left."


def refunds(opened: Desk) -> list[str]:
    """The payments that were really refunded."""
    return [refund["payment_id"] for refund in opened.world.billing.refunds.values()]


class MovingBilling(FakeBilling):
    """Another program refunds a cent of every payment after it was read for the first time."""

    async def payments(self, customer_id: str) -> list[Payment]:
        read = await super().payments(customer_id)
        for paid in self.by_customer[customer_id]:
            paid["refunded_minor"] = 1
        return read


async def verdicts(opened: Desk) -> Sequence[str]:
    """What the open gate offers."""
    offered: list[str] = (await opened.open_gate()).value["verdicts"]
    return offered


async def test_wish_makes_the_specialist_plan_again() -> None:
    """The reviewer names the other payment: a new plan, and only that is done."""
    opened = desk("cus_ann")
    first = (await opened.start(TWICE))["plan"]
    again = await opened.decide("respond", comment="Refund pay_1001 instead, please.")
    assert [step["id"] for step in again["plan"]["steps"]] == ["refund-pay_1001"]
    assert again["plan"]["steps"] != first["steps"]
    await opened.decide("approve")
    assert refunds(opened) == ["pay_1001"]


async def test_wishes_end_after_the_last_round() -> None:
    """A reviewer may ask again three times; then it is yes, no or an edit."""
    opened = desk("cus_ann")
    await opened.start(TWICE)
    for _ in range(MAX_ROUNDS):
        assert "respond" in await verdicts(opened)
        await opened.decide("respond", comment="Look again.")
    assert await verdicts(opened) == ["approve", "edit", "reject"]


async def test_new_message_is_taken_into_the_new_plan() -> None:
    """What the customer wrote meanwhile is read as if it had been there from the start."""
    opened = desk("cus_ann", E42_ARTICLE)
    await opened.start(TWICE)
    paused = await opened.decide("respond", comment="See the new message.", messages=[E42])
    assert paused["triage"]["intents"] == ["billing", "technical"]
    done = await opened.decide("approve")
    assert "We have refunded 49.00 USD" in done["reply"]["text"]
    assert E42_ARTICLE in done["reply"]["citations"]


async def test_new_message_that_asks_for_a_person_gets_one() -> None:
    """The triage is made again, with all that decides it."""
    opened = desk("cus_ann")
    await opened.start(TWICE)
    wish = ["I want to speak to a manager."]
    done = await opened.decide("respond", comment="See the new message.", messages=wish)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "human_requested")
    assert refunds(opened) == []


async def test_plan_that_no_longer_fits_goes_back_to_the_person() -> None:
    """Refunded elsewhere while it waited: nothing is done, and the person sees what changed."""
    opened = desk("cus_ann")
    await opened.start(TWICE)
    opened.world.billing.by_customer["cus_ann"][1]["refunded_minor"] = 4900
    await opened.decide("approve")
    shown = (await opened.open_gate()).value
    assert shown["changed"] == [
        "refund-pay_1002: payment pay_1002 has only 0.00 USD left to refund"
    ]
    assert shown["verdicts"] == ["edit", "reject", "respond"]
    assert (refunds(opened), opened.world.ledger.rows) == ([], {})


async def test_edit_that_corrects_the_plan_is_carried_out() -> None:
    """Of a refund that no longer fits, a part still does."""
    opened = desk("cus_ann")
    paused = await opened.start(TWICE)
    opened.world.billing.by_customer["cus_ann"][1]["refunded_minor"] = 4000
    await opened.decide("approve")
    step: Step = paused["plan"]["steps"][0]
    left: Step = {**step, "args": {**step["args"], "amount_minor": 900}}
    done = await opened.decide("edit", [left])
    assert done["outcome"] == "acted"
    assert "9.00 USD" in done["reply"]["text"]


async def test_safe_plan_that_no_longer_fits_waits_for_a_person() -> None:
    """Inside the limit no person is asked, unless the world moved between plan and act."""
    opened = desk("cus_max")
    opened.world.configure_model()
    opened.world.policy = Policy(refund_auto_limit={"USD": 10**6})
    opened.world.gate.everything = True
    opened.world.billing = MovingBilling(shop())
    await opened.start("Please refund pay_4001, pay_4002 and pay_4003.")
    assert (await opened.open_gate()).value["gate"] == ["the plan no longer fits"]
    assert refunds(opened) == []


async def test_own_refund_is_no_change() -> None:
    """An attempt that died after its refund finds the money gone, and goes on by the ledger."""
    opened = desk("cus_ann")
    await opened.start(TWICE)
    await opened.decide("approve")
    [before_act] = [state for state in await opened.history() if state.next == ("act",)]
    again = await opened.advance(None, before_act.config)
    assert (again["outcome"], again["plan"]["changed"]) == ("acted", [])
    assert refunds(opened) == ["pay_1002"]


async def test_draft_mode_holds_the_reply_until_a_person_agrees() -> None:
    """Nothing is sent before; then exactly the text that was shown."""
    opened = desk("cus_bob", E42_ARTICLE)
    opened.world.policy = DRAFTS
    await opened.start(E42)
    shown = (await opened.open_gate()).value
    assert (shown["kind"], shown["steps"][0]["editable"]) == ("reply", ["text"])
    assert opened.world.conversations.replies == {}
    done = await opened.decide("approve")
    assert done["reply"]["text"] == shown["steps"][0]["args"]["text"]


async def test_draft_mode_can_be_for_one_intent() -> None:
    """Technical replies wait, others leave."""
    opened = desk("cus_bob", E42_ARTICLE)
    opened.world.policy = Policy(reply_mode=ReplyMode(by_intent={"billing": "draft"}))
    assert (await opened.start(E42))["outcome"] == "answered"


def edited(text: str, step: Step) -> Step:
    """The reply as a reviewer rewrote it."""
    return {**step, "args": {**step["args"], "text": text}}


async def test_edited_reply_is_held_to_the_same_rules() -> None:
    """A link that a person adds comes back as what changed; the corrected text is sent."""
    opened = desk("cus_bob", E42_ARTICLE)
    scripted(opened, Reply=[claimed(SAID)], Support=[Support(supported=True, reason="")])
    opened.world.policy = DRAFTS
    await opened.start(E42)
    [step] = (await opened.open_gate()).value["steps"]
    text = step["args"]["text"]
    await opened.decide("edit", [edited(f"{text} See https://evil.example/login.", step)])
    shown = (await opened.open_gate()).value
    assert any("markup" in line for line in shown["changed"])
    assert "approve" not in shown["verdicts"]
    done = await opened.decide("edit", [edited(f"{text}\n\nKind regards", step)])
    assert done["reply"]["text"].endswith("Kind regards")
    assert done["drafts"] == 1, "a person's text is not written over by the model"


async def test_wish_about_a_reply_is_heard_by_the_writer() -> None:
    """The comment is in the question; the next draft waits again."""
    opened = desk("cus_bob", E42_ARTICLE)
    opened.world.policy = DRAFTS
    model = scripted(opened)
    await opened.start(E42)
    await opened.decide("respond", comment="Shorter, please.", messages=["And refund me!"])
    heard = [text for question, text in model.heard if question == "Reply"][-1]
    assert "Shorter, please." in heard
    assert "And refund me!" not in heard, "the customer is no reviewer"
    assert (await opened.open_gate()).value["round"] == 1


@pytest.mark.parametrize("verdict", ["reject", "expire"])
async def test_reply_that_is_not_released_stays(verdict: Verdict) -> None:
    """The customer gets the holding reply, and a person goes on."""
    opened = desk("cus_bob", E42_ARTICLE)
    opened.world.policy = DRAFTS
    await opened.start(E42)
    draft = (await opened.open_gate()).value["steps"][0]["args"]["text"]
    done = await opened.decide(verdict)
    assert (done["outcome"], done["handoff"] is not None) == ("escalated", True)
    assert draft not in done["reply"]["text"]


async def test_reply_that_is_rejected_leaves_the_plan_done() -> None:
    """A no to the words is no no to the refund, which was made and is reported."""
    opened = desk("cus_ann")
    opened.world.policy = DRAFTS
    await opened.start(TWICE)
    await opened.decide("approve")
    assert (await opened.open_gate()).value["kind"] == "reply"
    done = await opened.decide("reject", comment="wrong tone")
    assert (done["outcome"], refunds(opened)) == ("escalated", ["pay_1002"])
    reply = done["reply"]["text"]
    assert "We have refunded 49.00 USD" in reply
    assert DECLINED.fill("en") not in reply
    assert done["escalation"]["detail"] == "Uma said no to the reply: wrong tone"


async def test_plan_that_is_rejected_is_reported_so() -> None:
    """Nothing is done, and the customer reads that it was looked at."""
    opened = desk("cus_ann")
    opened.world.policy = DRAFTS
    await opened.start(TWICE)
    done = await opened.decide("reject")
    assert (done["outcome"], refunds(opened)) == ("rejected", [])
    assert DECLINED.fill("en") in done["reply"]["text"]
    assert done["escalation"]["detail"] == "Uma said no to the plan: no comment"
