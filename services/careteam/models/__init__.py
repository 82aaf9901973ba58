"""What careteam keeps and what its rules speak about."""

from services.careteam.models import instruments, rows, tables
from services.careteam.models.tables import Base

__all__ = ["Base", "instruments", "rows", "tables"]
