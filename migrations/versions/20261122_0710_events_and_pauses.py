"""What happened to runs, written down by triggers, and the pause switch."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

# Each event goes with the change it tells of: whoever changes a row cannot forget it, and it
# costs no statement. See docs/adr/0014.
RUNS = """
CREATE FUNCTION deskgraph_note_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data) VALUES (
    NEW.tenant_id, NEW.id,
    CASE
      WHEN TG_OP = 'INSERT' THEN 'run.created'
      WHEN NEW.status = OLD.status THEN 'run.cancel_requested'
      WHEN NEW.merged_into IS NOT NULL THEN 'run.merged'
      WHEN NEW.finished_at IS NOT NULL THEN 'run.finished'
      WHEN NEW.status = 'running' THEN 'run.started'
      WHEN NEW.status = 'interrupted' THEN 'run.interrupted'
      WHEN OLD.status = 'interrupted' THEN 'run.resumed'
      ELSE 'run.requeued'
    END,
    jsonb_strip_nulls(jsonb_build_object(
      'status', NEW.status, 'ticket_id', NEW.ticket_id,
      'attempt', NEW.attempt, 'outcome', NEW.outcome, 'error', NEW.error ->> 'type',
      'merged_into', NEW.merged_into, 'replay_of', NEW.replay_of)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_run_created AFTER INSERT ON runs
  FOR EACH ROW EXECUTE FUNCTION deskgraph_note_run();
CREATE TRIGGER events_run_changed AFTER UPDATE OF status, cancel_requested_at ON runs
  FOR EACH ROW WHEN (OLD.status <> NEW.status
    OR OLD.cancel_requested_at IS NULL AND NEW.cancel_requested_at IS NOT NULL)
  EXECUTE FUNCTION deskgraph_note_run();
"""
# A step that is closed because its run has ended says nothing that the run's end does not.
STEPS = """
CREATE FUNCTION deskgraph_note_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data)
  SELECT NEW.tenant_id, NEW.run_id, 'step.finished', jsonb_strip_nulls(jsonb_build_object(
      'node', NEW.node, 'status', NEW.status, 'attempt', NEW.attempt, 'tries', NEW.tries,
      'duration_ms', NEW.duration_ms, 'error', NEW.error ->> 'type'))
    FROM runs WHERE id = NEW.run_id AND finished_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER events_step_created AFTER INSERT ON steps
  FOR EACH ROW WHEN (NEW.status <> 'running') EXECUTE FUNCTION deskgraph_note_step();
CREATE TRIGGER events_step_changed AFTER UPDATE OF status ON steps
  FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status <> 'running')
  EXECUTE FUNCTION deskgraph_note_step();
"""
APPROVALS = """
CREATE FUNCTION deskgraph_note_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data) VALUES (
    NEW.tenant_id, NEW.run_id,
    CASE
      WHEN TG_OP = 'INSERT' THEN 'approval.opened'
      WHEN NEW.status = 'pending' THEN 'approval.answered'
      ELSE 'approval.decided'
    END,
    jsonb_strip_nulls(jsonb_build_object(
      'approval_id', NEW.id, 'kind', NEW.kind, 'status', NEW.status,
      'required_approvers', NEW.required_approvers, 'answers', NEW.answers,
      'expires_at', NEW.expires_at, 'decided_by', NEW.decision ->> 'decided_by')));
  RETURN NULL;
END $$;
CREATE TRIGGER events_approval_opened AFTER INSERT ON approvals
  FOR EACH ROW EXECUTE FUNCTION deskgraph_note_approval();
CREATE TRIGGER events_approval_changed AFTER UPDATE OF status, answers ON approvals
  FOR EACH ROW WHEN (NEW.status <> 'cancelled'
    AND (OLD.status <> NEW.status OR OLD.answers <> NEW.answers))
  EXECUTE FUNCTION deskgraph_note_approval();
"""
EFFECTS = """
CREATE FUNCTION deskgraph_note_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (tenant_id, run_id, type, data) VALUES (
    NEW.tenant_id, NEW.run_id,
    CASE
      WHEN NEW.status = 'failed' THEN 'effect.failed'
      WHEN NEW.tool = 'send_reply' THEN 'reply.sent'
      ELSE 'effect.done'
    END,
    jsonb_strip_nulls(jsonb_build_object(
      'tool', NEW.tool, 'key', NEW.key, 'step_id', NEW.step_id,
      'amount_minor', NEW.amount_minor, 'currency', NEW.currency)));
  RETURN NULL;
END $$;
CREATE TRIGGER events_effect_ended AFTER UPDATE OF status ON ledger
  FOR EACH ROW WHEN (OLD.status = 'started' AND NEW.status <> 'started')
  EXECUTE FUNCTION deskgraph_note_effect();
"""


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column(
            "txid",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("txid", "seq"),
    )
    op.create_index("events_by_tenant", "events", ["tenant_id", "txid", "seq"])
    op.create_index("events_by_run", "events", ["tenant_id", "run_id", "txid", "seq"])
    for statements in (RUNS, STEPS, APPROVALS, EFFECTS):
        op.execute(statements)
    op.create_table(
        "pauses",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column(
            "paused_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id"),
    )
    op.create_check_constraint("tenants_not_everyone", "tenants", "id <> '*'")


def downgrade() -> None:
    op.drop_constraint("tenants_not_everyone", "tenants")
    op.drop_table("pauses")
    for name in ("run", "step", "approval", "effect"):
        op.execute(f"DROP FUNCTION deskgraph_note_{name}() CASCADE")
    op.drop_table("events")
