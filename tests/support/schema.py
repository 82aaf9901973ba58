"""What a database is made of, to hold one schema against another."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.db import Database

_SCHEMA = """
SELECT format('column %s.%s %s %s default %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END,
              coalesce(pg_get_expr(d.adbin, d.adrelid), a.attidentity::text)) AS line
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relname <> 'alembic_version'
UNION ALL
SELECT format('constraint %s on %s %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
  AND conrelid::regclass::text <> 'alembic_version'
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
UNION ALL
SELECT format('enumeration %s %s', t.typname, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder))
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname
ORDER BY line
"""


async def schema(database: Database) -> Sequence[str]:
    """Describe every column, constraint, index and enumeration of a database, in a stable order."""
    async with database.engine.connect() as connection:
        return (await connection.execute(text(_SCHEMA))).scalars().all()
