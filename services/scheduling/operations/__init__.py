"""What may be done with an appointment, a series, a Task and the roster: of these tables all else is made."""

from typing import Any

from services.scheduling.operations import appointments, booking, rosters, series, tasks
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.operations import OperationTable


def tables(cache: AvailabilityCache) -> tuple[OperationTable[Any], ...]:
    """Make the tables for a process, which keeps in `cache` what it need not work out again."""
    return appointments.table(cache), series.SERIES, tasks.TASKS, *rosters.ROSTER_TABLES


# For whoever reads what may be done; who does it makes tables with the cache of its process.
TABLES = tables(AvailabilityCache())
