"""Migrations: each service's Alembic versions, run in one transaction, forward only.

Invariants:
- A database is at a known version or was not touched: an upgrade that fails rolls back as a whole.
- Two starters of one database take turns (an advisory lock), and every migration gives up rather than wait
  behind a long transaction (`lock_timeout`, set in each version).
- What the migrations build is what the models declare (`schema` of both is the same; a test holds it).

Versions are numbered, and their files begin with the number, so that a start which finds the newest one in
the database needs nothing of Alembic, which takes a third of a second to import.
"""

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, DateTime, MetaData, String, text
from sqlalchemy.types import TypeDecorator

from shared.db.database import Database

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.config import Config

_LOCK = 7_110_001
_VERSION = '''"""{title}."""

import sqlalchemy as sa
from alembic import op
{dialect}
revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    {body}
'''


async def upgrade(database: Database, *, package: str, to: str | None = None) -> None:
    """Bring a database to the newest version of a service (`services.referral`), or `to` an older one."""
    wanted = to or head(package)
    if await current(database) == wanted:
        return
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade, package, wanted or "head")


async def current(database: Database) -> str | None:
    """Tell the version that a database is at, None for one without tables."""
    async with database.engine.connect() as connection:
        known = await connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
        if not known.scalar_one():
            return None
        return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()


def head(package: str) -> str | None:
    """Tell the newest version that a service has."""
    versions = (_folder(package) / "versions").glob("[0-9]*_*.py")
    return max((path.name.partition("_")[0] for path in versions), default=None)


def run_migrations(metadata: MetaData) -> None:
    """Run what Alembic was asked for; the one call of every `migrations/env.py`."""
    from alembic import context

    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


async def write_revision(database: Database, metadata: MetaData, *, package: str, title: str) -> Path | None:
    """Write the version that leads from this database's schema to the models; None where they agree."""
    async with database.engine.connect() as connection:
        body = await connection.run_sync(_difference, metadata)
    if not body:
        return None
    down = head(package)
    number = f"{int(down) + 1 if down else 1:04d}"
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    path = _folder(package) / "versions" / f"{number}_{name}.py"
    path.parent.mkdir(exist_ok=True)
    dialect = "from sqlalchemy.dialects import postgresql\n" if "postgresql." in body else ""
    path.write_text(_VERSION.format(title=title, dialect=dialect, revision=number, down=down, body=body))
    return path


def _upgrade(connection: Connection, package: str, to: str) -> None:
    from alembic import command

    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    config = _config(package)
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _config(package: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_folder(package)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"there is no package {package}", name=package)
    return Path(found.origin).parent / "migrations"


def _difference(connection: Connection, metadata: MetaData) -> str:
    from alembic.autogenerate import produce_migrations, render_python_code
    from alembic.migration import MigrationContext

    migration = MigrationContext.configure(connection, opts={"compare_type": True})
    changes = produce_migrations(migration, metadata).upgrade_ops
    if changes is None or changes.is_empty():
        return ""
    body = render_python_code(changes, migration_context=migration, render_item=_rendered)
    return "\n".join(line for line in body.splitlines() if not line.lstrip().startswith("# ###")).strip()


def _rendered(kind: str, item: Any, autogen: "AutogenContext") -> str | Literal[False]:
    """Write SQLModel's own types as the plain ones that they are in the database."""
    if kind == "type" and isinstance(item, TypeDecorator) and isinstance(item.impl_instance, DateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, TypeDecorator) and isinstance(item.impl_instance, String):
        length = item.impl_instance.length
        return f"sa.String(length={length})" if length else "sa.String()"
    return False
