"""The offline chat model: the same answer for the same question, no network, no key.

It answers the questions that the workflow asks, by transparent rules, and says so when it is
not sure: then the workflow brings a person.
"""

import json
from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from app.models.offline.billing import propose
from app.models.offline.reply import compose
from app.models.offline.summary import extract
from app.models.offline.triage import triage
from app.models.offline.wishes import mailing
from graphs.conversation_summary import Summary
from graphs.llm.structured_chat import StructuredChat
from graphs.nodes.billing import Proposal
from graphs.nodes.classify import Classification
from graphs.nodes.general import Mailing
from graphs.nodes.respond import Reply
from graphs.policy import OFFLINE
from graphs.state import Ticket

ANSWERS: dict[str, Callable[[Ticket, dict[str, Any]], BaseModel]] = {
    Classification.__name__: triage,
    Proposal.__name__: propose,
    Mailing.__name__: mailing,
    Reply.__name__: compose,
    Summary.__name__: extract,
}


class OfflineChatModel(BaseChatModel):
    """A chat model whose whole knowledge is a few rules; see the `offline_*` modules."""

    model_name: str = OFFLINE

    @property
    def _llm_type(self) -> str:
        return OFFLINE

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        return {**params, "ls_provider": OFFLINE, "ls_model_name": OFFLINE}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = AIMessage(
            self._text(kwargs["question"], messages),
            response_metadata={"model_name": OFFLINE},
            usage_metadata={"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _text(self, question: str, messages: list[BaseMessage]) -> str:
        facts, ticket = (json.loads(str(message.content)) for message in messages[-2:])
        return ANSWERS[question](ticket["ticket"], facts["facts"]).model_dump_json()

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **_kwargs: Any
    ) -> Runnable[Any, Any]:
        """Answer the question that `schema` names, in that shape."""

        def parse(message: AIMessage) -> Any:
            parsed = schema.model_validate_json(str(message.content))
            full = {"raw": message, "parsed": parsed, "parsing_error": None}
            return full if include_raw else parsed

        return StructuredChat(self, parse, question=schema.__name__)
