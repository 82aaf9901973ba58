"""What has stood for too long without a clock of its own, and what waits and nobody owns: the nightly look.

What a clock or a person of the clinic waits for is theirs: `waiting.py`, the emergency's and the urgent
review's clocks; the waitlist is scheduling's. Here is the rest of the life cycle, and the net below all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from services.referral.models.snapshot import ReferralSnapshot
from services.referral.states import TAKEN_AWAY, TERMINAL, State, WaitingClock
from shared.clinic import Clinic, Programme, Site
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

# Nobody works, and what the day has brought is recorded.
_AT_NIGHT = time(3)
# After a standstill, what others did meanwhile is heard before anybody is told that it is missing.
_CATCH_UP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What is to be told of a referral; `due` is when it became late, None where nothing says so."""

    reasons: tuple[Reason, ...]
    due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What follows from a look: what is told now, and whether the open Task says what no longer is."""

    tell: Overdue | None = None
    ends_work: bool = False

    @property
    def is_something(self) -> bool:
        """Whether anything is to be done."""
        return self.tell is not None or self.ends_work


def next_look(site: Site, *, after: datetime) -> datetime:
    """Find the next night's hour on the wall of a site, once for each local day."""
    day = after.astimezone(site.zone).date()
    while True:
        due = datetime.combine(day, _AT_NIGHT, tzinfo=site.zone).astimezone(UTC)
        if due > after:
            return due
        day += timedelta(days=1)


def wait_until(*, due: datetime, at: datetime) -> datetime | None:
    """Say when a look that comes long after it was due is made instead; None where it is made now."""
    return at + _CATCH_UP if at - due > _CATCH_UP else None


def decide(snapshot: ReferralSnapshot, *, clinic: Clinic, at: datetime) -> Look:
    """Say what follows: each thing is told once while its Task is open, and a Task ends when it says what is
    no longer so. What a waiting clock has told stands until the decision, which ends it.
    """
    found, told_at = find(snapshot, clinic=clinic, at=at), snapshot.told_at
    if found is None:
        return Look(ends_work=told_at is not None and _clock(snapshot) is None)
    if told_at is not None and (found.due is None or told_at >= found.due):
        return Look()
    return Look(tell=found, ends_work=told_at is not None)


def find(snapshot: ReferralSnapshot, *, clinic: Clinic, at: datetime) -> Overdue | None:
    """Say what is wrong with how a referral stands; None where it goes on, or somebody sees to it."""
    if _nobody_owns(snapshot):
        first = [Reason.of("first-ended", state=snapshot.first)] if snapshot.first else []
        return Overdue(reasons=(Reason.of("nobody-owns", state=snapshot.state), *first))
    late = _LATE.get(State(snapshot.state))
    found = [late(snapshot, clinic)] if late is not None else []
    found += [_unanswered(snapshot, clinic), _unanswered_by_referrer(snapshot, clinic)]
    return next((one for one in found if one is not None and one.due is not None and one.due < at), None)


def _nobody_owns(snapshot: ReferralSnapshot) -> bool:
    state, clock = State(snapshot.state), _clock(snapshot)
    if clock is WaitingClock.ESCALATION:
        # The sender's own Task is nobody's at the clinic.
        return clock not in snapshot.clocks and TaskCode.TELEPHONE_REFERRER not in snapshot.work
    if clock is not None:
        return clock not in snapshot.clocks and not snapshot.work
    if state is State.MERGED:
        return snapshot.first is None or State(snapshot.first) in TAKEN_AWAY | TERMINAL
    # Triage is done in the transaction that takes a referral, and whoever books says for when.
    unread = state is State.AWAITING_TRIAGE and not snapshot.work
    return unread or (state is State.BOOKED and snapshot.visit_at is None)


def _clock(snapshot: ReferralSnapshot) -> WaitingClock | None:
    """Name the clock that must run for a referral that stands so."""
    state = State(snapshot.state)
    if snapshot.unacknowledged or state is State.EMERGENCY_REDIRECTED:
        return WaitingClock.ESCALATION
    if state in (State.AWAITING_REVIEW, State.DUPLICATE_SUSPECTED):
        return WaitingClock.URGENT_TRIAGE if snapshot.urgent else WaitingClock.WAITING
    return WaitingClock.WAITING if state is State.INFORMATION_REQUESTED else None


def _unrecorded(snapshot: ReferralSnapshot, clinic: Clinic) -> Overdue | None:
    if snapshot.visit_at is None:
        return None
    lasts = timedelta(minutes=_programme(snapshot, clinic).first.minutes)
    return Overdue(
        reasons=(Reason.of("visit-not-recorded", when=snapshot.visit_at),),
        due=snapshot.visit_at + lasts + timedelta(hours=clinic.waiting.record_hours),
    )


def _unplanned(snapshot: ReferralSnapshot, clinic: Clinic) -> Overdue:
    return Overdue(
        reasons=(Reason.of("no-plan-active", since=snapshot.since),),
        due=snapshot.since + timedelta(days=clinic.waiting.plan_days),
    )


def _unheard(snapshot: ReferralSnapshot, clinic: Clinic) -> Overdue:
    return Overdue(
        reasons=(Reason.of("nothing-heard-of-booking", since=snapshot.since),),
        due=snapshot.since + timedelta(days=clinic.waiting.booking_days),
    )


def _undischarged(snapshot: ReferralSnapshot, clinic: Clinic) -> Overdue:
    weeks = _programme(snapshot, clinic).weeks
    return Overdue(
        reasons=(Reason.of("programme-is-over", since=snapshot.since, weeks=weeks),),
        due=snapshot.since + timedelta(weeks=weeks, days=clinic.waiting.plan_days),
    )


def _unanswered(snapshot: ReferralSnapshot, clinic: Clinic) -> Overdue | None:
    if snapshot.asked_at is None:
        return None
    due = snapshot.asked_at + timedelta(hours=clinic.waiting.answer_hours)
    return Overdue(reasons=(Reason.of("question-unanswered", since=snapshot.asked_at),), due=due)


def _unanswered_by_referrer(snapshot: ReferralSnapshot, clinic: Clinic) -> Overdue | None:
    if snapshot.asked_of_referrer_at is None:
        return None
    since = snapshot.asked_of_referrer_at
    due = since + timedelta(days=clinic.waiting.information_days)
    return Overdue(reasons=(Reason.of("referrer-unanswering", since=since),), due=due)


def _programme(snapshot: ReferralSnapshot, clinic: Clinic) -> Programme:
    """Find the programme; for one that clinic.yaml no longer has, the longest."""
    known = (programme for programme in clinic.programmes if programme.id == snapshot.programme)
    return next(known, max(clinic.programmes, key=lambda programme: programme.weeks))


_LATE: dict[State, Callable[[ReferralSnapshot, Clinic], Overdue | None]] = {
    State.BOOKED: _unrecorded,
    State.ASSESSED: _unplanned,
    State.IN_PROGRAMME: _undischarged,
    **dict.fromkeys(
        (State.ACCEPTED, State.AWAITING_BOOKING, State.MISSED, State.APPOINTMENT_CANCELLED), _unheard
    ),
}
