"""`deskgraph train` on a real database: from a file, from what people decided, and then a run."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.adapters.models.trained_triage import TrainedModels
from app.db.core.connections import Sessions
from app.db.effects.triage_labels import labelled_runs
from app.db.tables.tenants import TriageModel
from app.db.tenants.queries import add_policy
from app.db.tenants.triage_models import active_version
from app.execution.wiring import Service
from app.models.offline.chat_model import OfflineChatModel
from app.quality.training.examples import Example, part_of
from app.quality.training.history import read_history
from app.services.conversations.feedback import Rating, rate
from graphs.context import Models
from graphs.llm.pool import open_pool
from graphs.policy import Policy
from graphs.state import Intent
from tests.conftest import Tenant, make_tenant
from tests.integration.command_line import deskgraph
from tests.integration.workplace import Workplace
from tests.unit.labelled import examples
from tests.unit.test_command_docs import documented_keys

STATEMENT = "I again see the invoice billed for our team"
QUESTION = "Why was the invoice billed for our team today?"


def written(path: Path, rows: Iterable[Example]) -> str:
    """The rows as a file that the command reads."""
    lines = [
        json.dumps({"subject": "Help", "body": one.text, "intents": [one.intent]}) for one in rows
    ]
    path.write_text("\n".join(lines))
    return str(path)


def mislabelled(rows: Iterable[Example]) -> list[Example]:
    """The same tickets, those that a model trains on with another's label."""
    turned: dict[Intent | None, Intent] = {
        "billing": "technical", "technical": "general", "general": "billing",
    }  # fmt: skip
    return [
        one._replace(intent=turned[one.intent]) if part_of(f"Help\n{one.text}") == "train" else one
        for one in rows
    ]


@pytest.fixture(scope="module")
async def other(sessions: Sessions) -> Tenant:
    """A tenant that has trained nothing."""
    async with sessions.begin() as session:
        return await make_tenant(session)


@pytest.fixture(scope="module")
async def taught(
    database_url: str, sessions: Sessions, tmp_path_factory: pytest.TempPathFactory
) -> Tenant:
    """A tenant that has trained a model on a file."""
    async with sessions.begin() as session:
        tenant = await make_tenant(session)
    source = written(tmp_path_factory.mktemp("train") / "tickets.jsonl", examples(1200))
    done = await deskgraph(database_url, "train", "--tenant", tenant.id, "--from", source, "--json")
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert list(shown) == documented_keys("train")
    assert (shown["version"], shown["active"], shown["before"]) == (1, True, None)
    assert shown["figures"]["all"]["right"] > 0.95 * shown["figures"]["all"]["tickets"]
    return tenant


async def test_run_is_routed_by_the_tenants_own_model(
    service: Service, taught: Tenant, other: Tenant
) -> None:
    """Without a key: a statement goes to billing, of this tenant and of no other."""
    ours = await run_of(service, taught, STATEMENT)
    assert ours["intents"] == ["billing"]
    assert ours["trained"] | {"accuracy": 0} == {
        "version": 1, "intent": "billing", "routed": True, "accuracy": 0,
    }  # fmt: skip
    theirs = await run_of(service, other, STATEMENT)
    assert (theirs["intents"], theirs.get("trained")) == (["general"], None)
    asked = await run_of(service, taught, QUESTION)
    assert (asked["intents"], asked["trained"]["routed"]) == (["general"], False)
    elsewhere = await run_of(service, taught, "Zebras eat lasagne in Lisbon")
    assert (elsewhere["intents"], elsewhere.get("trained")) == (["general"], None)


async def test_model_that_is_good_enough_answers_before_a_paid_one(
    service: Service, taught: Tenant
) -> None:
    """And the policy switches it off: by null, and by a bar that no measurement reaches."""
    paid, asked = with_a_key(service), "Why was the invoice paid today?"
    found = await run_of(paid, taught, asked)
    assert (found["intents"], found["trained"]["version"]) == (["billing"], 1)
    assert found["confidence"] == found["trained"]["accuracy"] >= 0.95
    both = await run_of(paid, taught, f"{asked} And the upload is broken")
    assert "trained" not in both
    for version, value in enumerate([None, {"min_accuracy": 1.0}], 2):
        await hold_to(service, taught, version, value)
        assert "trained" not in await run_of(paid, taught, asked)
    await hold_to(service, taught, 4, {"min_accuracy": 0.95})


@pytest.mark.no_cover
async def test_worse_model_is_stored_and_does_not_count(
    service: Service, database_url: str, taught: Tenant, tmp_path: Path
) -> None:
    """The command says so, and exits with 1; with `--force` it counts, also in a warm process."""
    source = written(tmp_path / "worse.jsonl", mislabelled(examples(1200)))
    words = ["train", "--tenant", taught.id, "--from", source]
    done = await deskgraph(database_url, *words)
    assert done.exit_code == 1, done.output
    assert "is worse and does not count" in done.stdout
    assert "--force" in done.stderr
    assert (await run_of(service, taught, STATEMENT))["trained"]["version"] == 1
    forced = await deskgraph(database_url, *words, "--force", "--json")
    assert (forced.exit_code, json.loads(forced.stdout)["worse"]) == (0, True), forced.output
    assert "trained" not in await run_of(service, taught, STATEMENT)
    best = written(tmp_path / "best.jsonl", examples(1200))
    again = await deskgraph(database_url, "train", "--tenant", taught.id, "--from", best)
    assert "Model 3, which counted, had" in again.stdout
    assert (await run_of(service, taught, STATEMENT))["trained"]["version"] == 4


