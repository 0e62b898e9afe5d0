"""A provider that fails, is slow, answers nonsense or is gone: the run still ends properly."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from app.models.openai import build_models
from app.settings import Settings
from tests.acceptance.openai.questions import FAST, TWICE, steps
from tests.acceptance.stack import Client, free_port
from tests.doubles.openai_double import OpenAIDouble
from tests.unit.desk import desk


def test_failed_call_is_tried_again_and_shown(starter: Client, models: OpenAIDouble) -> None:
    """One 500 costs one more try of that node."""
    models.failures["Classification"] = 1
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    classify = steps(starter, run)["classify"]
    failed, answered = classify["model_calls"]
    assert (classify["status"], classify["tries"]) == ("success", 2)
    assert (failed["model"], answered["model"]) == (FAST, FAST)
    assert failed["error"]


def test_offline_model_goes_on_when_the_provider_is_down(
    starter: Client, approver: Client, models: OpenAIDouble
) -> None:
    """A provider that answers nothing but 500 leaves a proper run, under the name `offline`."""
    models.failures = {"Classification": 99, "Proposal": 99, "Reply": 99}
    run = starter.start("cus_ann", TWICE)
    approver.decide(run, "approve")
    done = starter.run(run["id"])
    assert (done["outcome"], done["cost_usd"]) == ("acted", 0)
    nodes = steps(starter, run)
    for name in ("classify", "billing", "respond"):
        assert nodes[name]["tries"] == 3
        assert nodes[name]["model_calls"][-1]["model"] == "offline"


@pytest.mark.parametrize(
    "garbled",
    [
        "<html>bad gateway</html>",
        '{"choices": []}',
        '{"error": {"message": "quota"}}',
        '{"choices": [{"index": 0, "message": {"role": "system", "content": "{}"}}]}',
        '{"choices": [{"index": 0, "message": {"role": "user", "content": "{}"}}], "usage": 7}',
    ],
)
def test_what_is_no_answer_is_tried_again(
    starter: Client, models: OpenAIDouble, garbled: str
) -> None:
    """Status 200 around a proxy's page or an error is a failed call, not a bug of ours."""
    models.garbled["Classification"] = garbled
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    classify = steps(starter, run)["classify"]
    assert (classify["tries"], classify["model_calls"][-1]["model"]) == (3, "offline")


def test_slow_answer_is_given_up(starter: Client, models: OpenAIDouble) -> None:
    """A provider that never answers is asked twice, each time no longer than the setting says."""
    models.hangs.add("Classification")
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    classify = steps(starter, run)["classify"]
    assert classify["tries"] == 3
    assert ["Timeout" in call.get("error", "") for call in classify["model_calls"]] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "answer", ["I think this is about billing.", '{"intents": ["billing"', {"intents": "many"}]
)
def test_answer_that_breaks_the_schema_is_paid_for_and_asked_again(
    starter: Client, models: OpenAIDouble, answer: Any
) -> None:
    """One repair, then the fallback; the tokens of the wrong answers are counted."""
    models.answers["Classification"] = answer
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    classify = steps(starter, run)["classify"]
    first, repair, spare = classify["model_calls"]
    assert [call["model"] for call in (first, repair, spare)] == [FAST, FAST, "offline"]
    assert ("repair" in first, repair["repair"], spare["reason"]) == (False, True, "schema")
    assert classify["tries"] == 1
    question, again = models.asked("Classification")
    assert again["messages"][1:3] == question["messages"][1:]
    assert list(json.loads(again["messages"][3]["content"])) == ["problems"]
    assert classify["tokens"] > 0
    assert classify["cost_usd"] > 0


@pytest.mark.parametrize(
    "header", [{"retry-after": "1"}, {"retry-after-ms": "1000", "retry-after": "60"}]
)
def test_retry_after_is_honoured(
    starter: Client, models: OpenAIDouble, header: dict[str, str]
) -> None:
    """The next call comes no sooner than the provider asked, and it is the provider's again."""
    models.refusals = [(429, header)]
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    classify = steps(starter, run)["classify"]
    refused, answered = classify["model_calls"]
    assert "RateLimitError" in refused["error"]
    assert answered["model"] == FAST
    assert classify["duration_ms"] >= 1000


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusal_that_cannot_heal_is_not_tried_again(
    starter: Client, models: OpenAIDouble, status: int
) -> None:
    """A wrong key, model or request: one call, then the fallback at once."""
    models.refusals = [(status, {})]
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    classify = steps(starter, run)["classify"]
    _, spare = classify["model_calls"]
    assert (spare["model"], spare["fallback"], spare["reason"]) == ("offline", True, "refused")
    assert (classify["tries"], len(models.asked("Classification"))) == (1, 1)


async def test_provider_that_is_gone_leaves_a_plan_to_decide() -> None:
    """Nobody listens on the provider's port: the graph still comes to its gate."""
    opened = desk()
    opened.world.models = build_models(
        Settings(
            _env_file=None,
            openai_api_key=SecretStr("openai-key"),
            openai_base_url=f"http://127.0.0.1:{free_port()}/v1",
        )
    )
    await opened.start(TWICE)
    gate = await opened.open_gate()
    assert gate.value["steps"][0]["args"]["amount_minor"] == 4900
    assert opened.world.billing.refunds == {}
