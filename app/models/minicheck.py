"""The verifier's other wire: a small model that answers one pair of texts with yes or no.

Source: Tang, Laban and Durrett, "MiniCheck: Efficient Fact-Checking of LLMs on Grounding
Documents", 2024 (arXiv 2404.10774); docs.bespokelabs.ai/minicheck. Ollama serves the 7B model as
`bespoke-minicheck`, vLLM as `bespokelabs/Bespoke-MiniCheck-7B`; neither knows JSON schemas.
"""

import json
import re
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable

from app.models.openai_chat import ModelServerError, OpenAIChatModel
from graphs.llm.structured_chat import StructuredChat

# The instruction that the model was trained with; it knows no other.
INSTRUCTION = (
    "Determine whether the provided claim is consistent with the corresponding document. "
    "Consistency in this context implies that all information presented in the claim is "
    "substantiated by the document. If not, it should be considered inconsistent. Please assess "
    'the claim\'s consistency with the document by responding with either "Yes" or "No".'
)
ANSWER = re.compile(r"(yes|no)\b", re.IGNORECASE)


class MiniCheckModel(OpenAIChatModel):
    """Asks the one question that the model knows, and reads its yes or no as a `Support`."""

    def with_structured_output(
        self, schema: Any = None, *, include_raw: bool = False, **_kwargs: Any
    ) -> Runnable[Any, Any]:
        """Ask whether the document of the facts supports their claim; `schema` is `Support`."""

        def read(message: AIMessage) -> Any:
            answer = ANSWER.match(str(message.content).lstrip())
            problem = None if answer else "answer: neither yes nor no"
            if include_raw:
                parsed = supported(schema, answer)
                return {"raw": message, "parsed": parsed, "parsing_error": problem}
            if problem:
                raise ModelServerError(problem)
            return supported(schema, answer)

        return StructuredChat(self, read, pair)


def supported(schema: Any, answer: re.Match[str] | None) -> Any:
    """The verdict in the shape asked for; a bare "No" gives no reason."""
    if answer is None:
        return None
    yes = answer[1].lower() == "yes"
    return schema(supported=yes, reason="" if yes else "The verifier says no.")


def pair(messages: list[BaseMessage]) -> list[BaseMessage]:
    """The question's facts as the document and the claim; the question is read with the claim.

    A claim such as "Yes, with the desktop app." says nothing without it.
    """
    facts = json.loads(str(messages[1].content))["facts"]
    document = "\n\n".join(
        "\n".join(filter(None, (piece["title"], piece["quote"]))) for piece in facts["evidence"]
    )
    question = " ".join(facts["question"].split())
    claim = f'The answer to "{question}" is: {facts["claim"]}' if question else facts["claim"]
    return [SystemMessage(INSTRUCTION), HumanMessage(f"Document: {document}\nClaim: {claim}")]
