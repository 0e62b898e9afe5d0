"""What of a refused draft may leave: the answers to the questions that it answers well.

Nothing passes here that a whole draft could not: what is left must meet every rule by itself. Pure
functions.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from graphs.questions import asked_questions, unsettled
from graphs.reply.assemble import assembled
from graphs.reply.names import reply_language
from graphs.reply.problems import problems
from graphs.state import SPECIALISTS, Claim, DoneStep, Draft, Objection, Question, SupportState
from tools.catalog import kind_of
from tools.helpdesk import HANDOFF, HandoffArgs

# A draft that leaks is a sign of a model that obeys another: nothing of it leaves.
LEAKS = frozenset({"personal_data", "secrets", "prompt"})


class PartialAnswer(NamedTuple):
    """The draft without what was refused, and the questions that a person must answer."""

    draft: Draft
    open: list[Question]


def partial_answer(
    state: SupportState, draft: Draft, found: Collection[Objection]
) -> PartialAnswer | None:
    """What may leave of a draft that broke the rules `found`; None: all of it is a person's.

    Some question must end otherwise than with a person: answered, acted on or asked back.
    """
    if not state["plan"] or "claims" not in draft or LEAKS & {o["rule"] for o in found}:
        return None
    asked, left = asked_questions(state), unsettled(state, draft.get("unanswered", []))
    tried = [question for question in asked if question not in left]
    answered = {q["id"] for q in tried if is_answered(state, draft, q["id"])}
    open_ = unsettled(state, [q["id"] for q in asked if q["id"] not in answered])
    if not (answered or is_acted_on(state)) or len(open_) == len(asked):
        return None
    reduced = with_claims(state, draft, (c for c in draft["claims"] if c["question"] in answered))
    parts = {question["intent"] for question in open_}
    # A part is handed over once in a run: more of it is all of the ticket.
    if parts & {step["args"].get("part") for step in state["effects"]}:
        return None
    if not parts <= set(SPECIALISTS) or problems(handed(state, parts), reduced, edited=False):
        return None
    return PartialAnswer(reduced, open_)


def is_answered(state: SupportState, draft: Draft, question: str) -> bool:
    """Whether the draft answers the question, and no rule speaks against these claims alone."""
    claims = [claim for claim in draft.get("claims", []) if claim["question"] == question]
    alone = with_claims(state, draft, claims)
    return bool(claims) and not problems(handed(state, SPECIALISTS), alone, edited=False)


def is_acted_on(state: SupportState) -> bool:
    """Whether code itself says something in this reply that is no hand-off."""
    done = any(kind_of(step["tool"]) == "action" for step in state["effects"])
    return done or bool(state.get("asked_back"))


def with_claims(state: SupportState, draft: Draft, claims: Iterable[Claim]) -> Draft:
    """The draft with these claims alone."""
    kept = list(claims)
    cited = [q["id"] for claim in kept for q in claim["evidence"] if q["kind"] == "article"]
    text = assembled(
        kept, language=reply_language(state), customer_name=state["ticket"]["customer_name"]
    )
    return {
        **draft,
        "text": text,
        "citations": list(dict.fromkeys(cited)),
        "claims": kept,
        "unanswered": [],
    }


def handed(state: SupportState, parts: Iterable[str]) -> SupportState:
    """The state as it will be when a person has these parts."""
    given: list[DoneStep] = []
    for part in parts:
        args = HandoffArgs(skill=part, urgency="normal", summary=part, part=part)
        given.append(
            {
                "step_id": part,
                "tool": HANDOFF.name,
                "args": args.model_dump(mode="json"),
                "result": {**HANDOFF.simulate(args)},
            }
        )
    return {**state, "effects": [*state["effects"], *given]}
