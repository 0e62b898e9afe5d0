"""What must hold in the database at the end, whatever died. Each law selects what breaks it.

What callers, readers and connected systems saw is judged beside: `receiver.py`, `listeners.py`,
`traffic.py`, `connected_laws.py`.
"""

import psycopg

from tests.acceptance.crash.cases import Effect

LAWS = {
    "every run is final, or waits with an open question": """
        SELECT id, status FROM runs r WHERE finished_at IS NULL AND NOT (
          status = 'interrupted' AND EXISTS (
            SELECT FROM approvals a WHERE a.run_id = r.id AND a.status = 'pending'))""",
    "only a run that waits has an open question": """
        SELECT a.id, r.status FROM approvals a JOIN runs r ON r.id = a.run_id
        WHERE a.status = 'pending' AND r.status <> 'interrupted'""",
    "no run ends as an error or a timeout": """
        SELECT id, status, error FROM runs WHERE status IN ('error', 'timeout')""",
    "the provider's refunds are the ledger's": """
        SELECT r.idempotency_key, l.key, l.status, l.run_id FROM sandbox_refunds r
        FULL JOIN (SELECT * FROM ledger WHERE tool = 'refund_payment' AND status = 'done'
          AND NOT EXISTS (SELECT FROM connections c
                          WHERE c.tenant_id = ledger.tenant_id AND c.role = 'payments')) l
          ON (l.tenant_id, l.key) = (r.tenant_id, r.idempotency_key)
          AND l.amount_minor = r.amount_minor AND l.args->>'payment_id' = r.payment_id
        WHERE r.id IS NULL OR l.key IS NULL""",
    "what a payment gave back is the sum of its refunds": """
        SELECT p.id, p.refunded_minor FROM sandbox_payments p WHERE refunded_minor <> COALESCE(
          (SELECT sum(amount_minor) FROM sandbox_refunds r
           WHERE (r.tenant_id, r.payment_id) = (p.tenant_id, p.id)), 0)""",
    "the provider's cancellations are the ledger's": """
        SELECT c.idempotency_key, l.key, l.run_id FROM sandbox_cancellations c
        FULL JOIN (SELECT * FROM ledger WHERE tool = 'cancel_subscription' AND status = 'done') l
          ON (l.tenant_id, l.key) = (c.tenant_id, c.idempotency_key)
        WHERE c.id IS NULL OR l.key IS NULL""",
    "a subscription is cancelled exactly if there is a cancellation": """
        SELECT s.id, s.status FROM sandbox_subscriptions s LEFT JOIN sandbox_cancellations c
          ON (c.tenant_id, c.subscription_id) = (s.tenant_id, s.id)
        WHERE (s.status = 'cancelled') <> (c.id IS NOT NULL)""",
    "no effect without an agreement to exactly it, or an allowance": """
        SELECT l.key, l.run_id FROM ledger l LEFT JOIN approvals a ON a.id = l.approval_id
          AND a.run_id = l.run_id AND a.status IN ('approved', 'edited')
          AND EXISTS (SELECT FROM jsonb_array_elements(a.decision->'steps') s
                      WHERE s->>'id' = l.step_id AND s->'args' = l.args)
        WHERE a.id IS NULL AND (
          l.tool = 'cancel_subscription'
          OR (l.tool = 'refund_payment' AND (l.currency, l.amount_minor) <> ('EUR', 900))
          OR (l.tool = 'send_bulk_mail' AND l.args->>'audience' <> 'pro'))""",
    "a replay moves nothing and says nothing": """
        SELECT r.id, l.key FROM runs r LEFT JOIN ledger l ON l.run_id = r.id
        LEFT JOIN messages m ON m.run_id = r.id AND m.author = 'deskgraph'
        WHERE r.replay_of IS NOT NULL AND (l.key IS NOT NULL OR m.id IS NOT NULL)""",
    "a run has at most one reply, a successful one exactly one unless it is silent": """
        SELECT r.id, r.status, count(m.id) FROM runs r
        LEFT JOIN messages m ON m.run_id = r.id AND m.author = 'deskgraph'
        WHERE r.replay_of IS NULL
        GROUP BY r.id HAVING count(m.id) > 1 OR (r.status = 'success' AND count(m.id) <>
            (r.summary->>'ignored' IS NULL AND coalesce(r.summary->'escalation'->>'reason', '')
                NOT IN ('perhaps_automatic', 'too_many_replies'))::int)""",
    "an escalated run has exactly one hand-off of the whole ticket": """
        SELECT r.id, count(h.id) FROM runs r
        LEFT JOIN handoffs h ON h.tenant_id = r.tenant_id AND h.ticket_id = r.ticket_id
          AND h.part IS NULL AND h.id::text = r.summary->'handoff'->>'id'
        WHERE r.outcome = 'escalated' AND r.replay_of IS NULL
        GROUP BY r.id HAVING count(h.id) <> 1""",
    "a ticket has at most one open hand-off of the whole, and of each part": """
        SELECT tenant_id, ticket_id, part, count(*) FROM handoffs WHERE status = 'open'
        GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "an ignored run did nothing": """
        SELECT r.id, l.key FROM runs r JOIN ledger l ON l.run_id = r.id
        WHERE r.outcome = 'ignored' AND l.status <> 'failed'""",
    "a mail that left is sent or unknown in the list, and a sent one left": """
        SELECT p.key, p.contact_id, p.status, m.key FROM mail_recipients p
        FULL JOIN sandbox_mails m ON m.tenant_id = p.tenant_id
          AND m.key = p.key || ':' || p.contact_id
        WHERE (p.status = 'sent' AND m.key IS NULL)
           OR (m.key IS NOT NULL AND COALESCE(p.status, '') NOT IN ('sent', 'unknown'))""",
    "a finished mailing leaves no recipient waiting": """
        SELECT p.key, p.contact_id, p.status FROM mail_recipients p JOIN runs r ON r.id = p.run_id
        WHERE r.status = 'success' AND p.status IN ('waiting', 'started')""",
    "an unknown outcome brought a person, or stands on the cancelled run": """
        SELECT l.key, l.run_id, r.status, r.summary->'escalation'->>'reason' FROM ledger l
        JOIN runs r ON r.id = l.run_id WHERE l.status = 'started' AND r.finished_at IS NOT NULL
          AND l.progress IS NULL
          AND r.summary->'escalation'->>'reason' IS DISTINCT FROM 'step_failed'
          AND r.error->>'type' IS DISTINCT FROM 'unknown_outcome'""",
    "a step of a finished run has an end": """
        SELECT s.run_id, s.attempt, s.node FROM steps s JOIN runs r ON r.id = s.run_id
        WHERE s.status = 'running' AND r.finished_at IS NOT NULL""",
    "a run's events tell its end once, when it has ended": """
        SELECT r.id, r.status, count(e.seq) FROM runs r LEFT JOIN events e ON e.run_id = r.id
          AND e.type IN ('run.finished', 'run.merged')
        GROUP BY r.id HAVING count(e.seq) <> (r.finished_at IS NOT NULL)::int""",
    "every pause and end that its caller wants to hear of is in the outbox once": """
        SELECT run_id, event, sent.times, noted.times FROM (
          SELECT e.run_id, replace(e.type, 'merged', 'finished') AS event, count(*) AS times
          FROM events e JOIN runs r ON r.id = e.run_id AND r.callback_url IS NOT NULL
          WHERE e.type IN ('run.interrupted', 'run.finished', 'run.merged') GROUP BY 1, 2) sent
        FULL JOIN (SELECT run_id, event, count(*) AS times FROM callbacks
                   WHERE event IN ('run.interrupted', 'run.finished') GROUP BY 1, 2) noted
          USING (run_id, event) WHERE sent.times IS DISTINCT FROM noted.times""",
    "every callback of the outbox is delivered": """
        SELECT id, run_id, event, status, attempts, last_error FROM callbacks
        WHERE status <> 'delivered'""",
    "the callbacks of a run are numbered without a gap": """
        SELECT run_id, count(*), max(number) FROM callbacks
        GROUP BY run_id HAVING max(number) <> count(*)""",
    "what was on its way to a desk got there, or a person had the ticket": """
        SELECT id, ticket_id, kind, status, attempts, last_error FROM deliveries
        WHERE status <> 'sent' AND NOT (kind = 'reply' AND status = 'overtaken')""",
    "every fact of a hook is acted on": """
        SELECT id, connection_id, event, status, attempts, note FROM inbox
        WHERE status <> 'done'""",
    "a reply that a person came before is a draft for people": """
        SELECT r.id, r.ticket_id FROM deliveries r LEFT JOIN deliveries d
          ON (d.tenant_id, d.key) = (r.tenant_id, r.key) AND d.kind = 'draft'
        WHERE r.kind = 'reply' AND r.status = 'overtaken' AND d.id IS NULL""",
    "what is remembered as said is what the desk got": """
        SELECT m.ticket_id, m.key, m.public, d.status FROM messages m
        JOIN deliveries d ON (d.tenant_id, d.key) = (m.tenant_id, m.key) AND d.kind = 'reply'
        WHERE m.public <> (d.status = 'sent')""",
}  # fmt: skip

UNKNOWN = """
    SELECT l.tool, l.args FROM ledger l
    LEFT JOIN sandbox_refunds r ON (r.tenant_id, r.idempotency_key) = (l.tenant_id, l.key)
    LEFT JOIN sandbox_cancellations c ON (c.tenant_id, c.idempotency_key) = (l.tenant_id, l.key)
    WHERE l.status = 'started' AND r.id IS NULL AND c.id IS NULL"""


def broken(books: psycopg.Connection) -> list[str]:
    """Every law that does not hold, with the rows that break it."""
    return [
        f"{law}: {row}"
        for law, query in LAWS.items()
        for row in books.execute(query.encode()).fetchmany(20)
    ]


def effects(books: psycopg.Connection) -> tuple[set[Effect], set[tuple[str, str]]]:
    """What the provider's books say happened, and what began without anybody knowing its end."""
    refunds = books.execute("SELECT payment_id, amount_minor FROM sandbox_refunds")
    done: set[Effect] = {("refund", payment, amount) for payment, amount in refunds}
    cancelled = books.execute("SELECT subscription_id FROM sandbox_cancellations")
    done |= {("cancel", subscription, 0) for (subscription,) in cancelled}
    unknown: set[tuple[str, str]] = set()
    for tool, args in books.execute(UNKNOWN.encode()):
        if tool == "refund_payment":
            unknown.add(("refund", args["payment_id"]))
        elif tool == "cancel_subscription":
            unknown.add(("cancel", args["subscription_id"]))
    return done, unknown


def mailed(books: psycopg.Connection) -> dict[str, int]:
    """How many people a mailing reached or perhaps reached, by its key."""
    query = (
        "SELECT key, count(*) FROM mail_recipients WHERE status IN ('sent','unknown') GROUP BY 1"
    )
    return {str(key): int(count) for key, count in books.execute(query)}
