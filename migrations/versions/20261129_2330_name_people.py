"""People in the API: whom a key decides for, one shape of it in events, and what they wrote."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

AUTHORS = "messages_author_known"

FUNCTION = """
CREATE OR REPLACE FUNCTION deskgraph_note_approval() RETURNS trigger LANGUAGE plpgsql AS $$
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
      'expires_at', NEW.expires_at{decided_by});
  RETURN NULL;
END $$"""
# The last who agreed; the approval's `decisions` name all. Its nulls stay.
LAST = """))
    || CASE WHEN NEW.decision -> 'deciders' -> -1 IS NULL THEN '{}'::jsonb
      ELSE jsonb_build_object('decided_by', NEW.decision -> 'deciders' -> -1) END"""
SIGNATURES = ", 'decided_by', NEW.decision ->> 'decided_by'))"


def upgrade() -> None:
    """Decisions from before name a key only, which is what they were."""
    op.add_column("decisions", sa.Column("on_behalf_of", sa.Text()))
    op.execute(FUNCTION.format(decided_by=LAST))
    op.drop_constraint(AUTHORS, "messages", type_="check")
    op.create_check_constraint(AUTHORS, "messages", "author IN ('customer','deskgraph','person')")


def downgrade() -> None:
    """The names of the people are lost, and what they wrote."""
    op.execute("DELETE FROM messages WHERE author = 'person'")
    op.drop_constraint(AUTHORS, "messages", type_="check")
    op.create_check_constraint(AUTHORS, "messages", "author IN ('customer','deskgraph')")
    op.execute(FUNCTION.format(decided_by=SIGNATURES))
    op.drop_column("decisions", "on_behalf_of")
