"""respond: draft the reply from findings and results. Holds no grants."""

from typing import Annotated

from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field

from graphs.context import SupportContext
from graphs.llm.ask import ask_model
from graphs.llm.routing import tier_of
from graphs.reply.facts import Facts, reply_facts
from graphs.reply.instructions import reply_instructions
from graphs.state import SupportState
from graphs.text.phrases import phrase
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
    ticket, triage, facts = state["ticket"], state["triage"], reply_facts(state)
    role = tier_of(ticket, triage, state["findings"], state["plan"], state["drafts"])
    instructions = reply_instructions(state["run_id"])
    # Beside the facts, never among them: `check` holds the draft to `reply_facts` alone.
    known = {**facts, "memory": state.get("memory")}
    written = await ask_model(
        runtime, role, Reply, instructions, ticket, known, seconds=DRAFT_SECONDS
    )
    text = visible(written.value.text).strip()
    told = [text, *added_lines(facts, triage["language"] if triage else None)] if text else []
    cited = list(dict.fromkeys(written.value.citations))
    return {
        "draft": {"text": "\n\n".join(told), "citations": cited},
        "drafts": state["drafts"] + 1,
        "tier": written.tier,
        # Also when a recalled draft was refused: this one was paid for.
        "cache_hit": False,
    }


def added_lines(facts: Facts, language: str | None) -> list[str]:
    """What was not done, and which parts went to a person; code says it, not the model."""
    undone = [phrase("undone", language, about=", ".join(facts["undone"]))]
    handed = [part["told"] for part in facts["handed_over"]]
    return [*undone, *handed] if facts["undone"] else handed
