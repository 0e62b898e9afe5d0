"""Use case: what last week's runs would have done under another policy. It only reads.

Nothing is run again: the rules are applied to the triage, findings and plans that steps stored.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, cast
from uuid import UUID

from app.db.core.connections import Sessions
from app.db.runs.plans import PastRun, past_runs
from app.db.tenants import queries as tenant_queries
from app.services.tenants.policy import merged, refuse_stale
from graphs.policy import Policy, approvers, distrust, drafts_only, gate, must_escalate
from graphs.state import Triage

LOOKED_BACK = timedelta(days=7)
# The newest so many runs are read: a second of work, whatever a tenant's traffic is.
RUNS = 2000
DIFFERING = 100
# Reasons to hand a ticket over that the policy's thresholds decide.
BY_THRESHOLD = {"anger", "unsure"}

Plans = Literal["alone", "one_person", "two_people", "handed_over", "answer_only", "unknown"]


class Handling(NamedTuple):
    """What becomes of a run's plan, whether its reply waits, and why people must look."""

    plan: Plans
    reply_waits: bool
    reasons: tuple[str, ...] = ()


class Difference(NamedTuple):
    """A run that the two policies treat differently."""

    run_id: UUID
    ticket_id: str
    now: Handling
    proposed: Handling


@dataclass(frozen=True, slots=True)
class Preview:
    """What both policies make of the runs since a time; `complete`: these are all of them."""

    version: int
    since: datetime
    runs: int
    complete: bool
    now: Counter[str]
    proposed: Counter[str]
    differing: list[Difference]
    differing_total: int


async def preview(
    sessions: Sessions,
    tenant_id: str,
    fields: dict[str, Any],
    expects: Callable[[int], bool] = lambda _version: True,
) -> Preview:
    """Compare the policy that counts now with the one that these fields would make of it.

    Raises:
        StaleVersionError: the caller has not seen the version that counts now.
        InvalidRequestError: the fields do not fit those that stay.
    """
    since = datetime.now(UTC) - LOOKED_BACK
    async with sessions() as session:
        version, body = await tenant_queries.current_policy(session, tenant_id)
        refuse_stale(version, expects)
        now = Policy.model_validate(body)
        proposed = merged(now, fields)
        runs = await past_runs(session, tenant_id, since, RUNS + 1)
    # In a thread: a week of a busy tenant takes longer than other requests should wait.
    return await asyncio.to_thread(compared, version, since, runs, now, proposed)


def compared(
    version: int, since: datetime, runs: list[PastRun], now: Policy, proposed: Policy
) -> Preview:
    """Both policies over the same runs."""
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    differing = []
    for run in runs[:RUNS]:
        if run.triage is None:
            continue
        both = handled(run, now), handled(run, proposed)
        for count, one in zip(counts, both, strict=True):
            count.update([one.plan, *(["replies_wait"] if one.reply_waits else [])])
        if both[0][:2] != both[1][:2]:
            differing.append(Difference(run.id, run.ticket_id, *both))
    complete, triaged = len(runs) <= RUNS, sum(run.triage is not None for run in runs[:RUNS])
    return Preview(
        version, since, triaged, complete, *counts, differing[:DIFFERING], len(differing)
    )


def handled(run: PastRun, policy: Policy) -> Handling:
    """What becomes of a run under a policy, as the graph's own rules say it."""
    try:
        return _handled(run, policy)
    except (KeyError, TypeError):
        # Steps of an earlier release may lack what the rules of this one read.
        return Handling("unknown", reply_waits=False)


def _handled(run: PastRun, policy: Policy) -> Handling:
    triage = cast("Triage", run.triage)
    escalated = must_escalate(triage, policy)
    before = (run.escalation or {}).get("reason")
    if escalated or (before and before not in BY_THRESHOLD) or (run.planned and run.plan is None):
        return Handling("handed_over", False, (escalated["detail"],) if escalated else ())
    waits = drafts_only(policy, triage["intents"])
    if run.plan is None:
        # Without a plan only an answer from the cache says what else would have become of it.
        return Handling("answer_only" if run.recalled and not before else "unknown", waits)
    return _planned(run, run.plan, policy, waits)


def _planned(run: PastRun, plan: dict[str, Any], policy: Policy, waits: bool) -> Handling:
    steps, found = plan["steps"], cast("Any", list(run.findings.values()))
    if not steps:
        return Handling("answer_only", waits)
    spent = {code: sum_ for one in found for code, sum_ in one.get("refunded_24h", {}).items()}
    proposers = [{"steps": [], **finding} for finding in found]
    reasons = (*gate(steps, policy, spent), *distrust(cast("Any", proposers), policy))
    if not reasons:
        return Handling("alone", waits)
    two = approvers(steps, policy, spent) > 1
    return Handling("two_people" if two else "one_person", waits, reasons)
