"""The guarantee of the first appointment, and its two clocks.

- The raw clock runs from the sending of the referral; nothing stops it. `due_at` moves with the priority of
  the referral and with nothing else; the second promise, which is everybody's, never moves.
- The adjusted clock leaves out the local days that the patient's own doing cost: days on which the patient
  said not to be available, and all days from a visit that the patient missed or called off to the visit that
  stands in its place. A day counts once, however many reasons it has.
- A visit inside the guarantee whose outcome is not recorded yet leaves it open, even after its end.
- A breach that is foreseen is what the last plan of an evening says of who waits for a day: it stays until a
  later plan says otherwise, and everything that is certain is stronger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.scheduling.models.rows import Appointment, Guarantee, Referral
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import local_day_end, local_days
from services.scheduling.rules.intervals import clipped
from services.scheduling.states import STANDING, AppointmentStatus, ReferralState
from shared.fhir.codes import GuaranteeStatus, RequestPriority

_ASK_AGAIN = timedelta(days=1)
# Broken, or about to be as far as anybody knows.
IN_DANGER = (GuaranteeStatus.AT_RISK, GuaranteeStatus.FORECAST_BREACH, GuaranteeStatus.BREACHED)


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Days from sending to the first appointment: as they are, and less the patient's own delays."""

    raw: int
    adjusted: int


def evaluate(
    guarantee: Guarantee,
    referral: Referral,
    visits: Sequence[Appointment],
    *,
    before: str,
    now: datetime,
    at_risk_days: int,
    zone: ZoneInfo,
    is_late_by_plan: bool | None = None,
) -> dict[str, Any]:
    """Return what a guarantee is by all first appointments: its columns.

    `before` is the status that it has, or from which it is worked out anew. `is_late_by_plan` is what the
    plan of an evening says of it, None where none is asked: what the last one said still stands.
    """
    status = status_now(
        visits,
        now=now,
        due_at=referral.due_at,
        at_risk_days=at_risk_days,
        ended=referral.state == ReferralState.ENDED,
        before=GuaranteeStatus(before),
        is_late_by_plan=is_late_by_plan,
    )
    days = clocks(visits, sent_at=referral.sent_at, unavailable=referral.away, zone=zone)
    raw, adjusted = (None, None) if days is None else (days.raw, days.adjusted)
    second = second_breached_at(guarantee, visits, now=now, ended=referral.state == ReferralState.ENDED)
    waits = wants_somebody(status, visits, referral=referral, second_broken=second is not None)
    return {
        "status": status,
        "due_at": referral.due_at,
        "raw_days": raw,
        "adjusted_days": adjusted,
        "unbooked_since": (guarantee.unbooked_since or now) if waits else None,
        "second_breached_at": second,
    }


def wants_somebody(
    status: GuaranteeStatus, visits: Sequence[Appointment], *, referral: Referral, second_broken: bool
) -> bool:
    """Tell whether a person has to see to a guarantee, as long as nobody was seen.

    It is at risk, broken or foreseen to break and nothing is booked, or its second promise is broken, or the
    patient is to be seen at once.
    """
    seen = any(visit.status == AppointmentStatus.FULFILLED for visit in visits)
    if seen or referral.state == ReferralState.ENDED:
        return False
    booked = any(visit.status in STANDING for visit in visits)
    return second_broken or referral.priority == RequestPriority.STAT or (status in IN_DANGER and not booked)


def second_breached_at(
    guarantee: Guarantee, visits: Sequence[Appointment], *, now: datetime, ended: bool
) -> datetime | None:
    """Return when the second promise was found broken, None where it was not.

    A visit before its end that took place keeps it, one whose outcome nobody recorded leaves it open.
    """
    inside = [visit for visit in visits if visit.starts_at and visit.starts_at < guarantee.second_due_at]
    if any(visit.status == AppointmentStatus.FULFILLED for visit in inside):
        return None
    if guarantee.second_breached_at is not None or ended or now < guarantee.second_due_at:
        return guarantee.second_breached_at
    return None if any(visit.status in STANDING for visit in inside) else now


def second_end(sent_at: datetime, *, days: int, zone: ZoneInfo) -> datetime:
    """Return the end of the second promise: that of the last of so many local days after the sending."""
    return local_day_end(sent_at.astimezone(zone).date() + timedelta(days=days), zone)


def asked_again_at(due_at: datetime, *, now: datetime) -> datetime:
    """Return when a promise is looked at again whose visit nobody recorded: full days after its end."""
    return due_at + _ASK_AGAIN * ((now - due_at) // _ASK_AGAIN + 1)


def status_now(
    visits: Sequence[Appointment],
    *,
    now: datetime,
    due_at: datetime,
    at_risk_days: int,
    ended: bool,
    before: GuaranteeStatus,
    is_late_by_plan: bool | None = None,
) -> GuaranteeStatus:
    """Return the status of the guarantee; what was met, broken or ended stays so.

    `is_late_by_plan` is what the plan of an evening says of a visit without a day, None where none is asked.
    """
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
    if waits or late or before == GuaranteeStatus.AT_RISK or now >= due_at - timedelta(days=at_risk_days):
        return GuaranteeStatus.AT_RISK
    if is_late_by_plan is None:
        is_late_by_plan = before == GuaranteeStatus.FORECAST_BREACH
    return GuaranteeStatus.FORECAST_BREACH if is_late_by_plan else GuaranteeStatus.PLANNED


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
