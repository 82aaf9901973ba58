"""What Alembic runs for the portal's versions."""

from services.portal.models import Base
from shared.db.migrate import run_migrations

run_migrations(Base.metadata)
