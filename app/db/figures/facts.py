"""One statement a subject: what happened in a time, a row each, in one shape for all subjects.

`at` is when it happened, `name`, `part` and `result` what it counts under, `ms` how long it took.
A row that only marks something, such as a fallback, has no cost and no duration of its own.
"""

from typing import Literal

Subject = Literal["nodes", "models", "runs", "approvals", "connections", "dead_hooks"]

NODES = """
SELECT started_at AS at, run_id, node AS name, '' AS part,
    CASE status WHEN 'error' THEN 'error:' || coalesce(error ->> 'type', 'unknown')
        ELSE status END AS result,
    tries - 1 AS retries, tokens, cost_usd, cost_usd IS NULL AS unpriced, duration_ms AS ms
FROM steps
WHERE tenant_id = :tenant AND started_at >= :since AND started_at < :until AND status <> 'running'
"""
MODELS = """
SELECT c.started_at AS at, c.run_id, coalesce(c.answered, c.asked, 'unknown') AS name,
    c.node AS part, v.result, v.retries, v.tokens, v.cost_usd, v.unpriced, v.ms
FROM model_calls c CROSS JOIN LATERAL (VALUES
    (coalesce('error:' || c.error, 'success'), c.repair::int, c.input_tokens + c.output_tokens,
        c.cost_usd, c.cost_usd IS NULL, c.duration_ms, true),
    ('fallback:' || coalesce(c.reason, 'unknown'), 0, 0, 0, false, NULL, c.fallback),
    ('cached', 0, c.cached_tokens, 0, false, NULL, c.cached_tokens > 0)
) AS v (result, retries, tokens, cost_usd, unpriced, ms, holds)
WHERE c.tenant_id = :tenant AND c.started_at >= :since AND c.started_at < :until AND v.holds
"""


def reopened(run: str) -> str:
    """SQL: the run came after an answer to the same ticket. Thanks, which are ignored, do not."""
    return f"""({run}.replay_of IS NULL AND {run}.outcome <> 'ignored' AND EXISTS (
        SELECT FROM runs AS earlier WHERE earlier.tenant_id = {run}.tenant_id
            AND earlier.ticket_id = {run}.ticket_id AND earlier.id < {run}.id
            AND earlier.replay_of IS NULL AND earlier.outcome IN ('answered', 'acted')
            AND earlier.finished_at > {run}.created_at - interval '7 days'
            AND earlier.finished_at < {run}.created_at))"""  # constants of ours


def refused(run: str) -> str:
    """SQL: a claim of the run's last draft was not supported, or no draft of it was fit to send."""
    return f"""({run}.summary @> '{{"verdicts": [{{"supported": false}}]}}'
        OR {run}.summary @> '{{"escalation": {{"reason": "no_valid_reply"}}}}')"""


RUNS = f"""
SELECT r.finished_at AS at, r.id AS run_id,
    CASE WHEN r.replay_of IS NOT NULL THEN 'replay' WHEN r.merged_into IS NOT NULL THEN 'merged'
        WHEN r.status = 'success' THEN coalesce(r.outcome, 'success') ELSE r.status END AS name,
    '' AS part, v.result, v.retries, v.tokens, v.cost_usd, v.unpriced,
    CASE WHEN v.took IS NOT NULL THEN
        greatest(0, least(2147483647, 1000 * extract(epoch FROM v.took)))::int END AS ms
FROM runs r
CROSS JOIN LATERAL (SELECT coalesce(sum(coalesce(a.decided_at, r.finished_at) - a.created_at),
        interval '0') AS human FROM approvals a WHERE a.run_id = r.id) AS waited
CROSS JOIN LATERAL (VALUES
    ('ended', r.losses, r.tokens, r.cost_usd, r.cost_usd IS NULL, r.finished_at - r.created_at,
        true),
    ('queue', 0, 0, 0, false, r.started_at - r.created_at, r.started_at IS NOT NULL),
    ('active', 0, 0, 0, false, r.finished_at - r.started_at - waited.human,
        r.started_at IS NOT NULL),
    ('human', 0, 0, 0, false, waited.human, waited.human > interval '0'),
    ('error:' || coalesce(r.error ->> 'type', 'unknown'), 0, 0, 0, false, NULL,
        r.status IN ('error', 'timeout')),
    ('cache_hit', 0, 0, 0, false, NULL, r.summary @> '{{"cache_hit": true}}'),
    ('refused', 0, 0, 0, false, NULL, {refused("r")}),
    ('lost', 0, 0, 0, false, NULL, r.losses > 0),
    ('reopened', 0, 0, 0, false, NULL, {reopened("r")})
) AS v (result, retries, tokens, cost_usd, unpriced, took, holds)
WHERE r.tenant_id = :tenant AND r.finished_at >= :since AND r.finished_at < :until AND v.holds
"""  # noqa: S608  # constants of ours
# Fewer than three seconds for a decision: since its question was open, or since the same person's
# last decision.
FAST_DECISION = """(d.created_at - a.created_at < interval '3 seconds' OR EXISTS (
        SELECT FROM decisions earlier WHERE earlier.tenant_id = d.tenant_id
            AND earlier.created_at < d.created_at
            AND earlier.created_at > d.created_at - interval '3 seconds'
            AND coalesce(earlier.on_behalf_of, earlier.decided_by)
                = coalesce(d.on_behalf_of, d.decided_by)))"""
