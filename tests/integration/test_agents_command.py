"""`deskgraph agents`: a tenant gets people who take its hand-offs, and sees who has how many."""

import json
from pathlib import Path
from typing import Any

from app.db.core.connections import Sessions
from app.db.effects.handoffs import assign_waiting, open_handoff
from app.db.tenants.queries import ensure_tenant
from tests.integration.command_line import deskgraph

ALWAYS = {"timezone": "UTC", "opens_hour": 0, "closes_hour": 24, "weekdays": [1, 2, 3, 4, 5, 6, 7]}
MIA = {"id": "ag_mia", "name": "Mia", "skills": ["billing"], **ALWAYS}


async def test_imported_agent_gets_what_waits(
    database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    """Without agents a hand-off waits; after the import it is assigned; `away` ends that."""
    tenant = "agents-of-a-tenant"
    async with sessions.begin() as session:
        await ensure_tenant(session, tenant, tenant)
        waiting = await open_handoff(session, tenant, "T-1", "billing", "normal", "Why", "key-1")
    assert waiting.agent_id is None
    whose = ["--tenant", tenant]
    none = await deskgraph(database_url, "agents", "list", *whose)
    assert "each waits in the queue" in none.stdout

    async def put(**changes: Any) -> list[dict[str, Any]]:
        source = tmp_path / "agents.jsonl"
        source.write_text(json.dumps({**MIA, **changes}))
        done = await deskgraph(database_url, "agents", "import", str(source), *whose)
        assert (done.exit_code, "1 agents imported" in done.stdout) == (0, True), done.output
        listed = await deskgraph(database_url, "agents", "list", *whose, "--json")
        return [json.loads(line) for line in listed.stdout.splitlines()]

    assert await put() == [{**MIA, "away": False, "load": 0, "max_load": 20}]
    async with sessions.begin() as session:
        assert await assign_waiting(session, tenant) == 1
    assert await put(away=True) == [{**MIA, "away": True, "load": 1, "max_load": 20}]
    async with sessions.begin() as session:
        await open_handoff(session, tenant, "T-2", "billing", "normal", "Why", "key-2")
        assert await assign_waiting(session, tenant) == 0
    shown = await deskgraph(database_url, "agents", "list", *whose)
    assert "1 of 20" in shown.stdout
    assert "away" in shown.stdout


async def test_unknown_tenant_is_named(database_url: str, tmp_path: Path) -> None:
    """A tenant is made by `keys create`, never by a misspelled import."""
    source = tmp_path / "agents.jsonl"
    source.write_text(json.dumps(MIA))
    for words in (["import", str(source)], ["list"]):
        done = await deskgraph(database_url, "agents", *words, "--tenant", "acne")
        assert (done.exit_code, "no tenant 'acne'" in done.output) == (2, True)
