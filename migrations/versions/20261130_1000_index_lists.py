"""Indexes of what lists are narrowed down to, for tenants with a million runs."""

from alembic import op

revision = "0046"
down_revision = "0045"

# Name, table, columns, and of which rows.
INDEXES = (
    ("runs_by_outcome", "runs", "tenant_id, outcome, id", "outcome IS NOT NULL"),
    ("runs_by_creation", "runs", "tenant_id, created_at", None),
    ("runs_replays", "runs", "tenant_id, id", "replay_of IS NOT NULL"),
    ("runs_lost", "runs", "tenant_id, id", "losses > 0"),
    ("runs_from_cache", "runs", "tenant_id, id", """summary @> '{"cache_hit": true}'"""),
    (
        "runs_refused",
        "runs",
        "tenant_id, id",
        """summary @> '{"verdicts": [{"supported": false}]}'
            OR summary @> '{"escalation": {"reason": "no_valid_reply"}}'""",
    ),
    (
        "runs_by_connection",
        "runs",
        "tenant_id, (ticket -> 'connection' ->> 'id'), id",
        "ticket -> 'connection' ->> 'id' IS NOT NULL",
    ),
    ("runs_by_error", "runs", "tenant_id, (error ->> 'type'), id", "error IS NOT NULL"),
    ("steps_by_node", "steps", "tenant_id, node, run_id", None),
    (
        "model_calls_by_model",
        "model_calls",
        "tenant_id, (coalesce(answered, asked)), run_id",
        None,
    ),
    ("model_calls_failed", "model_calls", "tenant_id, error, run_id", "error IS NOT NULL"),
    ("model_calls_of_fallbacks", "model_calls", "tenant_id, run_id", "fallback"),
    ("callbacks_by_endpoint", "callbacks", "tenant_id, endpoint_id, id", "endpoint_id IS NOT NULL"),
    ("audit_events_by_time", "audit_events", "tenant_id, at", None),
)


def upgrade() -> None:
    """Only indexes."""
    for name, table, columns, where in INDEXES:
        op.execute(
            f"CREATE INDEX {name} ON {table} ({columns})" + (f" WHERE {where}" if where else "")
        )


def downgrade() -> None:
    """Lists are as slow as before."""
    for name, *_ in INDEXES:
        op.execute(f"DROP INDEX {name}")
