"""Runs the migrations on the connection that `deskgraph migrate` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from app.db.core.base import Base
from app.db.core.types import EnumText, SafeJson, SafeText

# Their tables join the metadata.
from app.db.tables import (  # noqa: F401
    approvals_and_ledger,
    audit,
    connections,
    console,
    conversations,
    events,
    figures,
    knowledge,
    mailings,
    policy_changes,
    runs,
    sandbox,
    tenants,
    traces,
    webhooks,
)

# A migration that cannot get its lock gives up instead of holding up every request behind it.
LOCK_TIMEOUT = "5s"


def render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Our column types are TEXT and JSONB to the database."""
    if kind == "type" and isinstance(item, SafeText | EnumText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, SafeJson):
        return "postgresql.JSONB()"
    return False


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The saver's and Procrastinate's tables are theirs; pgvector's is not everywhere."""
    others = ("checkpoint", "procrastinate", "article_embeddings")
    return not (kind == "table" and (name or "").startswith(others))


def run(connection: Connection) -> None:
    """Upgrade inside one transaction."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        include_name=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
