"""Budgets over HTTP: a cheaper model, then a person; the customer never sees an error."""

import psycopg
import pytest

from tests.acceptance.openai.questions import FAST, STRONG, TWICE, set_policy, steps
from tests.acceptance.stack import Client
from tests.conftest import Tenant
from tests.doubles.openai_double import OpenAIDouble

pytestmark = pytest.mark.no_articles


def test_day_without_money_brings_a_person_and_no_call(
    starter: Client, models: OpenAIDouble, own_url: str, tenant: Tenant
) -> None:
    """Nothing is asked, the ticket is handed over, and the customer gets the holding reply."""
    set_policy(own_url, tenant, budgets={"day_micro_usd": 0})
    run = starter.start("cus_ann", TWICE)
    assert (run["status"], run["outcome"]) == ("success", "escalated")
    assert run["escalation"]["reason"] == "budget_spent"
    assert "answer you here" in run["reply"]["text"]
    assert models.requests == []
    assert run["cost_usd"] == 0


def test_run_that_cannot_pay_the_strong_model_is_written_by_the_fast_one(
    starter: Client, approver: Client, models: OpenAIDouble, own_url: str, tenant: Tenant
) -> None:
    """The reply still comes, from the cheaper tier, and the step says why."""
    # Between what is set aside for a call of the fast model and for one of the strong one.
    set_policy(own_url, tenant, budgets={"run_micro_usd": 1500})
    run = starter.start("cus_ann", TWICE)
    approver.decide(run, "approve")
    done = starter.run(run["id"])
    assert (done["status"], done["outcome"]) == ("success", "acted")
    [call] = steps(starter, run)["respond"]["model_calls"]
    assert (call["model"], call["role"], call["reason"]) == (FAST, "strong", "budget_spent")
    assert STRONG not in {request["model"] for request in models.requests}


def test_spend_of_a_day_is_the_sum_of_its_runs(
    starter: Client, models: OpenAIDouble, own_url: str, tenant: Tenant
) -> None:
    """The tenant's row tells what its runs cost, to the rounding of each call."""
    done = [starter.start("cus_ann", TWICE, ticket_id=f"T-{n}") for n in range(2)]
    with psycopg.connect(own_url) as connection:
        [row] = connection.execute(
            "SELECT micro_usd, held_micro_usd, calls, tokens FROM model_spend WHERE tenant_id = %s",
            [tenant.id],
        ).fetchall()
    spent, held, calls, tokens = row
    assert (held, calls, tokens) == (0, 4, sum(run["tokens"] for run in done))
    assert 0 <= spent - 10**6 * sum(run["cost_usd"] for run in done) < calls
