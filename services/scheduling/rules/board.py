"""What a coordinator reads of a guarantee: the days waited and left, why it is in danger, what would help."""

from datetime import date, datetime

from services.scheduling.models.guarantees import REMEDY_LOOK, REMEDY_WEEKS, GuaranteeOverview, Remedy
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.guarantee import IN_DANGER
from services.scheduling.rules.notice import earliest_start
from services.scheduling.states import UNTIMED, AppointmentStatus, ReferralState
from shared.clinic import Site
from shared.fhir.codes import GuaranteeStatus
from shared.reasons import Reason, Reference


def days_left(row: GuaranteeOverview, *, today: date) -> int:
    """Count the days to the last one of the guarantee; fewer than none where it is past."""
    return (row.referral.due_on - today).days


def days_waited(row: GuaranteeOverview, *, today: date, site: Site) -> int | None:
    """Count the days from sending to the visit that took place, else until today.

    None where the referral ended without one.
    """
    if row.first is not None and row.first.status == AppointmentStatus.FULFILLED:
        return row.guarantee.raw_days
    if row.referral.state == ReferralState.ENDED:
        return None
    return max((today - row.referral.sent_at.astimezone(site.zone).date()).days, 0)


def why(row: GuaranteeOverview) -> list[Reason]:
    """Say why a guarantee is in danger, broken or ended, or wants somebody at once; else nothing."""
    status, first = row.guarantee.status, row.first
    if status == GuaranteeStatus.ENDED or (first is None and row.referral.ended_because):
        return row.referral.ended_because
    if row.guarantee.second_breached_at is not None:
        return [Reason.of("second-promise-broken"), *_why_in_danger(first)]
    if status == GuaranteeStatus.FORECAST_BREACH:
        return [Reason.of("no-day-in-time-by-plan")]
    if status in IN_DANGER:
        return _why_in_danger(first)
    is_waited_for = row.guarantee.unbooked_since is not None
    return [Reason.of("to-be-seen-at-once")] if is_waited_for else []


def _why_in_danger(first: Appointment | None) -> list[Reason]:
    if first is None:
        return [Reason.of("not-booked")]
    if first.status == AppointmentStatus.WAITLIST:
        return [Reason.of("nothing-free-in-time")]
    if first.status == AppointmentStatus.PROPOSED:
        return [Reason.of("day-follows")]
    if first.status == AppointmentStatus.FULFILLED:
        return [Reason.of("seen-late")]
    return [Reason.of("booked-late", when=first.starts_at)]


def why_on_the_worklist(row: Appointment) -> list[Reason]:
    """Say why somebody has to see to a visit: it waits for a time, or it is over and nobody recorded it."""
    if row.status == AppointmentStatus.WAITLIST:
        return row.reasons or [Reason.of("nothing-free-in-time")]
    return [Reason.of("not-recorded", when=row.ends_at)]


def act_that_helps(row: GuaranteeOverview, *, now: datetime) -> str | None:
    """Name the act by which the first appointment could get a better time; None where there is none."""
    first = row.first
    if first is None or row.referral.state == ReferralState.ENDED or row.guarantee.status not in IN_DANGER:
        return None
    if first.status in UNTIMED:
        return "book"
    is_to_come = first.status == AppointmentStatus.BOOKED and first.starts_at is not None
    return "move" if is_to_come and first.starts_at and first.starts_at > now else None


def window_of_remedy(row: GuaranteeOverview, *, now: datetime, site: Site) -> Span:
    """Return in which time a remedy is looked for: soon, and before the time that the visit has."""
    start = earliest_start(now=now, zone=site.zone, priority=row.referral.priority)
    end = now + REMEDY_LOOK
    has = row.first.starts_at if row.first is not None else None
    return Span(start, max(start, end if has is None else min(end, has)))


def remedy(row: GuaranteeOverview, found: Candidate | None, *, now: datetime) -> Remedy | None:
    """Return what would help with what was found; a visit that can only stay where it is needs no remedy."""
    act = act_that_helps(row, now=now)
    if row.first is None or act is None or (found is None and act == "move"):
        return None
    if found is None:
        return Remedy(action=act, appointment=row.first)
    return Remedy(action=act, appointment=row.first, start=found.span.start, practitioner=found.person)


def remedy_reason(remedy: Remedy, *, due_at: datetime) -> Reason:
    """Say what would help."""
    if remedy.start is None:
        return Reason.of("nothing-free-soon", weeks=REMEDY_WEEKS)
    who = Reference(f"Practitioner/{remedy.practitioner}")
    if remedy.start < due_at:
        return Reason.of("free-in-time", when=remedy.start, practitioner=who)
    if remedy.action == "book":
        return Reason.of("free-later", when=remedy.start, practitioner=who)
    return Reason.of("free-sooner", when=remedy.start, practitioner=who)
