"""What Alembic runs for the versions of the identity database."""

from shared.auth.people.models import IdentityBase
from shared.db.migrate import run_migrations

run_migrations(IdentityBase.metadata)
