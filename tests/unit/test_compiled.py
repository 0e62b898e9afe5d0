"""Compiled statements: what is in them, and which modules may have some."""

import re
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Interval, bindparam, select, update

from app.db.core.compiled import CompiledStatement
from app.db.tables.runs import Rate, Run
from app.lifecycle import RunStatus

ROOT = Path(__file__).parents[2]
# Why a module has statements that go past SQLAlchemy's sessions. All else stays in them.
ON_THE_WAY_OF_EVERY_RUN = {
    "app/db/connections/inbox.py": "each hook, which a desk waits for",
    "app/db/connections/queries.py": "the payment provider of a run, the connection of a hook",
    "app/db/conversations/feedback.py": "what is shown of each run",
    "app/db/conversations/summaries.py": "whether a summary is due, at each end",
    "app/db/effects/approvals.py": "what is shown of each run that paused, and its answer",
    "app/db/effects/ledger.py": "the fence, the beginning and the end of each effect; each answer",
    "app/db/effects/takeovers.py": "silence at each reply",
    "app/db/knowledge/answer_cache.py": "the cache is asked by each run that opens its ticket",
    "app/db/knowledge/bm25.py": "the search of each question",
    "app/db/knowledge/search.py": "the search of each question",
    "app/db/runs/beginning.py": "what each execution needs to know before its first node",
    "app/db/runs/insert.py": "the start",
    "app/db/runs/merging.py": "what is shown of each run that waits for a person",
    "app/db/runs/queue.py": "the queue, from which each run is claimed",
    "app/db/runs/queries.py": "what is shown of each run, and who waits for it",
    "app/db/runs/queue_position.py": "what is shown of each run that is queued",
    "app/db/runs/scheduling.py": "what follows each end",
    "app/db/runs/steps.py": "the reply",
    "app/db/runs/transitions.py": "the claim and the end",
    "app/db/runs/workers.py": "the heartbeat, on a connection that no session has",
    "app/db/tenants/pauses.py": "the switch before each effect",
    "app/db/tenants/queries.py": "the key of each request; the policy of each run",
    "app/db/tenants/rate_limit.py": "the rate of each start",
    "app/db/tenants/spend.py": "each model call under a day's budget",
    "app/worker/consumer.py": "the summary that is due at an end",
}


def test_only_what_every_run_passes_is_compiled() -> None:
    """A statement that is rare is a plain one in a session: it is easier to read and to change."""
    made = re.compile(r"\bCompiled(?:Statement|Query)\(")
    core = ROOT / "app/db/core/compiled.py"
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.py")
        if path != core and made.search(path.read_text())
    }
    assert found == set(ON_THE_WAY_OF_EVERY_RUN)


def test_known_values_are_constants_and_asked_ones_parameters() -> None:
    """With `status = 'pending'` in its text, one plan can use an index of pending runs."""
    pending = select(Run.id).where(
        Run.status == RunStatus.PENDING, Run.tenant_id == bindparam("tenant")
    )
    sql = CompiledStatement(pending.limit(3)).sql
    assert "runs.status = 'pending'" in sql
    assert "LIMIT 3" in sql
    assert "%(tenant)s" in sql


def test_constant_is_written_as_its_column_stores_it() -> None:
    """Also one with a percent sign or a quote, which the driver must not read as its own."""
    step = bindparam("step", type_=Interval())
    odd = update(Rate).where(Rate.scope == "100% of o'clock").values(tat=Rate.tat - step)
    sql = CompiledStatement(odd).sql
    assert "'100%% of o''clock'" in sql
    waits = CompiledStatement(select(Rate.tat + timedelta(seconds=90)))
    assert "%(" not in waits.sql
