"""Audit articles, agents, contacts, webhook endpoints and trained models as well.

A statement that changes many rows of one tenant is one event: an import of a thousand contacts is
one fact. See docs/adr/0035.
"""

from typing import NamedTuple

from alembic import op

revision = "0044"
down_revision = "0046"


class Audited(NamedTuple):
    """A table: what its events are called, its key, what is hashed of a row, and what may be said.

    Of contacts nothing but their number is written: an erasure deletes them, and what would stay
    could be compared with a guess.
    """

    table: str
    noun: str
    added: str
    changed: str
    key: str
    hashed: str
    said: str = "'{}'::jsonb"
    named: bool = True


TABLES = (
    Audited("articles", "article", "stored", "stored", "id", "title, content, language, questions"),
    Audited(
        "agents", "agent", "stored", "stored", "id",
        "name, skills, timezone, opens_hour, closes_hour, weekdays, away, max_load",
    ),
    Audited(
        "contacts", "contact", "stored", "stored", "id", "email, name, segments, unsubscribed",
        named=False,
    ),
    Audited("webhook_endpoints", "endpoint", "added", "changed", "id", "url, events"),
    Audited(
        "triage_models", "model", "trained", "changed", "version",
        "weights, threshold, source, active",
        "jsonb_build_object('active', bool_or(active))",
    ),
)  # fmt: skip
# Of one event; the number of rows is always said.
MAX_SUBJECTS = 100
OF_OWNER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT"


def upgrade() -> None:
    """A function for each table and each thing that may happen to its rows."""
    for audited in TABLES:
        for event, rows, kind in _happenings(audited):
            name = f"deskgraph_audit_{audited.table}_{event.lower()}"
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger {OF_OWNER} AS $$\n"
                f"{_body(audited, rows, kind)}$$"
            )
            given = {"INSERT": "NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows"}
            both = "OLD TABLE AS old_rows NEW TABLE AS new_rows"
            op.execute(
                f"CREATE TRIGGER audit_{event.lower()} AFTER {event} ON {audited.table}"
                f" REFERENCING {given.get(event, both)}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            )


def downgrade() -> None:
    """Drop them; the events stay."""
    for audited in TABLES:
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER audit_{event} ON {audited.table}")
            op.execute(f"DROP FUNCTION deskgraph_audit_{audited.table}_{event}()")


def _happenings(audited: Audited) -> list[tuple[str, str, str]]:
    """The event of Postgres, the rows that it is about, and what it is called."""
    sides = (f"({_columns(audited, side)})" for side in ("new_rows", "old_rows"))
    # Constants of this file, as in `_body`.
    updated = (
        f"(SELECT new_rows.* FROM new_rows JOIN old_rows USING (tenant_id, {audited.key})"  # noqa: S608
        f" WHERE {' IS DISTINCT FROM '.join(sides)})"
    )
    return [
        ("INSERT", "new_rows", audited.added),
        ("UPDATE", updated, audited.changed),
        ("DELETE", "old_rows", "removed"),
    ]


def _columns(audited: Audited, side: str) -> str:
    return ", ".join(f"{side}.{column}" for column in audited.hashed.split(", "))


def _body(audited: Audited, rows: str, kind: str) -> str:
    named = f"(array_agg('{audited.noun}:' || {audited.key} ORDER BY {audited.key}))"
    subjects = f"{named}[1:{MAX_SUBJECTS}]" if audited.named else "'{}'::text[]"
    row = f"encode(sha256(convert_to(jsonb_build_array({audited.hashed})::text, 'UTF8')), 'hex')"
    content = f"string_agg({row}, '' ORDER BY {audited.key})" if audited.named else "count(*)::text"
    return f"""
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT tenant_id, {subjects} AS about, {content} AS content,
      jsonb_build_object('count', count(*)) || {audited.said} AS said
    FROM {rows} AS changed GROUP BY tenant_id
  LOOP
    PERFORM deskgraph_audit_append(found.tenant_id, '{audited.noun}.{kind}', found.about,
      found.said, found.content);
  END LOOP;
  RETURN NULL;
END """  # noqa: S608
