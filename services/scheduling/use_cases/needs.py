"""What visits need, worked out once in a process, with what is known of how full the calendar is."""

from dataclasses import dataclass
from datetime import datetime

from services.scheduling import rules
from services.scheduling.settings import Desk
from shared.clinic import Visit


@dataclass(slots=True)
class KeptNeed:
    """What a visit needs, and until when all of it is taken, as of so many times that time was given back.

    What is full stays full until somebody gives time back, so whoever looks for the earliest time may begin
    there; the constraint decides, and this is only where to look first.
    """

    need: rules.Need
    full_until: datetime | None = None
    freed: int = 0


def kept_need(visit: Visit, *, site_id: str, purpose: str, desk: Desk) -> KeptNeed:
    """Give what a visit at a site needs; the same object for the same visit."""
    key = (site_id, purpose, visit.discipline, visit.room, visit.minutes)
    found = desk.remembered.needs.get(key)
    if not isinstance(found, KeptNeed):
        need = rules.need_of(desk.clinic, site_id=site_id, visit=visit, purpose=purpose)
        found = desk.remembered.needs[key] = KeptNeed(need)
    return found
