"""A chat model that answers in one shape, without the layers of a chain around its call."""

from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

Messages = list[BaseMessage]


class StructuredChat(Runnable[Messages, Any]):
    """One call of a model, and what is read in its answer.

    As a `RunnableSequence` of a bound model and a parser each call would have three runs with
    callbacks of their own, and a plain function as the parser would run in a thread.
    """

    def __init__(
        self,
        chat: BaseChatModel,
        read: Callable[[AIMessage], Any],
        put: Callable[[Messages], Messages] = lambda messages: messages,
        **asked: Any,
    ) -> None:
        """`put` words the question as the model wants it; `asked` goes with each call."""
        self._chat, self._read, self._put, self._asked = chat, read, put, asked

    def invoke(
        self,
        input: Messages,  # noqa: A002  # as Runnable names it
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> Any:
        """Ask, and wait. Raises what the model raises, and what reading its answer does."""
        return self._read(self._chat.invoke(self._put(input), config, **self._asked))

    async def ainvoke(
        self,
        input: Messages,  # noqa: A002  # as Runnable names it
        config: RunnableConfig | None = None,
        **_: Any,
    ) -> Any:
        """Ask. Raises the same."""
        return self._read(await self._chat.ainvoke(self._put(input), config, **self._asked))
