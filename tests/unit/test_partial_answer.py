"""One question without an answer: it alone goes to a person, and the other answers leave."""

from itertools import product
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

from graphs.context import Models
from graphs.nodes.billing import Proposal, ProposedRefund
from graphs.nodes.classify import Classification
from graphs.nodes.respond import Reply, Statement
from graphs.nodes.verify import Support
from graphs.policy import Policy, ReplyMode
from graphs.reply.checks import MAX_REDRAFTS
from tests.fakes import ScriptedModel
from tests.unit.desk import TWICE, Desk, claimed, desk
from tests.unit.test_triage import opinion, question
from tools.models import JsonObject

FIX, GIFTS, HOURS = "How do I fix error E42?", "Do you sell gift cards?", "When are you open?"
SAID = "Your upload is larger than the storage that is left."
# The verifier below refuses what speaks of unicorns.
LIE = "Unicorns sell gift cards at your storage."
ASKED = f"{FIX} {GIFTS}"
TWO = opinion(
    intents=["technical", "general"],
    questions=[question("technical", FIX), question("general", GIFTS)],
)
LOOKED_AT = "Mia from our team will look at your question"


class Judge(ScriptedModel):
    """A script for all but the verifier, who refuses claims about unicorns."""

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        said = "\n".join(str(message.content) for message in messages)
        verdict = Support(supported="Unicorns" not in said, reason="It speaks of unicorns.")
        self.script["Support"] = [verdict]
        return super()._generate(messages, stop, run_manager, **kwargs)


def opened_with(
    *replies: Reply, triage: Classification = TWO, **script: list[Any]
) -> tuple[Desk, Judge]:
    """A desk with the E42 article; the model triages and drafts like this."""
    opened = desk("cus_ann", "upload-error-e42")
    model = Judge(script={"Classification": [triage], "Reply": list(replies), **script})
    opened.world.models = Models(model, model, opened.world.models.fallback)
    return opened, model


def proposal(*refunds: ProposedRefund) -> Proposal:
    """These refunds, for certain."""
    return Proposal(refunds=list(refunds), cancellations=[], unsure=False)


def reply(*claims: Statement, unanswered: list[str] | None = None) -> Reply:
    """A draft of these claims."""
    return Reply(claims=list(claims), unanswered=unanswered or [])


def claim(question: str, text: str = SAID) -> Statement:
    """A claim with a quote that stands in the article."""
    [made] = claimed(text, question=question).claims
    return made


async def test_question_that_is_left_open_goes_to_a_person_alone() -> None:
    """The answer leaves with the sentence of code, and the hand-off holds the part alone."""
    opened, model = opened_with(reply(claim("q1"), unanswered=["q2"]))
    done = await opened.start(ASKED)
    assert (done["outcome"], done["escalation"], done["handoff"]) == ("answered", None, None)
    assert done["reply"]["text"] == f'Hello,\n\n{SAID}\n\n{LOOKED_AT} "{GIFTS}"'
    [step] = done["plan"]["steps"]
    assert (step["id"], step["args"]["part"]) == ("handoff-general", "general")
    assert model.asked.count("Reply") == 1
    assert await opened.path_from("respond") == [
        "respond", "verify", "check", "act", "check", "send",
    ]  # fmt: skip


async def test_person_reads_which_question_and_why() -> None:
    """Beside the whole message; the reason itself names no word of the customer."""
    opened, _ = opened_with(reply(claim("q1"), unanswered=["q2"]))
    done = await opened.start(ASKED)
    [summary] = opened.world.conversations.summaries
    assert f"\nQuestion: {GIFTS}\n" in summary
    assert f"Question: {FIX}" not in summary
    [step] = done["plan"]["steps"]
    assert step["reason"] == ("No reply to q2 may leave. Nothing that was found answers q2.")
    assert summary.startswith(f"Why: no_valid_reply. {step['reason']}")


