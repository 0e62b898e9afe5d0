"""Runs that paused before replies were made of claims go on, with what they had in state.

data/paused_before_claims.json holds their states as that release wrote them: at a plan, at the
plan of a ticket with one part, at a reply, and at the reply after a refund.
"""

import json
from typing import Any

import pytest

from graphs.nodes.verify import Support
from graphs.policy import Policy, ReplyMode
from graphs.run.compatibility import incompatible_keys, missing_keys
from tests.unit.desk import ROOT, SILENT, Desk, claimed, desk, scripted
from tests.unit.test_triage import OPINION
from tools.models import Step

RELEASED: dict[str, Any] = json.loads(
    (ROOT / "tests/unit/data/paused_before_claims.json").read_text()
)
SAID = "Error E42 means that your upload is larger than the storage your workspace has left."
REFUNDED = "We have refunded 49.00 USD for Pro plan."


async def paused(name: str, *, with_model: bool = False) -> Desk:
    """A desk whose thread waits where that release left it."""
    stored = RELEASED[name]
    opened = desk("cus_ann", "upload-error-e42")
    if with_model:
        answer = claimed(SAID, question="q2" if name == "plan" else "q1")
        said = SILENT if name == "plan_of_one_part" else answer
        scripted(opened, Reply=[said], Support=[Support(supported=True, reason="")])
    if name.startswith("reply"):
        opened.world.policy = Policy(reply_mode=ReplyMode(default="draft"))
    before = "check" if name.startswith("reply") else "plan"
    filled = {**stored, **missing_keys(stored)}
    await opened.graph.aupdate_state(opened.thread, filled, as_node=before)
    await opened.advance(None)
    return opened


@pytest.mark.parametrize("name", RELEASED)
def test_state_fits(name: str) -> None:
    """New keys are filled in, and every old value is one of today."""
    stored = RELEASED[name]
    assert "verdicts" not in stored
    assert {"questions", "verdicts", "asked_back", "refused_draft"} <= set(missing_keys(stored))
    assert incompatible_keys(stored) == {}


@pytest.mark.parametrize("with_model", [False, True])
@pytest.mark.parametrize("name", ["plan", "plan_of_one_part"])
async def test_plan_is_carried_out_and_every_part_answered(name: str, with_model: bool) -> None:
    """The questions are those of the old parts."""
    opened = await paused(name, with_model=with_model)
    done = await opened.decide("approve")
    assert (done["outcome"], opened.world.billing.calls) == ("acted", 1)
    assert REFUNDED in done["reply"]["text"]
    # Without a model no reply says anything about the other part, so a person has it.
    other = name == "plan"
    assert ("E42 means" in done["reply"]["text"]) == (other and with_model)
    assert ("how do I fix it?" in done["reply"]["text"]) == (other and not with_model)


async def test_new_plan_after_a_wish_asks_for_questions() -> None:
    """classify reads the ticket again, as today."""
    opened = await paused("plan")
    scripted(opened, Classification=[json.dumps(OPINION)])
    await opened.decide("respond", comment="Only the second one.")
    [question] = (await opened.graph.aget_state(opened.thread)).values["questions"]
    assert (question["id"], question["intent"]) == ("q1", "billing")


@pytest.mark.parametrize("name", ["reply", "reply_after_refund"])
async def test_approved_reply_leaves_as_it_stands(name: str) -> None:
    """What code says stood in its text; it is not said twice."""
    opened = await paused(name)
    text = (await opened.open_gate()).value["steps"][0]["args"]["text"]
    assert text == RELEASED[name]["draft"]["text"]
    done = await opened.decide("approve")
    assert done["reply"]["text"] == text


async def test_edited_reply_leaves_and_says_what_was_done() -> None:
    """Whatever the person wrote, the effect is stated."""
    opened = await paused("reply_after_refund")
    step: Step = (await opened.open_gate()).value["steps"][0]
    thanks: Step = {**step, "args": {**step["args"], "text": "Thank you for your patience."}}
    done = await opened.decide("edit", [thanks])
    assert done["outcome"] == "acted"
    assert done["reply"]["text"] == f"Thank you for your patience.\n\n{REFUNDED}"


async def test_wish_about_a_reply_leads_to_claims() -> None:
    """The next draft is one of today."""
    opened = await paused("reply", with_model=True)
    await opened.decide("respond", comment="Shorter, please.")
    done = await opened.decide("approve")
    assert done["outcome"] == "answered"
    assert done["draft"]["claims"]
    assert [verdict["supported"] for verdict in done["verdicts"]] == [True]
