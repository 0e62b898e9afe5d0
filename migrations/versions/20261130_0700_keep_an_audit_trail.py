"""Keep an audit trail that is only appended to, and policy changes that wait for a second admin.

Triggers write the events: see docs/adr/0035.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0040"

TIME = sa.DateTime(timezone=True)
NOW = sa.text("now()")
JSON = postgresql.JSONB()

# Subject, table and when its trigger fires.
TRIGGERS = (
    ("approval", "approvals", "INSERT", ""),
    ("approval", "approvals", "UPDATE OF status", "OLD.status <> NEW.status"),
    ("decision", "decisions", "INSERT", ""),
    # A reply begins as often as it ends: its end says all of it.
    ("effect", "ledger", "INSERT", "NEW.tool <> 'send_reply' OR NEW.status <> 'started'"),
    (
        "effect",
        "ledger",
        "UPDATE OF status",
        "OLD.status <> NEW.status AND (NEW.tool <> 'send_reply' OR NEW.status <> 'started')",
    ),
    ("policy", "policies", "INSERT", ""),
    ("policy_change", "policy_changes", "INSERT", ""),
    ("policy_change", "policy_changes", "UPDATE OF status", "OLD.status <> NEW.status"),
    ("key", "api_keys", "INSERT", ""),
    (
        "key",
        "api_keys",
        "UPDATE",
        "(OLD.scopes, OLD.approve_limits, OLD.person, OLD.secret_sha256, OLD.revoked_at)"
        " IS DISTINCT FROM"
        " (NEW.scopes, NEW.approve_limits, NEW.person, NEW.secret_sha256, NEW.revoked_at)",
    ),
    ("connection", "connections", "INSERT", ""),
    (
        "connection",
        "connections",
        "UPDATE",
        "(OLD.name, OLD.settings, OLD.credentials, OLD.secrets, OLD.paused_because, OLD.removed_at)"
        " IS DISTINCT FROM"
        " (NEW.name, NEW.settings, NEW.credentials, NEW.secrets, NEW.paused_because,"
        " NEW.removed_at)",
    ),
    ("takeover", "takeovers", "INSERT", ""),
    ("takeover", "takeovers", "UPDATE", "OLD.handled_by <> NEW.handled_by"),
    ("takeover", "takeovers", "DELETE", ""),
    ("pause", "pauses", "INSERT", ""),
    ("pause", "pauses", "DELETE", ""),
    ("erasure", "erasures", "INSERT", ""),
    ("sign_in", "console_sessions", "INSERT", ""),
)
APPEND_ONLY = ("audit_events", "audit_seals")
# They run as their owner, so that the service's role needs no right to write events.
OF_OWNER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT"

# The id is a UUID of version 7: random bytes behind 48 bits of milliseconds (RFC 9562, 5.7).
APPEND = """
CREATE FUNCTION deskgraph_audit_append(tenant text, what text, about text[], said jsonb,
  content text, by_key text DEFAULT NULL, by_person text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql AS $$
DECLARE
  named text := nullif(current_setting('deskgraph.actor', true), '');
  key text := coalesce(by_key, CASE WHEN named LIKE 'key:%' THEN substr(named, 5) END);
  person text := coalesce(by_person,
    (SELECT coalesce(api_keys.person, name) FROM api_keys WHERE api_keys.id = key));
  new_id uuid := encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring(
    int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid;
BEGIN
  INSERT INTO audit_events (tenant_id, id, at, kind, actor, actor_key, actor_sha256, subjects,
      facts, content_sha256)
    VALUES (tenant, new_id, clock_timestamp(), what,
      CASE WHEN key IS NOT NULL THEN 'key' WHEN named IS NOT NULL THEN named ELSE 'service' END,
      key, encode(sha256(convert_to(tenant || chr(31) || person, 'UTF8')), 'hex'),
      array_remove(about, NULL), jsonb_strip_nulls(said),
      encode(sha256(convert_to(content, 'UTF8')), 'hex'));
  INSERT INTO audit_unsealed (tenant_id, event_id) VALUES (tenant, new_id);
END $$;
"""
FUNCTIONS = {
    "approval": """
  PERFORM deskgraph_audit_append(NEW.tenant_id,
    CASE WHEN TG_OP = 'INSERT' THEN 'approval.opened' ELSE 'approval.closed' END,
    ARRAY['approval:' || NEW.id, 'run:' || NEW.run_id],
    jsonb_build_object('kind', NEW.kind, 'status', NEW.status, 'digest', NEW.digest,
      'required_approvers', NEW.required_approvers),
    jsonb_build_array(NEW.steps, NEW.gate, NEW.decision)::text);""",
    "decision": """
  PERFORM deskgraph_audit_append(NEW.tenant_id, 'decision.made',
    ARRAY['approval:' || NEW.approval_id,
      'run:' || (SELECT run_id FROM approvals WHERE approvals.id = NEW.approval_id)],
    jsonb_build_object('number', NEW.number, 'verdict', NEW.verdict,
      'shown_digest', NEW.shown_digest, 'digest', NEW.digest),
    NEW.comment, NEW.key_id, NEW.on_behalf_of);""",
    "effect": """
  PERFORM deskgraph_audit_append(NEW.tenant_id,
    CASE NEW.status WHEN 'started' THEN 'effect.begun' ELSE 'effect.' || NEW.status END,
    ARRAY['effect:' || NEW.key, 'run:' || NEW.run_id, 'approval:' || NEW.approval_id,
      'connection:' || NEW.connection_id],
    jsonb_build_object('tool', NEW.tool, 'amount_minor', NEW.amount_minor,
      'currency', NEW.currency),
    jsonb_build_array(NEW.args, NEW.result, NEW.error)::text);""",
    "policy": """
  PERFORM deskgraph_audit_append(NEW.tenant_id, 'policy.changed', ARRAY['policy:' || NEW.version],
    jsonb_build_object('version', NEW.version), NEW.body::text);""",
    "policy_change": """
  PERFORM deskgraph_audit_append(NEW.tenant_id, 'policy_change.' || NEW.status,
    ARRAY['policy_change:' || NEW.id, 'policy:' || NEW.version],
    jsonb_build_object('loosens', NEW.loosens, 'base_version', NEW.base_version),
    NEW.body::text, CASE WHEN TG_OP = 'INSERT' THEN NEW.asked_key ELSE NEW.decided_key END);""",
    "key": """
  PERFORM deskgraph_audit_append(NEW.tenant_id,
    CASE WHEN TG_OP = 'INSERT' THEN 'key.issued'
      WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN 'key.revoked'
      ELSE 'key.changed' END,
    ARRAY['key:' || NEW.id],
    jsonb_build_object('scopes', NEW.scopes, 'approve_limits', NEW.approve_limits),
    jsonb_build_array(NEW.name, NEW.person, encode(NEW.secret_sha256, 'hex'))::text);""",
    "connection": """
  PERFORM deskgraph_audit_append(NEW.tenant_id,
    CASE WHEN TG_OP = 'INSERT' THEN 'connection.added'
      WHEN OLD.removed_at IS NULL AND NEW.removed_at IS NOT NULL THEN 'connection.removed'
      ELSE 'connection.changed' END,
    ARRAY['connection:' || NEW.id],
    jsonb_build_object('kind', NEW.kind, 'paused', NEW.paused_because IS NOT NULL,
      'credentials_sha256', encode(sha256(NEW.credentials), 'hex')),
    jsonb_build_array(NEW.name, NEW.settings, NEW.paused_because)::text);""",
    "takeover": """
  PERFORM deskgraph_audit_append(coalesce(NEW.tenant_id, OLD.tenant_id),
    CASE WHEN TG_OP = 'DELETE' THEN 'ticket.handed_back' ELSE 'ticket.taken_over' END,
    ARRAY['ticket:' || coalesce(NEW.ticket_id, OLD.ticket_id)],
    '{}', coalesce(NEW.handled_by, OLD.handled_by));""",
    "pause": """
  PERFORM deskgraph_audit_append(coalesce(NEW.tenant_id, OLD.tenant_id),
    CASE WHEN TG_OP = 'DELETE' THEN 'pause.ended' ELSE 'pause.begun' END,
    '{}', '{}', coalesce(NEW.paused_by, OLD.paused_by));""",
    "erasure": """
  PERFORM deskgraph_audit_append(NEW.tenant_id, 'customer.erased',
    ARRAY['erasure:' || NEW.id, 'customer:' || NEW.pseudonym], NEW.counts, NEW.counts::text);""",
    "sign_in": """
  PERFORM deskgraph_audit_append(NEW.tenant_id, 'person.signed_in', ARRAY['key:' || NEW.key_id],
    jsonb_build_object('with', NEW.signed_in_with), encode(NEW.id_sha256, 'hex'), NEW.key_id);""",
}
REFUSE = """
CREATE FUNCTION deskgraph_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is only appended to: % is refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'insufficient_privilege';
END $$;
"""


def upgrade() -> None:
    """Four tables, and the triggers that fill the first and protect two."""
    _policy_changes()
    _audit()
    op.execute(APPEND)
    # Only the triggers may call it: their functions run as the owner.
    op.execute(
        "REVOKE EXECUTE ON FUNCTION"
        " deskgraph_audit_append(text, text, text[], jsonb, text, text, text) FROM PUBLIC"
    )
    for subject, body in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION deskgraph_audit_{subject}() RETURNS trigger {OF_OWNER} AS $$"
            f"BEGIN{body}\n  RETURN NULL;\nEND $$"
        )
    for number, (subject, table, event, when) in enumerate(TRIGGERS):
        op.execute(
            f"CREATE TRIGGER audit_{subject}_{number} AFTER {event} ON {table} FOR EACH ROW"
            f" {f'WHEN ({when})' if when else ''} EXECUTE FUNCTION deskgraph_audit_{subject}()"
        )
    op.execute(REFUSE)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION deskgraph_audit_refuse()"
        )


def downgrade() -> None:
    """Drop what was added; the trail goes with it."""
    for number, (subject, table, _, _) in enumerate(TRIGGERS):
        op.execute(f"DROP TRIGGER audit_{subject}_{number} ON {table}")
    for table in ("audit_unsealed", "audit_seals", "audit_events", "policy_changes"):
        op.drop_table(table)
    for subject in FUNCTIONS:
        op.execute(f"DROP FUNCTION deskgraph_audit_{subject}()")
    op.execute("DROP FUNCTION deskgraph_audit_append(text, text, text[], jsonb, text, text, text)")
    op.execute("DROP FUNCTION deskgraph_audit_refuse()")


def _policy_changes() -> None:
    op.create_table(
        "policy_changes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("loosens", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("asked_key", sa.Text(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger()),
        sa.Column("decided_key", sa.Text(), sa.ForeignKey("api_keys.id")),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", TIME),
        sa.CheckConstraint(
            "status IN ('pending','confirmed','refused','expired','alone')",
            name="policy_changes_status_known",
        ),
        sa.CheckConstraint(
            "(version IS NOT NULL) = (status IN ('confirmed','alone'))",
            name="policy_changes_applied_has_version",
        ),
    )
    op.create_index("policy_changes_by_tenant", "policy_changes", ["tenant_id", "id"])
    op.create_index(
        "policy_changes_expiring", "policy_changes", ["expires_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )  # fmt: skip


def _audit() -> None:
    op.create_table(
        "audit_events",
        # No foreign key: the switch for every tenant has a chain as well.
        sa.Column("tenant_id", sa.Text(), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_key", sa.Text()),
        sa.Column("actor_sha256", sa.Text()),
        sa.Column("subjects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
    )
    op.create_index("audit_events_by_kind", "audit_events", ["tenant_id", "kind", "id"])
    op.create_index("audit_events_by_subject", "audit_events", ["subjects"], postgresql_using="gin")
    op.create_table(
        "audit_seals",
        sa.Column("tenant_id", sa.Text(), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("sealed_at", TIME, server_default=NOW, nullable=False),
        sa.UniqueConstraint("tenant_id", "event_id", name="audit_seals_one_an_event"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "event_id"], ["audit_events.tenant_id", "audit_events.id"],
            name="audit_seals_of_an_event",
        ),
    )  # fmt: skip
    # What waits for its seal: a row that commits late is found here, whatever its id is.
    op.create_table(
        "audit_unsealed",
        sa.Column("tenant_id", sa.Text(), primary_key=True),
        sa.Column("event_id", sa.Uuid(), primary_key=True),
    )
