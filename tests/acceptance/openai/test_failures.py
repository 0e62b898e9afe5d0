"""A provider that fails, is slow, answers nonsense or is gone: the run still ends properly."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from app.models.openai import build_models
from app.settings import Settings
from tests.acceptance.openai.questions import FAST, TWICE, steps
from tests.acceptance.stack import Client, free_port
from tests.cases import some
from tests.doubles.openai_double import TRIAGE, OpenAIDouble
from tests.unit.desk import desk


@pytest.mark.no_articles
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


def given_up(client: Client, run: Any) -> list[Any]:
    """The calls of a triage that no model gave; a person has the ticket, with a suggestion."""
    assert (run["status"], run["outcome"]) == ("success", "escalated")
    assert run["escalation"]["reason"] == "no_model"
    assert run["handoff"]["suggestion"] is not None
    assert [effect["tool"] for effect in run["effects"]] == ["create_handoff", "send_reply"]
    calls: list[Any] = steps(client, run)["classify"]["model_calls"]
    assert {call["model"] for call in calls} == {FAST}, "nothing is guessed in its place"
    return calls


def test_provider_that_is_down_brings_a_person(starter: Client, models: OpenAIDouble) -> None:
    """Nothing but 500 leaves a proper run: one hand-off, the holding reply, and nothing to pay."""
    models.failures = {"Classification": 99, "Proposal": 99, "Reply": 99}
    run = starter.start("cus_ann", TWICE)
    assert len(given_up(starter, run)) == 2
    assert steps(starter, run)["classify"]["tries"] == 3
    assert "answer you here" in run["reply"]["text"]
    assert run["cost_usd"] == 0


@pytest.mark.no_articles
def test_offline_model_goes_on_with_the_plan(
    starter: Client, approver: Client, models: OpenAIDouble
) -> None:
    """Under the name `offline` it proposes what a person then decides on."""
    models.failures["Proposal"] = 99
    run = starter.start("cus_ann", TWICE)
    assert approver.decide(run, "approve").is_success
    assert starter.run(run["id"])["outcome"] == "acted"
    billing = steps(starter, run)["billing"]
    assert billing["tries"] == 3
    assert [call["model"] for call in billing["model_calls"]] == [FAST, FAST, "offline"]


@pytest.mark.no_articles
def test_outage_between_the_deed_and_its_reply_hides_nothing(
    starter: Client, approver: Client, models: OpenAIDouble
) -> None:
    """The refund stays in the run; the customer reads of it, and that a person goes on."""
    models.failures["Reply"] = 99
    run = starter.start("cus_ann", TWICE)
    approver.decide(run, "approve")
    done = starter.run(run["id"])
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_model")
    assert "refund_payment" in [effect["tool"] for effect in done["effects"]]
    assert "49.00" in done["reply"]["text"]
    assert steps(starter, run)["respond"]["tries"] == 3


@pytest.mark.parametrize(
    "garbled",
    some(
        [
            "<html>bad gateway</html>",
            '{"choices": []}',
            '{"error": {"message": "quota"}}',
            '{"choices": [{"index": 0, "message": {"role": "system", "content": "{}"}}]}',
            '{"choices": [{"index": 0, "message": {"role": "user", "content": "{}"}}], "usage": 7}',
        ],
        5,
    ),
)
def test_what_is_no_answer_is_tried_again(
    starter: Client, models: OpenAIDouble, garbled: str
) -> None:
    """Status 200 around a proxy's page or an error is a failed call, not a bug of ours."""
    models.garbled["Classification"] = garbled
    run = starter.start("cus_ann", TWICE)
    assert len(given_up(starter, run)) == 2
    assert steps(starter, run)["classify"]["tries"] == 3


def test_slow_answer_is_given_up(starter: Client, models: OpenAIDouble) -> None:
    """A provider that never answers is asked twice, each time no longer than the setting says."""
    models.hangs.add("Classification")
    run = starter.start("cus_ann", TWICE)
    assert ["Timeout" in call["error"] for call in given_up(starter, run)] == [True, True]
    assert steps(starter, run)["classify"]["tries"] == 3


NO_JSON = ["I think this is about billing.", '{"intents": ["billing"', {"intents": "many"}]


@pytest.mark.parametrize("answer", some(NO_JSON, 3))
def test_answer_that_breaks_the_schema_is_paid_for_and_asked_again(
    starter: Client, models: OpenAIDouble, answer: Any
) -> None:
    """One repair, then a person; the tokens of the wrong answers are counted."""
    models.answers["Classification"] = answer
    run = starter.start("cus_ann", TWICE)
    first, repair = given_up(starter, run)
    assert ("repair" in first, repair["repair"]) == (False, True)
    question, again = models.asked("Classification")
    assert again["messages"][1:3] == question["messages"][1:]
    assert list(json.loads(again["messages"][3]["content"])) == ["problems"]
    classify = steps(starter, run)["classify"]
    assert classify["tries"] == 1
    assert classify["tokens"] > 0
    assert run["cost_usd"] == classify["cost_usd"] > 0


@pytest.mark.no_articles
@pytest.mark.parametrize("answer", some(NO_JSON, 3))
def test_proposal_that_breaks_the_schema_is_made_by_the_offline_model(
    starter: Client, models: OpenAIDouble, answer: Any
) -> None:
    """After the repair; a person decides on it, and both wrong answers are paid for."""
    models.answers["Proposal"] = answer
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    billing = steps(starter, run)["billing"]
    first, repair, spare = billing["model_calls"]
    assert [call["model"] for call in (first, repair, spare)] == [FAST, FAST, "offline"]
    assert ("repair" in first, repair["repair"], spare["reason"]) == (False, True, "schema")
    assert billing["tries"] == 1
    assert billing["cost_usd"] > 0


@pytest.mark.no_articles
@pytest.mark.parametrize(
    "header", some([{"retry-after": "1"}, {"retry-after-ms": "1000", "retry-after": "60"}], 2)
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


@pytest.mark.parametrize("status", some([400, 401, 403, 404], 4))
def test_refusal_that_cannot_heal_is_not_tried_again(
    starter: Client, models: OpenAIDouble, status: int
) -> None:
    """A wrong key, model or request: one call, then a person at once."""
    models.refusals = [(status, {})]
    run = starter.start("cus_ann", TWICE)
    assert len(given_up(starter, run)) == 1
    assert steps(starter, run)["classify"]["tries"] == 1
    assert len(models.asked("Classification")) == 1


@pytest.mark.no_articles
def test_refused_proposal_is_made_by_the_offline_model_at_once(
    starter: Client, models: OpenAIDouble
) -> None:
    """One call, then the fallback, which the step names."""

    def triage_then_refuse(_body: Any) -> Any:
        models.refusals = [(403, {})]
        return TRIAGE

    models.answers["Classification"] = triage_then_refuse
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    billing = steps(starter, run)["billing"]
    _, spare = billing["model_calls"]
    assert (spare["model"], spare["fallback"], spare["reason"]) == ("offline", True, "refused")
    assert (billing["tries"], len(models.asked("Proposal"))) == (1, 1)


async def test_provider_that_is_gone_leaves_the_ticket_to_a_person() -> None:
    """Nothing listens on the provider's port: no money moves, and the ticket is in the queue."""
    opened = desk()
    opened.world.models = build_models(
        Settings(
            _env_file=None,
            openai_api_key=SecretStr("openai-key"),
            openai_base_url=f"http://127.0.0.1:{free_port()}/v1",
        )
    )
    done = await opened.start(TWICE)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "no_model")
    assert done["handoff"] is not None
    assert opened.world.billing.refunds == {}
