"""Find a contact in the lists of mailings without reading them."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("mail_recipients_by_contact", "mail_recipients", ["tenant_id", "contact_id"])


def downgrade() -> None:
    op.drop_index("mail_recipients_by_contact", table_name="mail_recipients")
