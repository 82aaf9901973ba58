"""What Alembic runs for this service's versions."""

from services.notifications.models.tables import Base
from shared.db.migrate import run_migrations

run_migrations(Base.metadata)
