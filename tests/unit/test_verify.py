"""verify: one call a claim, which sees nothing else; what it refuses does not leave."""

import asyncio
import json
from typing import Any

import pytest

from app.models.offline.chat_model import OfflineChatModel
from graphs.context import Models
from graphs.llm.errors import ModelUnavailableError
from graphs.nodes.respond import CitedQuote, Reply, Statement
from graphs.nodes.verify import Support, together
from graphs.policy import Policy, ReplyMode
from tests.fakes import ScriptedModel
from tests.unit.desk import E42, Desk, article, claimed, desk, scripted
from tools.models import Step

SAID = "Your upload is larger than the storage that is left."
YES, NO = Support(supported=True, reason=""), Support(supported=False, reason="It says less.")
DOWN = ModelUnavailableError("no answer")


def asked_of(model: ScriptedModel, question: str) -> list[str]:
    """What the model heard with each question of that name."""
    return [heard for name, heard in model.heard if name == question]


def opened_with(*lines: Any, reply: Reply | None = None) -> tuple[Desk, ScriptedModel]:
    """A desk with the E42 article, whose verifier answers these lines."""
    opened = desk("cus_eva", "upload-error-e42")
    return opened, scripted(opened, Reply=[reply or claimed(SAID)], Support=list(lines))


async def test_verifier_sees_question_claim_and_quotes_and_nothing_else() -> None:
    """No ticket, no memory, no other article, no instructions of the writer."""
    opened, model = opened_with(YES)
    done = await opened.start(E42)
    assert (done["outcome"], done["reply"]["text"]) == ("answered", f"Hello,\n\n{SAID}")
    [heard] = asked_of(model, "Support")
    facts = json.loads(heard[heard.index('{"facts"') :])
    assert set(facts["facts"]) == {"question", "claim", "evidence"}
    assert (facts["facts"]["question"], facts["facts"]["claim"]) == (E42, SAID)
    [shown] = facts["facts"]["evidence"]
    assert shown["title"] == article("upload-error-e42")["title"]
    assert shown["quote"].startswith("Error E42 means")
    assert done["verdicts"] == [{"question": "q1", "text": SAID, "supported": True, "reason": ""}]


async def test_each_claim_has_a_call_of_its_own() -> None:
    """Two claims, two calls; one refusal is enough."""
    [one] = claimed(SAID).claims
    both = Reply(claims=[one, one.model_copy(update={"text": "Nothing is lost."})], unanswered=[])
    opened, model = opened_with(YES, NO, YES, reply=both)
    done = await opened.start(E42)
    assert model.asked.count("Support") == 4
    assert (done["outcome"], done["drafts"]) == ("answered", 2)


async def test_refused_claim_is_drafted_again_with_the_reason() -> None:
    """The writer reads which claim and why."""
    opened, model = opened_with(NO, YES)
    done = await opened.start(E42)
    assert (done["outcome"], done["drafts"]) == ("answered", 2)
    first, second = asked_of(model, "Reply")
    assert "It says less." not in first
    assert "It says less." in second
    assert SAID in second


async def test_claim_that_stays_refused_goes_to_a_person_with_the_draft() -> None:
    """Three drafts, then the hand-off; the customer reads none of them."""
    opened, model = opened_with(NO)
    done = await opened.start(E42)
    assert model.asked.count("Support") == 3
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_valid_reply")
    assert SAID in done["refused_draft"]["text"]
    assert SAID not in done["reply"]["text"]


@pytest.mark.parametrize("line", [DOWN, "maybe", '{"supported": "true", "reason": ""}'])
async def test_verifier_that_does_not_answer_brings_a_person(line: object) -> None:
    """Down or talking nonsense: no other model answers for it, and nothing passes."""
    opened, _ = opened_with(line)
    done = await opened.start(E42)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "node_failed")
    assert SAID in done["refused_draft"]["text"]
    assert SAID not in done["reply"]["text"]


async def test_verifier_is_another_model_when_there_is_one() -> None:
    """It is asked about claims, and about nothing else."""
    opened, model = opened_with(NO)
    verifier = ScriptedModel(script={"Support": [YES]}, model_name="small")
    opened.world.models = Models(model, model, OfflineChatModel(), verify=verifier)
    done = await opened.start(E42)
    assert done["outcome"] == "answered"
    assert "Support" not in model.asked
    assert set(verifier.asked) == {"Support"}


@pytest.mark.parametrize("held_to", ["quotes", "verified"])
async def test_quotes_mode_asks_no_verifier(held_to: Any) -> None:
    """Whole quotes need none."""
    opened = desk("cus_eva", "upload-error-e42")
    opened.world.policy = Policy(grounding=held_to)
    model = scripted(opened)
    done = await opened.start(E42)
    assert done["outcome"] == "answered"
    assert ("Support" in model.asked) == (held_to == "verified")
    assert done["draft"]["grounding"] == held_to


async def test_no_draft_of_the_offline_model_stands_in_for_a_model_that_is_down() -> None:
    """A person goes on, and no verifier is asked."""
    opened = desk("cus_eva", "upload-error-e42")
    model = scripted(opened, Reply=[DOWN], Support=[NO])
    done = await opened.start(E42)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_model")
    assert "Support" not in model.asked


async def test_without_a_model_replies_are_quotes_whatever_the_policy_says() -> None:
    """There is no verifier to hold them to."""
    opened = desk("cus_eva", "upload-error-e42")
    opened.world.policy = Policy(grounding="verified")
    done = await opened.start(E42)
    assert (done["outcome"], done["draft"]["grounding"]) == ("answered", "quotes")


async def test_reviewers_text_is_not_verified() -> None:
    """It is the person's statement: no claims, no verifier, sent as it stands."""
    opened, model = opened_with(YES)
    opened.world.policy = Policy(reply_mode=ReplyMode(default="draft"))
    await opened.start(E42)
    step: Step = (await opened.open_gate()).value["steps"][0]
    own = "Dear Eva, please split the file with the tool of your choice."
    asked = model.asked.count("Support")
    done = await opened.decide("edit", [{**step, "args": {**step["args"], "text": own}}])
    assert (done["outcome"], done["reply"]["text"]) == ("answered", own)
    assert model.asked.count("Support") == asked


async def test_question_that_the_model_leaves_open_brings_a_person_at_once() -> None:
    """With what it could answer as the draft."""
    left = claimed(SAID).model_copy(update={"unanswered": ["q1"]})
    opened, model = opened_with(YES, reply=left)
    done = await opened.start(E42)
    assert model.asked.count("Reply") == 1
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_valid_reply")
    assert SAID in done["refused_draft"]["text"]


def test_claim_names_at_most_so_much() -> None:
    """A model cannot make hundreds of calls by one answer."""
    claim = Statement(question="q1", text="x", evidence=[])
    quote = CitedQuote(kind="article", id="a", quote="x")
    with pytest.raises(ValueError, match="at most"):
        Reply(claims=[claim] * 21, unanswered=[])
    with pytest.raises(ValueError, match="at most"):
        Statement(question="q1", text="x", evidence=[quote] * 9)


async def test_calls_run_together_and_the_first_failure_ends_them() -> None:
    """The error itself, not a group of errors, so that the node's retry knows it."""
    ended: list[str] = []

    async def slow() -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("slow")

    async def failing() -> Any:
        await asyncio.sleep(0)
        raise DOWN

    with pytest.raises(ModelUnavailableError):
        await together([slow(), failing()])
    assert ended == ["slow"]
