"""Triage by the tenant's own trained model and the offline rules: which tickets it may decide."""

import re
from typing import NamedTuple

from app.models.offline.triage import SURE, triage
from app.models.offline.wishes import ASKED
from graphs.nodes.classify import Classification
from graphs.state import Intent, Ticket, TrainedTriage
from graphs.text.bounds import READ_CHARS
from graphs.ticket_parts import clauses
from graphs.trained.figures import Bucket, accuracy_at
from graphs.trained.model import LinearModel
from tools.language_tags import UNDETERMINED

# A longer ticket may hold more than one matter, whatever its sentences look like.
SHORT_CHARS = 300
# A clause of fewer words greets or thanks.
CLAUSE_WORDS = 3
WORD = re.compile(r"\w+")
# Their specialists search articles, so an exact answer is found there as well.
SEARCHING: frozenset[Intent] = frozenset({"technical", "general"})


class TrainedModel(NamedTuple):
    """A tenant's model as it is stored, with what was measured of it.

    `routes` is the lower bound of what was right from `threshold` on.
    """

    version: int
    linear: LinearModel
    threshold: float | None
    buckets: list[Bucket]
    routes: float


def before_a_model(
    ticket: Ticket, model: TrainedModel, min_accuracy: float
) -> tuple[Classification, TrainedTriage] | None:
    """The triage of one short, calm question, if the model is good enough at such; else None.

    Code cannot find the questions of a longer text, nor hear what is between its lines: all that
    is left to a model that reads.
    """
    if not short(ticket):
        return None
    base = triage(ticket, {})
    if not one_calm_matter(ticket, base):
        return None
    intent, confidence = model.linear.read(read_of(ticket))
    accuracy = accuracy_at(model.buckets, confidence)
    if accuracy < min_accuracy:
        return None
    return _routed(base, intent, accuracy, model.version)


def without_a_model(
    ticket: Ticket, model: TrainedModel, min_confidence: float
) -> tuple[Classification, TrainedTriage] | None:
    """The offline triage with what the model adds: an intent for what no rule is certain of.

    A question stays with `general` where another specialist would not search for the article that
    answers it exactly; the model then only names whose queue its hand-off joins.
    """
    base = triage(ticket, {})
    if base.intents != ["general"] or model.threshold is None:
        return None
    intent, confidence = model.linear.read(read_of(ticket))
    if confidence < model.threshold or model.routes < max(min_confidence, SURE["general"]):
        return None
    if intent in SEARCHING or not is_question(ticket):
        return _routed(base, intent, model.routes, model.version)
    return base, _tag(model.version, intent, model.routes, routed=False)


def read_of(ticket: Ticket) -> str:
    """What the model reads of a ticket, as in training."""
    return f"{ticket['subject']}\n{ticket['body']}".strip()


def short(ticket: Ticket) -> bool:
    """Whether the ticket has one clause that says something, and little text."""
    text = read_of(ticket)
    if len(text) > SHORT_CHARS:
        return False
    said = [one for one in clauses(ticket["body"]) if len(WORD.findall(one)) >= CLAUSE_WORDS]
    return len(said) == 1


def one_calm_matter(ticket: Ticket, base: Classification) -> bool:
    """Whether the rules see nothing in it that a model should judge."""
    calm = not base.anger and not base.wants_human and base.urgency in ("normal", "low")
    plain = not base.nothing_asked and base.intents != ["billing"] and len(base.questions) == 1
    known = bool(ticket["language"]) or base.language != UNDETERMINED
    return calm and plain and known


def is_question(ticket: Ticket) -> bool:
    """Whether it asks something, as far as signs and words show that."""
    text = read_of(ticket)[:READ_CHARS]
    return "?" in text or "？" in text or ASKED.search(text) is not None


def _routed(
    base: Classification, intent: Intent, accuracy: float, version: int
) -> tuple[Classification, TrainedTriage]:
    asked = [question.model_copy(update={"intent": intent}) for question in base.questions]
    changed = {"intents": [intent], "questions": asked, "confidence": accuracy}
    return base.model_copy(update=changed), _tag(version, intent, accuracy, routed=True)


def _tag(version: int, intent: Intent, accuracy: float, *, routed: bool) -> TrainedTriage:
    return {"version": version, "intent": intent, "accuracy": accuracy, "routed": routed}