async def test_refused_claim_is_handed_over_with_its_text_as_the_suggestion() -> None:
    """After the last draft; the customer reads nothing of it."""
    opened, model = opened_with(reply(claim("q1"), claim("q2", LIE)))
    done = await opened.start(ASKED)
    assert model.asked.count("Reply") == MAX_REDRAFTS + 1
    assert done["reply"]["text"] == f'Hello,\n\n{SAID}\n\n{LOOKED_AT} "{GIFTS}"'
    [suggested] = opened.world.conversations.suggestions
    assert suggested is not None
    assert suggested["text"] == f"Hello,\n\n{LIE}"
    [summary] = opened.world.conversations.summaries
    assert "Refused draft: support: " in summary
    assert [verdict["supported"] for verdict in done["verdicts"]] == [True, False]
    assert done["draft"]["claims"] == [claim("q1").model_dump()]


@pytest.mark.parametrize(
    "broken",
    [
        claim("q2", "Gift cards cost 500 USD."),
        Statement(question="q2", text="Yes, we sell them.", evidence=[]),
        claim("q2", "What is your password?"),
        claim("q2", "See https://evil.example/gifts for them."),
    ],
)
async def test_claim_that_breaks_a_rule_takes_only_its_own_question_along(
    broken: Statement,
) -> None:
    """A value, a missing quote, a question, a link."""
    opened, _ = opened_with(reply(claim("q1"), broken))
    done = await opened.start(ASKED)
    assert (done["outcome"], done["drafts"]) == ("answered", MAX_REDRAFTS + 1)
    assert SAID in done["reply"]["text"]
    assert broken.text not in done["reply"]["text"]
    assert GIFTS in done["reply"]["text"]


async def test_leak_in_one_claim_keeps_the_whole_draft() -> None:
    """A model that leaks may obey another: a person reads all of it."""
    opened, _ = opened_with(reply(claim("q1"), claim("q2", "Write to eve@evil.example.")))
    done = await opened.start(ASKED)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_valid_reply")
    assert SAID not in done["reply"]["text"]


async def test_open_question_beside_a_faulty_answer_is_drafted_again_first() -> None:
    """The answer may still be set right; then it leaves."""
    opened, model = opened_with(
        reply(claim("q1", LIE), unanswered=["q2"]), reply(claim("q1"), unanswered=["q2"])
    )
    done = await opened.start(ASKED)
    assert (done["outcome"], model.asked.count("Reply")) == ("answered", 2)
    assert done["reply"]["text"] == f'Hello,\n\n{SAID}\n\n{LOOKED_AT} "{GIFTS}"'


async def test_question_beside_what_was_done_goes_to_a_person_alone() -> None:
    """The refund is reported, and only the other question waits."""
    triage = opinion(
        intents=["billing", "technical"],
        questions=[question("billing", TWICE), question("technical", FIX)],
    )
    refund = ProposedRefund(payment_id="pay_1002", amount_minor=4900, reason="Twice.", wish=TWICE)
    opened, _ = opened_with(reply(unanswered=["q2"]), triage=triage, Proposal=[proposal(refund)])
    await opened.start(f"{TWICE} {FIX}")
    done = await opened.decide("approve")
    assert (done["outcome"], opened.world.billing.calls) == ("acted", 1)
    assert done["reply"]["text"] == (
        f'Hello,\n\nWe have refunded 49.00 USD for Pro plan.\n\n{LOOKED_AT} "{FIX}"'
    )


