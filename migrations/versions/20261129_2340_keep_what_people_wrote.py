"""Keep what people wrote: a third author of messages."""

from alembic import op

revision = "0035"
down_revision = "0034"

NAME = "messages_author_known"


def upgrade() -> None:
    """A person, beside the customer and deskgraph."""
    op.drop_constraint(NAME, "messages", type_="check")
    op.create_check_constraint(NAME, "messages", "author IN ('customer','deskgraph','person')")


def downgrade() -> None:
    """What people wrote goes with their kind of message."""
    op.execute("DELETE FROM messages WHERE author = 'person'")
    op.drop_constraint(NAME, "messages", type_="check")
    op.create_check_constraint(NAME, "messages", "author IN ('customer','deskgraph')")
