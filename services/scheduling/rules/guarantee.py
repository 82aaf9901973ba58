"""The promise of the first appointment, and its two clocks.

- The raw clock runs from the sending of the referral; nothing stops it, and `due_at` never moves.
- The adjusted clock leaves out the local days that the patient's own doing cost: days on which the patient
  said not to be available, and all days from a visit that the patient missed or called off to the visit that
  stands in its place. A day counts once, however many reasons it has.
- A visit inside the promise whose outcome is not recorded yet leaves the promise open, even after its end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import local_days
from services.scheduling.rules.intervals import clipped
from services.scheduling.states import STANDING, AppointmentStatus
from shared.fhir.codes import GuaranteeStatus


@dataclass(frozen=True, kw_only=True)
class FirstVisit:
    """A first appointment, standing, held, missed or called off."""

    status: str
    start: datetime | None
    patient_caused: bool = False

    @property
    def lost_by_patient(self) -> bool:
        """The patient did not come, or called it off."""
        return self.status == AppointmentStatus.MISSED or (
            self.status == AppointmentStatus.CANCELLED and self.patient_caused
        )


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Days from sending to the first appointment: as they are, and less the patient's own delays."""

    raw: int
    adjusted: int


def promise_status(
    visits: Sequence[FirstVisit],
    *,
    now: datetime,
    due_at: datetime,
    at_risk_days: int,
    ended: bool,
    before: GuaranteeStatus,
) -> GuaranteeStatus:
    """Tell how the promise stands; what was met, broken or ended stays so."""
    if before in (GuaranteeStatus.MET, GuaranteeStatus.BREACHED, GuaranteeStatus.ENDED):
        return before
    inside = [visit for visit in visits if visit.start is not None and visit.start < due_at]
    if any(visit.status == AppointmentStatus.FULFILLED for visit in inside):
        return GuaranteeStatus.MET
    if ended:
        return GuaranteeStatus.ENDED
    if any(visit.status in STANDING for visit in inside):
        return GuaranteeStatus.ON_TRACK
    if now >= due_at:
        return GuaranteeStatus.BREACHED
    waits = any(visit.status == AppointmentStatus.WAITLIST for visit in visits)
    late = any(visit.status in STANDING for visit in visits)
    if waits or late or now >= due_at - timedelta(days=at_risk_days):
        return GuaranteeStatus.AT_RISK
    return before


def clocks(
    visits: Sequence[FirstVisit], *, sent_at: datetime, unavailable: Iterable[Span], zone: ZoneInfo
) -> Clocks | None:
    """Count both clocks in local days up to the first appointment that is held or stands; None without."""
    held = [visit.start for visit in visits if visit.status == AppointmentStatus.FULFILLED and visit.start]
    stands = [visit.start for visit in visits if visit.status in STANDING and visit.start]
    if not (held or stands):
        return None
    end = min(held or stands)
    sent, seen = sent_at.astimezone(zone).date(), end.astimezone(zone).date()
    raw = max((seen - sent).days, 0)
    lost = _days_of_delay(visits, unavailable=unavailable, until=Span(sent_at, max(end, sent_at)), zone=zone)
    return Clocks(raw=raw, adjusted=raw - len([day for day in lost if sent <= day < seen]))


def _days_of_delay(
    visits: Iterable[FirstVisit], *, unavailable: Iterable[Span], until: Span, zone: ZoneInfo
) -> set[date]:
    away = clipped(unavailable, until)
    lost = [
        Span(visit.start, until.end)
        for visit in visits
        if visit.lost_by_patient and visit.start is not None and visit.start < until.end
    ]
    return {day for span in (*away, *lost) for day in local_days(span, zone)}
