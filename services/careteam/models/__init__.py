"""What careteam keeps and what its rules speak about."""

from services.careteam.models import instruments, rows, summary, tables
