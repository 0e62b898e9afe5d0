"""respond: draft the reply from findings and results. Holds no grants."""

from typing import Annotated

from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field

from graphs.ask import ask
from graphs.context import SupportContext
from graphs.facts import Facts, reply_facts
from graphs.grounding import visible
from graphs.instructions import reply_instructions
from graphs.state import SupportState
from tools.models import JsonObject


class Reply(BaseModel):
    """The model's draft."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=5000)]
    citations: list[str]


async def respond(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """One draft from the strong model; `check` decides whether it may leave."""
    facts = reply_facts(state)
    instructions = reply_instructions(state["run_id"])
    draft = await ask(runtime, "strong", Reply, instructions, state["ticket"], facts)
    text = visible(draft.text).strip()
    told = [text, *handed_lines(facts)] if text else []
    cited = list(dict.fromkeys(draft.citations))
    return {
        "draft": {"text": "\n\n".join(told), "citations": cited},
        "drafts": state["drafts"] + 1,
    }


def handed_lines(facts: Facts) -> list[str]:
    """What the reply says of each part that went to a person; code says it, not the model."""
    return [
        f"{part['who'] or 'A colleague'} will look at your {part['part']} question and answer here."
        for part in facts["handed_over"]
    ]
