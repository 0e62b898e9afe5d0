"""The wire of MiniCheck models: one document, one claim, yes or no."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import SecretStr

from app.models.minicheck import INSTRUCTION, MiniCheckModel, pair
from app.models.openai import build_models
from app.models.openai_chat import OpenAIChatModel
from app.settings import Settings
from graphs.context import ModelAnswer, Question
from graphs.llm.errors import ModelOutputError
from graphs.llm.gateway import open_gateway
from graphs.llm.pool import open_pool
from graphs.nodes.verify import PROMPT, Support
from tests.doubles.openai_double import OpenAIDouble
from tests.doubles.server import serving
from tests.fakes import FakeMeter

FACTS = {
    "question": "Can I work\noffline?",
    "claim": "Yes, with the desktop app.",
    "evidence": [
        {"title": "Offline mode", "quote": "The desktop app works without a connection."},
        {"title": "", "quote": "It syncs later."},
    ],
}
MESSAGES = [SystemMessage(PROMPT), HumanMessage(json.dumps({"facts": FACTS}))]
ASKED = """Document: Offline mode
The desktop app works without a connection.

It syncs later.
Claim: The answer to "Can I work offline?" is: Yes, with the desktop app."""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, OpenAIDouble]]:
    """A server that answers as a MiniCheck model does."""
    double = OpenAIDouble()
    with serving(double.app) as url:
        yield f"{url}/v1", double


def settings(url: str | None = None, **known: Any) -> Settings:
    """Settings with a drafting model and a verifier of its own."""
    return Settings(
        _env_file=None,
        openai_api_key=SecretStr("key"),
        openai_base_url="http://127.0.0.1:9/v1",
        verify_model="bespoke-minicheck",
        verify_base_url=url,
        **known,
    )


async def verdict(url: str, answers: OpenAIDouble, said: str) -> ModelAnswer[Support]:
    """What the gateway makes of the verifier's answer."""
    answers.reset()
    answers.answers["MiniCheck"] = said
    models = build_models(settings(url, verify_wire="minicheck"))
    gateway = open_gateway(open_pool(models), "acme", FakeMeter())
    return await gateway.answer("verify", Question(Support, MESSAGES, 10), last_try=False)


@pytest.mark.parametrize(
    ("said", "supported"), [("Yes", True), (" yes.", True), ("No", False), ("NO\n", False)]
)
async def test_yes_and_no_are_verdicts(
    server: tuple[str, OpenAIDouble], said: str, supported: bool
) -> None:
    """One pair goes out, without a schema, and the verdict comes back in ours."""
    url, double = server
    answer = await verdict(url, double, said)
    assert (answer.value.supported, answer.model, answer.local) == (
        supported,
        "bespoke-minicheck",
        False,
    )
    [request] = double.requests
    assert "response_format" not in request
    assert [m["content"] for m in request["messages"]] == [INSTRUCTION, ASKED]


@pytest.mark.parametrize("said", ["", "Maybe", "Yesterday", "Nothing", '{"supported": true}'])
async def test_anything_else_is_no_answer(server: tuple[str, OpenAIDouble], said: str) -> None:
    """It is asked once more, and then a person goes on."""
    url, double = server
    with pytest.raises(ModelOutputError):
        await verdict(url, double, said)
    assert len(double.requests) == 2


def test_claim_without_a_question_stands_alone() -> None:
    """A question that the run does not know is none."""
    facts = {**FACTS, "question": ""}
    [_, asked] = pair([MESSAGES[0], HumanMessage(json.dumps({"facts": facts}))])
    assert str(asked.content).endswith("\nClaim: Yes, with the desktop app.")


def test_verifier_has_model_server_key_and_wire_of_its_own() -> None:
    """Each from its setting, else that of the drafting models; without a model there is none."""
    url = "http://127.0.0.1:8/v1"
    own: Any = build_models(settings(url, verify_api_key=SecretStr("other"))).verify
    assert isinstance(own, OpenAIChatModel)
    assert not isinstance(own, MiniCheckModel)
    assert (own.model_name, own.openai_api_base) == ("bespoke-minicheck", url)
    assert own.openai_api_key == SecretStr("other")
    shared: Any = build_models(settings(verify_wire="minicheck")).verify
    assert isinstance(shared, MiniCheckModel)
    assert shared.openai_api_base == "http://127.0.0.1:9/v1"
    assert shared.openai_api_key == SecretStr("key")
    assert build_models(Settings(_env_file=None, verify_model="small")).verify is None
