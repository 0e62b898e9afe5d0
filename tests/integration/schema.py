"""The schema of a database, one line an object, as Postgres itself describes it."""

import psycopg

# Everything that a migration can make, but nothing of an extension and not Alembic's own table.
# NOT NULL stands with its column.
OBJECTS = """
WITH ours AS (
    SELECT oid, relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
), columns AS (
    SELECT o.relname, a.*, pg_get_expr(d.adbin, d.adrelid) AS value
    FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = o.oid AND d.adnum = a.attnum
)
SELECT concat_ws(' ', 'table', relname, string_agg(attname, ', ' ORDER BY attnum))
FROM columns GROUP BY relname
UNION ALL
SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN 'NOT NULL' END, nullif(attidentity::text, ''), value)
FROM columns
UNION ALL
SELECT concat_ws(' ', 'constraint', relname, conname, pg_get_constraintdef(k.oid))
FROM ours o JOIN pg_constraint k ON conrelid = o.oid AND contype <> 'n'
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM ours o JOIN pg_index ON indrelid = o.oid
UNION ALL
SELECT pg_get_triggerdef(t.oid) FROM ours o JOIN pg_trigger t ON tgrelid = o.oid
WHERE NOT tgisinternal
UNION ALL
SELECT pg_get_functiondef(p.oid) FROM pg_proc p
WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
UNION ALL
SELECT concat_ws(' ', 'sequence', c.relname, format_type(seqtypid, NULL), seqstart, seqincrement,
    seqmin, seqmax, seqcache, seqcycle)
FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid
WHERE c.relnamespace = 'public'::regnamespace
"""


def schema_of(url: str) -> list[str]:
    """Every object of the database, and for each table the order of its columns; sorted."""
    with psycopg.connect(url) as connection:
        return sorted(line for (line,) in connection.execute(OBJECTS))


def unordered_schema_of(url: str) -> list[str]:
    """The same without the order of columns: one that comes back stands behind the others."""
    return [line for line in schema_of(url) if not line.startswith("table ")]
