"""A free time that was picked in the calendar, and for whom one is looked for: carried in addresses.

It goes with the person from the calendar over the patient and the visit, and back to the calendar.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from services.portal.reading import moment_of

_FOR_WHOM = ("patient", "referral", "visit")
_LONGEST = timedelta(days=1)
_VIEWS = ("clinician", "room")
# Visits begin at full quarter hours.
_STEP = timedelta(minutes=15)
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def address(path: str, carried: Mapping[str, str], **more: str | None) -> str:
    """Write an address with what is carried, with these of it changed; what is empty is left out."""
    query = {name: value for name, value in {**carried, **more}.items() if value}
    return f"{path}?{urlencode(query)}" if query else path


def for_whom(query: Mapping[str, str]) -> dict[str, str]:
    """Give of an address for whom a time is looked for, and for which visit."""
    return {name: query[name] for name in _FOR_WHOM if query.get(name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """What was picked: a clinician or a room, and the free time from `at` until `until`; all may be missing.

    `by` is the view of the calendar in which it was picked; empty where the person does not come from it.
    """

    clinician: str = ""
    room: str = ""
    at: datetime | None = None
    until: datetime | None = None
    by: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], *, now: datetime) -> "Picked":
        """Read it from an address; a time that is over, or is none, was not picked."""
        at, until = moment_of(query.get("at")), moment_of(query.get("until"))
        if at is None or until is None or not max(at, now) < until <= at + _LONGEST:
            at = until = None
        by = query.get("by", "")
        return cls(
            clinician=_id(query, "clinician"),
            room=_id(query, "room"),
            at=at,
            until=until,
            by=by if by in _VIEWS else "",
        )

    @property
    def carried(self) -> dict[str, str]:
        """What of it stands in an address."""
        times = {"at": self.at, "until": self.until}
        named = {"clinician": self.clinician, "room": self.room, "by": self.by}
        return named | {name: time.isoformat() for name, time in times.items() if time is not None}

    def first_start(self, now: datetime) -> datetime | None:
        """Give the first full quarter hour of the picked time that is to come."""
        if self.at is None:
            return None
        start = max(self.at, now)
        behind = (start - datetime.min.replace(tzinfo=start.tzinfo)) % _STEP
        return start + (_STEP - behind if behind else timedelta())


def _id(query: Mapping[str, str], name: str) -> str:
    text = query.get(name, "")
    return text if _ID.fullmatch(text) else ""