APPROVALS = f"""
SELECT decided_at AS at, run_id, kind AS name, '' AS part, status AS result, 0 AS retries,
    0 AS tokens, 0 AS cost_usd, false AS unpriced,
    greatest(0, least(2147483647, 1000 * extract(epoch FROM decided_at - created_at)))::int AS ms
FROM approvals
WHERE tenant_id = :tenant AND decided_at >= :since AND decided_at < :until
    AND status NOT IN ('pending', 'cancelled')
UNION ALL
SELECT d.created_at, a.run_id, a.kind, 'decision', v.result, 0, 0, 0, false, NULL
FROM decisions d JOIN approvals a ON a.tenant_id = d.tenant_id AND a.id = d.approval_id
CROSS JOIN LATERAL (VALUES
    ('decision', true),
    ('fast', {FAST_DECISION})
) AS v (result, holds)
WHERE d.tenant_id = :tenant AND d.created_at >= :since AND d.created_at < :until AND v.holds
"""  # noqa: S608  # constants of ours
CONNECTIONS = """
SELECT d.ended_at AS at,
    CASE WHEN d.status IN ('refused', 'failed', 'gone') THEN (SELECT r.id FROM runs r
        WHERE r.tenant_id = d.tenant_id AND r.ticket_id = d.ticket_id ORDER BY r.id DESC LIMIT 1)
        END AS run_id,
    d.connection_id AS name, d.kind AS part, d.status AS result,
    greatest(0, d.attempts - 1) AS retries, 0 AS tokens, 0 AS cost_usd, false AS unpriced,
    greatest(0, least(2147483647, 1000 * extract(epoch FROM d.ended_at - d.created_at)))::int AS ms
FROM deliveries d
WHERE d.tenant_id = :tenant AND d.ended_at >= :since AND d.ended_at < :until
UNION ALL
SELECT received_at, NULL, connection_id, 'hook', 'received', 0, 0, 0, false, NULL
FROM inbox WHERE tenant_id = :tenant AND received_at >= :since AND received_at < :until
UNION ALL
SELECT finished_at, run_id, connection_id, 'effect', status, 0, 0, 0, false,
    greatest(0, least(2147483647, 1000 * extract(epoch FROM finished_at - started_at)))::int
FROM ledger WHERE tenant_id = :tenant AND connection_id IS NOT NULL
    AND finished_at >= :since AND finished_at < :until
"""
DEAD_HOOKS = """
SELECT received_at AS at, NULL::uuid AS run_id, connection_id AS name, 'hook' AS part,
    'dead' AS result, 0 AS retries, 0 AS tokens, 0 AS cost_usd, false AS unpriced,
    NULL::int AS ms
FROM inbox WHERE tenant_id = :tenant AND status = 'dead'
    AND received_at >= :since AND received_at < :until
"""
FACTS: dict[Subject, str] = {
    "nodes": NODES,
    "models": MODELS,
    "runs": RUNS,
    "approvals": APPROVALS,
    "connections": CONNECTIONS,
    "dead_hooks": DEAD_HOOKS,
}
# Their rows do not change any more once they count. What a hook said may be given up hours after
# it came, so that is always measured from the rows.
ROLLED_UP: tuple[Subject, ...] = ("nodes", "models", "runs", "approvals", "connections")

# Ids of runs grow with time, so the greatest is the newest.
SUMS = """count(*) AS count, sum(retries)::bigint AS retries, sum(tokens)::bigint AS tokens,
    coalesce(sum(cost_usd), 0)::numeric(18, 9) AS cost_usd,
    count(*) FILTER (WHERE unpriced) AS unpriced,
    coalesce(string_agg(int4send(ms), ''), '') AS durations,
    max(run_id::text)::uuid AS sample_run_id"""
# Of rows of `hourly_figures`.
SUMS_OF_HOURS = """sum(count)::bigint AS count, sum(retries)::bigint AS retries,
    sum(tokens)::bigint AS tokens, sum(cost_usd) AS cost_usd, sum(unpriced)::bigint AS unpriced,
    string_agg(durations, '') AS durations, max(sample_run_id::text)::uuid AS sample_run_id"""