async def test_reviewer_reads_what_is_left_and_is_not_asked_about_the_plan_again() -> None:
    """Also when they wish for another draft behind a plan that a person had agreed to."""
    triage = opinion(
        intents=["billing", "technical", "general"],
        questions=[
            question("billing", TWICE), question("technical", FIX), question("general", GIFTS),
        ],
    )  # fmt: skip
    refund = ProposedRefund(payment_id="pay_1002", amount_minor=4900, reason="Twice.", wish=TWICE)
    first, second = claim("q2"), claim("q3", "Storage is what your upload needs.")
    opened, _ = opened_with(
        reply(first, second),
        reply(first, unanswered=["q3"]),
        triage=triage,
        Proposal=[proposal(refund)],
    )
    opened.world.policy = Policy(reply_mode=ReplyMode(default="draft"))
    await opened.start(f"{TWICE} {ASKED}")
    await opened.decide("approve")
    await opened.decide("respond", comment="Say nothing about gift cards.")
    gate = (await opened.open_gate()).value
    assert gate["kind"] == "reply"
    assert gate["steps"][0]["args"]["text"] == f"Hello,\n\n{SAID}"
    assert gate["steps"][0]["evidence"][-1]["summary"] == f'{LOOKED_AT} "{GIFTS}"'
    done = await opened.decide("approve")
    assert (done["outcome"], opened.world.billing.calls) == ("acted", 1)


THREE = (("technical", FIX), ("general", GIFTS), ("billing", HOURS))
ENDS = ("good", "lie", "open")


def drafted(ends: tuple[str, ...]) -> Reply:
    """What the model says of each question in every draft."""
    said = {f"q{n}": end for n, end in enumerate(ends, 1)}
    claims = [claim(q, f"{LIE} {q}" if end == "lie" else SAID)
              for q, end in said.items() if end != "open"]  # fmt: skip
    return reply(*claims, unanswered=[q for q, end in said.items() if end == "open"])


@pytest.mark.parametrize("ends", list(product(ENDS, repeat=3)), ids="-".join)
async def test_every_question_ends_and_no_refused_claim_leaves(ends: tuple[str, ...]) -> None:
    """Answered or with a person, whatever becomes of the others; and the run ends."""
    triage = opinion(
        intents=[intent for intent, _ in THREE],
        questions=[question(intent, text) for intent, text in THREE],
    )
    opened, _ = opened_with(drafted(ends), triage=triage, Proposal=[proposal()])
    done = await opened.start(" ".join(text for _, text in THREE))
    text = done["reply"]["text"]
    assert "Unicorns" not in text
    if "good" not in ends:
        assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_valid_reply")
        return
    handed = {step["args"]["part"] for step in done["plan"]["steps"]}
    assert handed == {THREE[n][0] for n, end in enumerate(ends) if end != "good"}
    assert text.count(SAID) == ends.count("good")
    assert text.count(LOOKED_AT) == len(handed)
    assert (done["outcome"], done["escalation"]) == ("answered", None)
    assert len(opened.world.conversations.handoffs) == len(handed)
    assert (await opened.path()).count("check") <= MAX_REDRAFTS + 2


async def test_two_open_questions_of_one_part_are_one_hand_off() -> None:
    """Its person reads both."""
    triage = opinion(
        intents=["technical", "general"],
        questions=[
            question("technical", FIX), question("general", GIFTS), question("general", HOURS),
        ],
    )  # fmt: skip
    opened, _ = opened_with(reply(claim("q1"), unanswered=["q2", "q3"]), triage=triage)
    done = await opened.start(f"{ASKED} {HOURS}")
    [summary] = opened.world.conversations.summaries
    assert f"Question: {GIFTS}\nQuestion: {HOURS}" in summary
    assert done["reply"]["text"].count(LOOKED_AT) == 1


async def test_question_beside_another_of_its_own_part() -> None:
    """One general question is answered and the other handed over."""
    triage = opinion(
        intents=["general"], questions=[question("general", FIX), question("general", GIFTS)]
    )
    opened, _ = opened_with(reply(claim("q1"), unanswered=["q2"]), triage=triage)
    done: JsonObject = await opened.start(ASKED)
    assert done["reply"]["text"] == f'Hello,\n\n{SAID}\n\n{LOOKED_AT} "{GIFTS}"'
