"""The questions of a ticket: what the customer asks, each to be answered, done or handed over."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from typing_extensions import TypedDict

from graphs.state import Intent, Question, Specialist, SupportState, Ticket
from graphs.ticket_parts import places
from tools.helpdesk import QUESTION_CHARS
from tools.models import JsonObject

QUERY_CHARS = 200


def question_in(ticket: Ticket, intent: Intent, text: str, queries: Sequence[str]) -> Question:
    """A question by its words, if the ticket holds them; else the whole ticket asks it."""
    said = text.strip()
    [in_subject], [in_body] = places([said], ticket["subject"]), places([said], ticket["body"])
    wanted = [query.strip()[:QUERY_CHARS] for query in queries if query.strip()]
    if not (in_subject or in_body):
        said = whole_text(ticket)
    return {"id": "q1", "intent": intent, "text": said, "queries": list(dict.fromkeys(wanted))}


def whole_question(intent: Intent, ticket: Ticket) -> Question:
    """The one question of a ticket whose every word may ask it."""
    return {"id": "q1", "intent": intent, "text": whole_text(ticket), "queries": []}


def is_unnamed(question: Question, ticket: Ticket) -> bool:
    """Whether the question is no specialist's, and no words of its own in the ticket ask it."""
    return question["intent"] == "escalate" and question["text"] == whole_text(ticket)


def is_a_persons(question: Question) -> bool:
    """Whether no draft need answer the question: a person has it, or no specialist fits it."""
    return question["intent"] == "escalate" or question.get("held", False)


def whole_text(ticket: Ticket) -> str:
    """All that the customer wrote."""
    return "\n".join(part for part in (ticket["subject"], ticket["body"]) if part.strip()).strip()


def asked_questions(state: SupportState) -> list[Question]:
    """The run's questions; a run that an older release began asks one for each part."""
    if known := state.get("questions"):
        return known
    if (triage := state.get("triage")) is None:
        return []
    parts: Mapping[str, str] = dict(triage["parts"].items())
    return [
        {
            "id": f"q{n}",
            "intent": intent,
            "text": parts.get(intent) or whole_text(state["ticket"]),
            "queries": [],
        }
        for n, intent in enumerate(triage["intents"], 1)
    ]


class Settled(TypedDict):
    """What code itself says in the reply: by question, and by the number of steps of a part.

    Each step of a specialist, done or dropped by a reviewer, settles one question of its part.
    """

    questions: list[str]
    steps: dict[str, int]


def settled(state: SupportState) -> Settled:
    """The questions that were asked back or handed over, and the steps that code words."""
    back = {asked["question"] for asked in state.get("asked_back", [])}
    handed = [step["args"] for step in state["effects"]]
    return {
        "questions": [
            question["id"]
            for question in asked_questions(state)
            if question["id"] in back or any(is_handed(question, args) for args in handed)
        ],
        "steps": {name: len(found["steps"]) for name, found in state["findings"].items()},
    }


def is_handed(question: Question, args: JsonObject) -> bool:
    """Whether a hand-off of these arguments gave the question to a person.

    One that names no questions gave all of its part.
    """
    if args.get("part") != question["intent"]:
        return False
    named = args.get("questions")
    return not named or handed_text(question) in named


def handed_text(question: Question) -> str:
    """The customer's words as a hand-off keeps them."""
    return question["text"].strip()[:QUESTION_CHARS]


def left_open(known: Settled, asked: Iterable[tuple[str, str]]) -> list[str]:
    """Of the unanswered questions, as id and part, those that code does not settle either."""
    steps = Counter(known["steps"])
    left = []
    for id_, part in asked:
        if id_ in known["questions"]:
            continue
        steps[part] -= 1
        if steps[part] < 0:
            left.append(id_)
    return left


def unsettled(state: SupportState, ids: Collection[str]) -> list[Question]:
    """Those of the questions that nothing settles which code itself says in the reply."""
    asked = [question for question in asked_questions(state) if question["id"] in ids]
    left = left_open(settled(state), [(question["id"], question["intent"]) for question in asked])
    return [question for question in asked if question["id"] in left]


def may_ask_back(state: SupportState, specialist: Specialist) -> bool:
    """Whether the customer may be asked about this part: once a thread, then a person goes on."""
    return specialist not in state.get("asked_once", [])


def queries_for(state: SupportState, specialist: Specialist) -> list[str]:
    """What the model would search for, for this specialist's questions."""
    asked = [q for q in asked_questions(state) if q["intent"] == specialist]
    return list(dict.fromkeys(query for question in asked for query in question["queries"]))
