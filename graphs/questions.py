"""The questions of a ticket: what the customer asks, each to be answered, done or handed over."""

from collections import Counter
from collections.abc import Collection, Sequence

from graphs.state import Intent, Question, Specialist, SupportState, Ticket
from graphs.ticket_parts import places

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


def whole_text(ticket: Ticket) -> str:
    """All that the customer wrote."""
    return "\n".join(part for part in (ticket["subject"], ticket["body"]) if part.strip()).strip()


def asked_questions(state: SupportState) -> list[Question]:
    """The run's questions; a run that an older release began asks one for each intent."""
    if known := state.get("questions"):
        return known
    triage = state.get("triage")
    whole = (
        [whole_question(intent, state["ticket"]) for intent in triage["intents"]] if triage else []
    )
    return [{**question, "id": f"q{n}"} for n, question in enumerate(whole, 1)]


def unsettled(state: SupportState, ids: Collection[str]) -> list[Question]:
    """Those of the questions that nothing settles which code itself says in the reply.

    That is a hand-off of their part, a question back, or a step of their specialist, done or
    dropped by a reviewer: each step settles one question, since code says what became of it.
    """
    back = {asked["question"] for asked in state.get("asked_back", [])}
    handed = {step["args"].get("part") for step in state["effects"]}
    said = Counter({name: len(found["steps"]) for name, found in state["findings"].items()})
    left = []
    for question in asked_questions(state):
        if question["id"] not in ids or question["id"] in back or question["intent"] in handed:
            continue
        said[question["intent"]] -= 1
        if said[question["intent"]] < 0:
            left.append(question)
    return left


def may_ask_back(state: SupportState, specialist: Specialist) -> bool:
    """Whether the customer may be asked about this part: once a thread, then a person goes on."""
    return specialist not in state.get("asked_once", [])


def queries_for(state: SupportState, specialist: Specialist) -> list[str]:
    """What the model would search for, for this specialist's questions."""
    asked = [q for q in asked_questions(state) if q["intent"] == specialist]
    return list(dict.fromkeys(query for question in asked for query in question["queries"]))
