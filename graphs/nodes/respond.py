"""respond: draft the reply from findings and results. Holds no grants."""

from collections.abc import Sequence
from typing import Annotated

from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field

from graphs.context import SupportContext
from graphs.llm.ask import ask_model
from graphs.llm.routing import tier_of
from graphs.reply.checks.draft_case import without_sentences
from graphs.reply.facts import reply_facts
from graphs.reply.instructions import reply_instructions
from graphs.state import SupportState
from graphs.text.tokens import visible
from tools.models import JsonObject

# Within the node's 90 s, with time for the fallback: a long draft is the slowest answer there is.
DRAFT_SECONDS = 80.0


class Reply(BaseModel):
    """The model's draft."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=5000)]
    citations: list[str]


async def respond(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """One draft by the model that the ticket is worth; `check` decides whether it may leave."""
    ticket, facts = state["ticket"], reply_facts(state)
    role = tier_of(ticket, state["triage"], state["findings"], state["plan"], state["drafts"])
    instructions = reply_instructions(state["run_id"])
    # Beside the facts, never among them: `check` holds the draft to `reply_facts` alone.
    known = {**facts, "memory": state.get("memory")}
    written = await ask_model(
        runtime, role, Reply, instructions, ticket, known, seconds=DRAFT_SECONDS
    )
    text = visible(written.value.text).strip()
    cited = list(dict.fromkeys(written.value.citations))
    return {
        "draft": {"text": with_sentences(text, facts["sentences"]), "citations": cited},
        "drafts": state["drafts"] + 1,
        "tier": written.tier,
        # Also when a recalled draft was refused: this one was paid for.
        "cache_hit": False,
    }


def with_sentences(text: str, sentences: Sequence[str]) -> str:
    """The model's text, and below it what code says itself unless it was copied word for word.

    A text that answers nothing stays empty.
    """
    if not text:
        return text
    _, missing = without_sentences(text, sentences)
    return "\n\n".join([text, *(sentence for sentence in sentences if sentence in missing)])