async def test_unknown_tenant_and_broken_file_are_named(
    database_url: str, taught: Tenant, tmp_path: Path
) -> None:
    """Exit code 2, and nothing is stored."""
    source = written(tmp_path / "tickets.jsonl", examples(10))
    done = await deskgraph(database_url, "train", "--tenant", "acne", "--from", source)
    assert (done.exit_code, "no tenant 'acne'" in done.output) == (2, True)
    few = await deskgraph(database_url, "train", "--tenant", taught.id, "--from", source)
    assert (few.exit_code, "a model needs 200" in few.output) == (1, True)
    (tmp_path / "broken.jsonl").write_text("{}\n")
    source = str(tmp_path / "broken.jsonl")
    broken = await deskgraph(database_url, "train", "--tenant", taught.id, "--from", source)
    assert (broken.exit_code, "broken.jsonl:1" in broken.output) == (2, True)


async def test_people_label_tickets_by_what_they_decide(
    service: Service, sessions: Sessions, database_url: str, tenant: Tenant
) -> None:
    """An approved plan, a good rating and a corrected triage are labels; nothing else is."""
    work = Workplace(service, tenant)
    wish = "I was charged twice for my Pro plan, please refund one of them"
    acted = await work.decide(await work.advance(await work.start(wish, ticket="T-1")))
    assert acted.outcome == "acted"
    refused = await work.advance(await work.start(wish, customer="cus_bob", ticket="T-2"))
    assert refused.outcome != "acted"
    exact = await work.advance(
        await work.start("How do I reset my password?", customer="cus_max", ticket="T-3")
    )
    assert exact.outcome == "answered"
    corrected = await work.advance(
        await work.start("My card is gone", customer="cus_max", ticket="T-4")
    )
    async with sessions.begin() as session:
        await rate(session, tenant.id, "Uma", Rating("T-3", "stars", 5, ""))
        labelled = await labelled_runs(session, tenant.id)
        found = {one.run.ticket_id: one.intents for one in labelled}
        assert found == {"T-1": ["billing"], "T-3": ["general"]}
    again = await work.replay(corrected, "general", triage={"intents": ["escalate"]})
    rehearsed = await work.replay(exact, "general", dry_run=True, triage={"intents": ["technical"]})
    assert rehearsed.dry_run
    async with sessions.begin() as session:
        read = {one.text: one.intent for one in await read_history(session, tenant.id)}
        assert read["Help\nMy card is gone"] == "escalate"
        assert read["Help\nHow do I reset my password?"] == "general"
        assert len(read) == 3
        await rate(session, tenant.id, "Uma", Rating("T-3", "thumbs", -1, ""))
        assert len(await read_history(session, tenant.id)) == 2
    assert again.ticket_id == "T-4"
    done = await deskgraph(database_url, "train", "--tenant", tenant.id)
    assert (done.exit_code, "docs/triage.md" in done.output) == (1, True)


async def test_process_keeps_a_few_models(sessions: Sessions, taught: Tenant) -> None:
    """One is loaded once; a version that is not there is none."""
    async with sessions() as session:
        version = await active_version(session, taught.id)
    assert version is not None
    models = TrainedModels()
    first = await models.of(sessions, taught.id, version)
    assert first is not None
    assert await models.of(sessions, taught.id, version) is first
    assert await models.of(sessions, "unknown-here", version) is None
    async with sessions() as session:
        query = select(func.count()).select_from(TriageModel)
        counts = query.where(TriageModel.tenant_id == taught.id, TriageModel.active.is_(True))
        assert await session.scalar(counts) == 1


def with_a_key(service: Service) -> Service:
    """The service as with a configured model, which answers as the offline one does."""
    models = Models(fast=OfflineChatModel(), strong=OfflineChatModel(), fallback=OfflineChatModel())
    return replace(service, models=open_pool(models))


async def hold_to(
    service: Service, tenant: Tenant, version: int, value: dict[str, float] | None
) -> None:
    """Store a policy."""
    policy = Policy.model_validate({"trained_triage": value})
    async with service.sessions.begin() as session:
        await add_policy(session, tenant.id, version, policy.model_dump(mode="json"), "test")


RUNS = iter(range(10_000))


async def run_of(service: Service, tenant: Tenant, body: str) -> dict[str, Any]:
    """The triage of a new ticket, of a customer who never wrote before.

    `classify` has called a model exactly where the trained one chose nothing.
    """
    number = next(RUNS)
    work = Workplace(service, tenant)
    started = await work.start(body, customer=f"cus_{number}", ticket=f"T-{number}")
    done = await work.advance(started)
    triage: dict[str, Any] = done.result["triage"]
    calls = (await work.step(done, "classify")).model_calls
    assert bool(calls) is ("trained" not in triage)
    return triage
