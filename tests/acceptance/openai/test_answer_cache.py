"""The answer cache over HTTP: what the third customer who asks costs."""

from typing import Any

import pytest

from tests.acceptance.openai.questions import E42, TECHNICAL, steps
from tests.acceptance.stack import Client, Stack
from tests.conftest import Tenant
from tests.doubles.openai_double import OpenAIDouble


@pytest.fixture
def admin(stack: Stack, tenant: Tenant) -> Client:
    """A person who may change articles."""
    return stack.client(tenant.admin)


def test_third_asking_costs_nothing_until_an_article_changes(
    starter: Client, admin: Client, models: OpenAIDouble
) -> None:
    """Two customers are answered by the models, the third without, as the run and its steps say."""
    models.answers["Classification"] = TECHNICAL
    asked: list[Any] = []
    for number, customer in enumerate(("cus_eva", "cus_ann", "cus_max")):
        body = f"{E42}  " if number else E42
        asked.append(starter.start(customer, body, ticket_id=f"T-{number}"))
    assert [run["cache_hit"] for run in asked] == [False, False, True]
    assert [run["outcome"] for run in asked] == ["answered"] * 3
    # A triage, a draft, and a verdict on its one claim, for each of the first two.
    assert len(models.requests) == 6
    first, _, third = asked
    assert third["reply"] == first["reply"]
    assert (third["cost_usd"], third["tokens"]) == (0, 0)
    assert third["intents"] == ["technical"]
    done = steps(starter, third)
    assert list(done)[-3:] == ["classify", "check", "send"]
    assert not any(step["model_calls"] for step in done.values())

    changed = {"title": "Opening hours", "content": "We are open from 9 to 5."}
    admin.http.put("/v1/articles/opening-hours", json=changed).raise_for_status()
    after = starter.start("cus_bob", E42, ticket_id="T-4")
    assert (after["cache_hit"], len(models.requests)) == (False, 9)
