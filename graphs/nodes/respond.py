"""respond: draft the reply as claims, each with its evidence. Holds no grants."""

from collections.abc import Iterable
from typing import Annotated

from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field

from graphs.context import ModelAnswer, SupportContext
from graphs.llm.ask import ask_model
from graphs.llm.routing import tier_of
from graphs.questions import asked_questions, is_a_persons
from graphs.reply.assemble import assembled
from graphs.reply.facts import Facts, reply_facts
from graphs.reply.instructions import reply_instructions
from graphs.reply.names import reply_language
from graphs.reply.said_by_code import said_by_code
from graphs.reply.sources import sources
from graphs.run.memory import read_memory
from graphs.state import Claim, Draft, EvidenceKind, Grounding, SupportState
from graphs.text.tokens import visible
from tools.models import JsonObject

# Within the node's 90 s, with time for the fallback: a long draft is the slowest answer there is.
DRAFT_SECONDS = 80.0
MAX_CLAIMS, MAX_EVIDENCE = 20, 8
# What the model sees of the facts; articles, payments and effects are among the sources.
SHOWN = ("handed_over", "undone", "objections", "guidance")


class CitedQuote(BaseModel):
    """Whole sentences of a source, word for word."""

    model_config = ConfigDict(extra="forbid")

    kind: EvidenceKind
    id: str
    quote: Annotated[str, Field(max_length=5000)]


class Statement(BaseModel):
    """What the reply says about one question, and what shows it."""

    model_config = ConfigDict(extra="forbid")

    question: str
    text: Annotated[str, Field(max_length=5000)]
    evidence: Annotated[list[CitedQuote], Field(max_length=MAX_EVIDENCE)]


class Reply(BaseModel):
    """The model's draft, and the questions that its sources do not answer."""

    model_config = ConfigDict(extra="forbid")

    claims: Annotated[list[Statement], Field(max_length=MAX_CLAIMS)]
    unanswered: Annotated[list[str], Field(max_length=MAX_CLAIMS)]


async def respond(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """One draft by the model that the ticket is worth; `check` decides whether it may leave."""
    ticket, questions = state["ticket"], asked_questions(state)
    facts = reply_facts({**state, "questions": questions})
    role = tier_of(ticket, state["triage"], state["findings"], state["plan"], state["drafts"])
    written = await ask_model(
        runtime,
        role,
        Reply,
        reply_instructions(state["run_id"]),
        ticket,
        # Memory beside the facts, never among them: `check` holds the draft to `reply_facts` alone.
        {
            **shown_facts(facts),
            "questions": [
                {"id": q["id"], "intent": q["intent"], "text": q["text"]}
                for q in questions
                if not is_a_persons(q)
            ],
            "sources": sources(state),
            "sentences": said_by_code(state),
            "memory": read_memory(state),
        },
        seconds=DRAFT_SECONDS,
    )
    return {
        "draft": drafted(state, written, runtime.context.grounding),
        "questions": questions,
        "verdicts": [],
        "drafts": state["drafts"] + 1,
        "tier": written.tier,
        # Also when a recalled draft was refused: this one was paid for.
        "cache_hit": False,
    }


def shown_facts(facts: Facts) -> JsonObject:
    """The facts as the model gets them, nothing twice."""
    return {name: facts[name] for name in SHOWN}  # type: ignore[literal-required]


def drafted(state: SupportState, written: ModelAnswer[Reply], grounding: Grounding) -> Draft:
    """The draft that the claims make; one by the rules of this process holds whole quotes alone."""
    claims = kept_claims(written.value.claims)
    name, language = state["ticket"]["customer_name"], reply_language(state)
    # What code says is appended when the reply leaves; then a greeting is enough above it.
    text = assembled(claims, language=language, customer_name=name, sentences=())
    if not (claims or said_by_code(state)):
        text = ""
    cited = [q["id"] for claim in claims for q in claim["evidence"] if q["kind"] == "article"]
    return {
        "text": text,
        "citations": list(dict.fromkeys(cited)),
        "claims": claims,
        "unanswered": written.value.unanswered,
        "grounding": "quotes" if written.local else grounding,
    }


def kept_claims(statements: Iterable[Statement]) -> list[Claim]:
    """The claims that say something, as a reader sees them."""
    said: list[Claim] = [
        {
            "question": statement.question,
            "text": visible(statement.text).strip(),
            "evidence": [
                {"kind": quote.kind, "id": quote.id, "quote": visible(quote.quote).strip()}
                for quote in statement.evidence
            ],
        }
        for statement in statements
    ]
    return [claim for claim in said if claim["text"]]
