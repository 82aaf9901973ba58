"""The guarantee of the first appointment, and its two clocks.

- The raw clock runs from the sending of the referral; nothing stops it, and `due_at` never moves.
- The adjusted clock leaves out the local days that the patient's own doing cost: days on which the patient
  said not to be available, and all days from a visit that the patient missed or called off to the visit that
  stands in its place. A day counts once, however many reasons it has.
- A visit inside the guarantee whose outcome is not recorded yet leaves it open, even after its end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import local_days
from services.scheduling.rules.intervals import clipped
from services.scheduling.states import STANDING, AppointmentStatus, ReferralState
from shared.fhir.codes import GuaranteeStatus

_ASK_AGAIN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Days from sending to the first appointment: as they are, and less the patient's own delays."""

    raw: int
    adjusted: int


def evaluate(
    referral: Referral,
    visits: Sequence[Appointment],
    *,
    before: str,
    unbooked_since: datetime | None,
    now: datetime,
    at_risk_days: int,
    zone: ZoneInfo,
) -> dict[str, Any]:
    """Return what a guarantee is by all first appointments: its columns.

    `before` is the status that it has, `unbooked_since` since when it is in danger with nothing booked.
    """
    status = status_now(
        visits,
        now=now,
        due_at=referral.due_at,
        at_risk_days=at_risk_days,
        ended=referral.state == ReferralState.ENDED,
        before=GuaranteeStatus(before),
    )
    days = clocks(visits, sent_at=referral.sent_at, unavailable=referral.away, zone=zone)
    raw, adjusted = (None, None) if days is None else (days.raw, days.adjusted)
    waits = is_unbooked(status, visits, ended=referral.state == ReferralState.ENDED)
    since = (unbooked_since or now) if waits else None
    return {"status": status, "raw_days": raw, "adjusted_days": adjusted, "unbooked_since": since}


def is_unbooked(status: GuaranteeStatus, visits: Sequence[Appointment], *, ended: bool) -> bool:
    """Tell whether a guarantee is at risk or broken while nothing is booked and nobody was seen."""
    in_danger = status in (GuaranteeStatus.AT_RISK, GuaranteeStatus.BREACHED)
    booked = any(visit.status in (*STANDING, AppointmentStatus.FULFILLED) for visit in visits)
    return in_danger and not ended and not booked


def asked_again_at(due_at: datetime, *, now: datetime) -> datetime:
    """Return when a guarantee is looked at again whose visit nobody recorded: full days after its end."""
    return due_at + _ASK_AGAIN * ((now - due_at) // _ASK_AGAIN + 1)


def status_now(
    visits: Sequence[Appointment],
    *,
    now: datetime,
    due_at: datetime,
    at_risk_days: int,
    ended: bool,
    before: GuaranteeStatus,
) -> GuaranteeStatus:
    """Return the status of the guarantee; what was met, broken or ended stays so."""
    if before in (GuaranteeStatus.MET, GuaranteeStatus.BREACHED, GuaranteeStatus.ENDED):
        return before
    inside = [visit for visit in visits if visit.starts_at is not None and visit.starts_at < due_at]
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
    visits: Sequence[Appointment], *, sent_at: datetime, unavailable: Iterable[Span], zone: ZoneInfo
) -> Clocks | None:
    """Count both clocks in local days up to the first appointment that is held or stands; None without."""
    held = [
        visit.starts_at for visit in visits if visit.status == AppointmentStatus.FULFILLED and visit.starts_at
    ]
    stands = [visit.starts_at for visit in visits if visit.status in STANDING and visit.starts_at]
    if not (held or stands):
        return None
    end = min(held or stands)
    sent, seen = sent_at.astimezone(zone).date(), end.astimezone(zone).date()
    raw = max((seen - sent).days, 0)
    lost = _days_of_delay(visits, unavailable=unavailable, until=Span(sent_at, max(end, sent_at)), zone=zone)
    return Clocks(raw=raw, adjusted=raw - len([day for day in lost if sent <= day < seen]))


def _days_of_delay(
    visits: Iterable[Appointment], *, unavailable: Iterable[Span], until: Span, zone: ZoneInfo
) -> set[date]:
    away = clipped(unavailable, until)
    lost = [
        Span(visit.starts_at, until.end)
        for visit in visits
        if _is_lost_by_patient(visit) and visit.starts_at is not None and visit.starts_at < until.end
    ]
    return {day for span in (*away, *lost) for day in local_days(span, zone)}


def _is_lost_by_patient(visit: Appointment) -> bool:
    return visit.status == AppointmentStatus.MISSED or (
        visit.status == AppointmentStatus.CANCELLED and visit.patient_caused
    )
