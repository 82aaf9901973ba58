"""Patients who choose the day of their first visit themselves, of those that the carve-out offers them."""

from datetime import date
from itertools import islice
from zlib import crc32

from services.scheduling.models.demand import DayBook, PlanTerms, Told, Unscheduled
from services.scheduling.rules import carve_out

# As many days as a page offers.
_OFFERED = 10


def books(id: str, *, share: float) -> bool:
    """Tell whether a patient is one of the share that books alone; the same patient always is."""
    return crc32(f"books {id}".encode()) < share * 2**32


def choice(who: Unscheduled, book: DayBook, *, terms: PlanTerms, today: date) -> Told | None:
    """Choose one of the first days in time that are open to the priority, any of them; None without any."""
    offered = list(
        islice(carve_out.open_days(who, book, terms=terms, today=today, until=who.due_on), _OFFERED)
    )
    return offered[crc32(f"chooses {who.id}".encode()) % len(offered)] if offered else None
