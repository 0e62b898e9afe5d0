"""A question that a person has: it is not answered again, and others of its part are."""

from typing import Any

import pytest

from graphs.conversation import HeldQuestion, ThreadView
from graphs.held_questions import marked
from graphs.policy import Policy
from graphs.quiet import UNKNOWN_THREAD
from graphs.state import Question, fresh_run
from tests.unit.desk import ticket
from tests.unit.test_partial_answer import FIX, GIFTS, SAID, claim, opened_with, reply
from tests.unit.test_triage import opinion
from tools.models import JsonObject

HELD: HeldQuestion = {"part": "technical", "text": "Why does the export hang since Monday?"}
NEWS = "Any news?"


def view(*held: HeldQuestion, parts: tuple[str, ...] = ()) -> ThreadView:
    """A thread of which people have these questions, and all of these parts."""
    return {**UNKNOWN_THREAD, "questions": list(held), "parts": list(parts)}


def asked(intent: str, text: str, *, new: bool | None = None) -> dict[str, Any]:
    """A question as a model names it."""
    return {"intent": intent, "text": text, "queries": [], "new": new}


async def written(
    body: str, *questions: dict[str, Any], answers: tuple[Any, ...] = ()
) -> tuple[JsonObject, Any]:
    """The run of a message that asks these questions, on a thread of which a person has one."""
    intents = list(dict.fromkeys(question["intent"] for question in questions))
    triage = opinion(intents=intents, questions=list(questions))
    opened, model = opened_with(*answers, triage=triage)
    run = fresh_run("r1", ticket(body), thread=view(HELD))
    return await opened.advance(run), (opened, model)


async def test_another_question_of_the_part_is_answered() -> None:
    """The person keeps theirs, and nothing is handed over."""
    answers = (reply(claim("q1")),)
    done, (opened, _) = await written(FIX, asked("technical", FIX, new=True), answers=answers)
    assert (done["outcome"], done["reply"]["text"]) == ("answered", f"Hello,\n\n{SAID}")
    assert opened.world.conversations.handoffs == {}


@pytest.mark.parametrize(
    "question",
    [
        asked("technical", NEWS, new=False),
        asked("technical", NEWS),
        asked("general", NEWS, new=False),
        asked("technical", "The export hangs again today!", new=True),
        asked("general", "Is the export still hanging?"),
    ],
)
async def test_same_question_is_attached_to_its_handoff(question: dict[str, Any]) -> None:
    """A reminder, an addition, and whatever shares its words; without a model's word, all of it."""
    done, (opened, model) = await written(question["text"], question)
    assert (done["outcome"], done["ignored"]) == ("ignored", "human_has_it")
    assert (opened.world.conversations.keys, model.asked) == ([], ["Classification"])


async def test_message_of_both_is_answered_and_reminds_the_person() -> None:
    """The one question's answer leaves, and the hand-off of the part is needed again."""
    body = f"{NEWS} {FIX}"
    both = (asked("technical", NEWS, new=False), asked("technical", FIX, new=True))
    done, (opened, _) = await written(body, *both, answers=(reply(claim("q2")),))
    assert done["outcome"] == "answered"
    assert SAID in done["reply"]["text"]
    assert f'look at your question "{NEWS}"' in done["reply"]["text"]
    [key] = opened.world.conversations.handoffs
    assert key.endswith(":technical")
    [step] = done["plan"]["steps"]
    assert (step["args"]["questions"], step["args"]["skill"]) == ([NEWS], "technical")


async def test_message_of_both_that_nothing_answers_goes_to_a_person_whole() -> None:
    """The sentence about the one question does not pass for a word about the other."""
    both = (asked("technical", NEWS, new=False), asked("technical", GIFTS, new=True))
    answers = (reply(unanswered=["q2"]),)
    done, (opened, _) = await written(f"{NEWS} {GIFTS}", *both, answers=answers)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_valid_reply")
    assert len(opened.world.conversations.handoffs) == 2


async def test_what_nothing_answers_is_left_to_the_part_s_person() -> None:
    """They see the message; the customer gets no second holding reply."""
    answers = (reply(unanswered=["q1"]),)
    done, (opened, _) = await written(GIFTS, asked("technical", GIFTS, new=True), answers=answers)
    assert (done["outcome"], done["ignored"]) == ("ignored", "human_has_it")
    assert (opened.world.conversations.keys, done["handoff"]) == ([], None)


async def test_model_is_shown_what_a_person_has() -> None:
    """As data beside the memory; it says of each question whether it is new."""
    answers = (reply(claim("q1")),)
    _, (_, model) = await written(FIX, asked("technical", FIX, new=True), answers=answers)
    assert HELD["text"] in model.heard[0][1]


def test_part_whose_questions_are_not_known_is_held_whole() -> None:
    """An open hand-off of an older release names none."""
    question: Question = {
        "id": "q1", "intent": "technical", "text": FIX, "queries": [], "new": True,
    }  # fmt: skip
    assert marked([question], view(parts=("technical",)))[0]["held"]
    assert "held" not in marked([question], view(parts=("billing",)))[0]
    assert "held" not in marked([question], None)[0]


OTHERS = "And may I interview your CEO?"


@pytest.mark.parametrize("known", [True, False])
async def test_what_no_specialist_fits_goes_to_a_person_alone(*, known: bool) -> None:
    """The parts that are safe are answered, if the ticket names what is not ours."""
    questions = [asked("technical", FIX), *([asked("escalate", OTHERS)] if known else [])]
    triage = opinion(intents=["technical", "escalate"], questions=questions)
    opened, model = opened_with(reply(claim("q1")), triage=triage)
    done = await opened.start(f"{FIX} {OTHERS}")
    if not known:
        assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "not_ours")
        return
    assert (done["outcome"], done["escalation"]) == ("answered", None)
    assert done["reply"]["text"].startswith(f"Hello,\n\n{SAID}")
    assert OTHERS in done["reply"]["text"]
    [step] = done["plan"]["steps"]
    assert (step["args"]["part"], step["args"]["skill"]) == ("escalate", "general")
    assert f'"text": "{OTHERS}"' not in dict(model.heard)["Reply"]


async def test_alarm_beside_a_safe_part_sends_all_of_it_to_a_person() -> None:
    """Whatever the model calls the rest."""
    grave = "A colleague writes that he wants to kill himself."
    questions = [asked("technical", FIX), asked("escalate", grave)]
    triage = opinion(intents=["technical", "escalate"], questions=questions)
    opened, model = opened_with(triage=triage)
    done = await opened.start(f"{FIX} {grave}")
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "alarm")
    assert model.asked == ["Classification"]
    assert opened.world.context.policy == Policy()
