"""A configured model that does not answer: a person, or a run that waits, and never a guess."""

from typing import Any

import pytest
from langgraph.types import RetryPolicy

from app.models.offline.chat_model import OfflineChatModel
from graphs.context import Models
from graphs.llm.ask import is_retryable
from graphs.llm.errors import ModelAwaitedError, ModelGoneError, ModelUnavailableError
from graphs.policy import Policy
from tests.fakes import ScriptedModel
from tests.unit.desk import E42, Desk, desk

DOWN = ModelUnavailableError("503")
BROKEN = "no JSON"


def without(line: Any, *questions: str, **policy: Any) -> Desk:
    """A desk whose configured model fails at those questions; an article would answer exactly."""
    opened = desk("cus_eva", "upload-error-e42")
    model = ScriptedModel(script={question: [line] for question in questions})
    opened.world.models = Models(model, model, OfflineChatModel())
    opened.world.policy = Policy(**policy)
    for node in opened.builder.nodes.values():
        if isinstance(node.retry_policy, RetryPolicy):
            node.retry_policy = node.retry_policy._replace(initial_interval=0.0)
    opened.compile()
    return opened


@pytest.mark.parametrize("line", [DOWN, BROKEN])
@pytest.mark.parametrize("question", ["Classification", "Reply"])
async def test_person_takes_over_with_a_suggestion(line: Any, question: str) -> None:
    """The offline model, which knows the exact answer, does not send it in the model's place."""
    opened = without(line, question)
    done = await opened.start(E42)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_model")
    assert done["handoff"]["suggestion"]["citations"] == ["upload-error-e42"]
    assert "Error E42 means" in done["handoff"]["suggestion"]["text"]
    assert "Error E42 means" not in done["reply"]["text"]


@pytest.mark.parametrize("line", [DOWN, BROKEN])
@pytest.mark.parametrize("question", ["Classification", "Reply"])
async def test_run_waits_where_the_policy_says_so(line: Any, question: str) -> None:
    """No hand-off and no reply, and the run goes on from there once a model answers."""
    opened = without(line, question, without_model="wait")
    with pytest.raises(ModelAwaitedError):
        await opened.start(E42)
    assert opened.world.conversations.keys == []
    opened.world.models = Models(*[OfflineChatModel()] * 3)
    done = await opened.advance(None)
    assert done["outcome"] == "answered"


async def test_second_provider_still_answers() -> None:
    """Only the model in this process is no stand-in."""
    opened = without(DOWN, "Classification", "Reply", grounding="quotes")
    models = opened.world.models
    second = ScriptedModel()
    opened.world.models = Models(models.fast, models.strong, OfflineChatModel(), second)
    done = await opened.start(E42)
    assert (done["outcome"], done["tier"]) == ("answered", "fallback")
    assert set(second.asked) == {"Classification", "Reply"}


def test_neither_is_tried_again_at_once() -> None:
    """The node's retries are over, or the run waits in the queue."""
    assert not is_retryable(ModelGoneError("x"))
    assert not is_retryable(ModelAwaitedError("x"))
