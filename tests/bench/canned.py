"""A chat model without work: one fitting answer to each question, made once, at no price.

What the support graph costs with it is what the service costs, and not what a model does. It is
asked in the event loop, as one over the network is; one in this process answers in a thread.
"""

from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from pydantic import BaseModel

from app.models.offline.chat_model import OfflineChatModel
from graphs.context import Models
from graphs.conversation_summary import Summary
from graphs.llm.pool import ModelPool, open_pool
from graphs.nodes.classify import Classification
from graphs.nodes.respond import CitedQuote, Reply, Statement
from graphs.nodes.verify import Support

# A symptom that the demo's articles know; the number keeps the answer cache out of it.
QUESTION = "My upload fails with error E42 on machine {}. How do I fix it? "

MEANING = (
    "Error E42 means that your upload is larger than the storage your workspace has left, "
    "or that the browser lost the upload session before the file was complete."
)
ANSWERS: dict[str, BaseModel] = {
    Classification.__name__: Classification(
        intents=["technical"],
        questions=[],
        urgency="normal",
        anger=0.0,
        language="en",
        wants_human=False,
        confidence=1.0,
        nothing_asked=False,
    ),
    # Word for word from the article, so that `check` lets it leave.
    Reply.__name__: Reply(
        claims=[
            Statement(
                question="q1",
                text=MEANING,
                evidence=[CitedQuote(kind="article", id="upload-error-e42", quote=MEANING)],
            )
        ],
        unanswered=[],
    ),
    Support.__name__: Support(supported=True, reason=""),
    Summary.__name__: Summary(text="An upload failed."),
}
TEXTS = {question: answer.model_dump_json() for question, answer in ANSWERS.items()}


class CannedChatModel(OfflineChatModel):
    """Looks at nothing but the name of the question."""

    def _text(self, question: str, messages: list[BaseMessage]) -> str:
        return TEXTS[question]

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **kwargs: Any) -> ChatResult:
        return self._generate(messages, question=kwargs["question"])


def canned_pool() -> ModelPool:
    """Asked as a model far away is: with a circuit, a slot and the meter."""
    canned = CannedChatModel()
    return open_pool(Models(fast=canned, strong=canned, fallback=OfflineChatModel()))
