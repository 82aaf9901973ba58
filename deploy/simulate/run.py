"""Plays an instance day by day: sickness, arrivals, the day's visits, who calls off, and the evening.

A day that is told is booked. Nobody who was told a day is moved, but by sickness, which is counted apart.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from time import process_time

from deploy.simulate import self_booking
from deploy.simulate.instance import Hidden, Instance, SimulatedClinician, SimulatedReferral
from deploy.simulate.policies import Policy
from services.scheduling.models.demand import DayBook, Told, Unscheduled

_DAY = timedelta(days=1)
# Days after the end of a run on which visits can still be given.
_BEYOND = 120


@dataclass(slots=True)
class Course:
    """What became of a referral; `told_on` is when it was first told a day."""

    referral: SimulatedReferral
    told_on: date | None = None
    seen_on: date | None = None
    missed: int = 0
    forced: int = 0
    attempts: int = 0
    clinician: str | None = None
    day: date | None = None
    booked_on: date | None = None
    cancels_on: date | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceLine:
    """Something that happened on a day of a run: `told`, `moved`, `seen`, `missed` or `called-off`."""

    on: date
    what: str
    referral: str
    visit_on: date
    clinician: str


@dataclass
class SimulatedRun:
    """An instance under a policy; `trace` says each day told, moved and seen.

    The run goes on `afterwards`, so that who was sent on the last days is seen too. Of `self_booked` patients
    each chooses a day, when it is sent, of those that the carve-out leaves to its priority.
    """

    instance: Instance
    hidden: Hidden
    policy: Policy
    afterwards: int = 69
    self_booked: float = 0.0
    courses: dict[str, Course] = field(default_factory=dict)
    trace: list[TraceLine] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._visits: dict[date, list[Course]] = defaultdict(list)
        self._waiting: dict[str, Course] = {}
        self._left = self._all_slots()
        self._calling: dict[date, list[Course]] = defaultdict(list)
        groups = {clinician.id: "+".join(clinician.takes) for clinician in self.instance.clinicians}
        self._members: dict[str, list[SimulatedClinician]] = defaultdict(list)
        for clinician in self.instance.clinicians:
            self._members[groups[clinician.id]].append(clinician)
        free: dict[tuple[str, date], int] = defaultdict(int)
        for (who, day), number in self._left.items():
            free[groups[who], day] += number
        self._group_of = groups
        needs = sorted({need for one in self.instance.clinicians for need in one.takes})
        self._book = DayBook(
            groups={
                need: sorted((g for g in self._members if need in g.split("+")), key=lambda g: (len(g), g))
                for need in needs
            },
            free=free,
            whole=dict(free),
            is_working=self.instance.is_working,
        )
        self._free = free

    def play(self, *, days: int | None = None) -> "SimulatedRun":
        """Play every day, or the first so many."""
        arrivals: dict[date, list[SimulatedReferral]] = defaultdict(list)
        for referral in self.instance.referrals:
            arrivals[referral.sent_on].append(referral)
        for number in range(self.instance.days + self.afterwards if days is None else days):
            today = self.instance.first_day + _DAY * number
            self._fall_sick(today)
            for referral in arrivals.get(today, ()):
                course = self.courses[referral.id] = Course(referral=referral, since=today)
                self._wait(course, today)
            self._see(today)
            self._call_off(today)
            self._evening(today)
        return self

    def _all_slots(self) -> dict[tuple[str, date], int]:
        days = [
            self.instance.first_day + _DAY * number
            for number in range(self.instance.days + self.afterwards + _BEYOND)
        ]
        return {
            (clinician.id, day): clinician.visits_on(day)
            for clinician in self.instance.clinicians
            for day in days
            if day not in self.instance.closed
        }

    def _wait(self, course: Course, today: date) -> None:
        course.since = today
        self._waiting[course.referral.id] = course
        who = self._unscheduled(course)
        begin = process_time()
        told = self._chosen(who, today) if course.told_on is None else None
        told = told or self.policy.at_once(who, self._book, today=today)
        self.seconds += process_time() - begin
        if told is not None:
            self._book_visit(told, today)

    def _chosen(self, who: Unscheduled, today: date) -> Told | None:
        """Return the day that a patient chooses who books alone; None for all others."""
        if not self_booking.books(who.id, share=self.self_booked):
            return None
        return self_booking.choice(who, self._book, terms=self.policy.terms, today=today)

    def _book_visit(self, told: Told, today: date) -> None:
        course = self._waiting.pop(told.id)
        members = self._members[told.group]
        clinician = max(members, key=lambda one: (self._left.get((one.id, told.day), 0), one.id))
        if self._left.get((clinician.id, told.day), 0) < 1:
            raise AssertionError(f"{told} is not free")
        self._take(clinician.id, told.day, -1)
        course.clinician, course.day, course.cancels_on = clinician.id, told.day, None
        course.booked_on = today
        course.told_on = course.told_on or today
        draw = self.hidden.attempt(told.id, course.attempts)
        calls = told.day - _DAY * draw.days_ahead
        if draw.cancel < self.hidden.cancels and calls > today:
            course.cancels_on = calls
            self._calling[calls].append(course)
        self._visits[told.day].append(course)
        self._note(today, "told", course)

    def _take(self, clinician: str, day: date, number: int) -> None:
        self._left[clinician, day] += number
        self._free[self._group_of[clinician], day] += number

    def _fall_sick(self, today: date) -> None:
        for clinician in self.instance.clinicians:
            if (clinician.id, today) not in self.hidden.sick or (clinician.id, today) not in self._left:
                continue
            lost = [course for course in self._visits[today] if course.clinician == clinician.id]
            self._take(clinician.id, today, -self._left[clinician.id, today])
            for course in lost:
                self._visits[today].remove(course)
                course.forced += 1
                self._lose(course, today, "moved")

    def _see(self, today: date) -> None:
        for course in self._visits.pop(today, ()):
            draw = self.hidden.attempt(course.referral.id, course.attempts)
            course.attempts += 1
            lead = 0 if course.booked_on is None else (today - course.booked_on).days
            if draw.miss < self.hidden.misses + self.hidden.miss_slope * lead:
                course.missed += 1
                self._lose(course, today, "missed")
            else:
                course.seen_on = today
                self._note(today, "seen", course)

    def _call_off(self, today: date) -> None:
        for course in self._calling.pop(today, ()):
            if course.cancels_on != today or course.day is None or course.clinician is None:
                continue
            self._visits[course.day].remove(course)
            self._take(course.clinician, course.day, 1)
            course.attempts += 1
            self._lose(course, today, "called-off")

    def _lose(self, course: Course, today: date, what: str) -> None:
        """Take a visit from a referral, which needs another one."""
        self._note(today, what, course)
        course.clinician = course.day = course.cancels_on = None
        self._wait(course, today)

    def _note(self, today: date, what: str, course: Course) -> None:
        if course.day is None or course.clinician is None:
            raise AssertionError(f"{course.referral.id} has no visit that is {what}")
        self.trace.append(
            TraceLine(
                on=today,
                what=what,
                referral=course.referral.id,
                visit_on=course.day,
                clinician=course.clinician,
            )
        )

    def _evening(self, today: date) -> None:
        waiting = [self._unscheduled(course) for course in self._waiting.values()]
        begin = process_time()
        for told in self.policy.in_the_evening(waiting, self._book, today=today):
            self._book_visit(told, today)
        self.seconds += process_time() - begin

    def _unscheduled(self, course: Course) -> Unscheduled:
        of = course.referral
        return Unscheduled(
            id=of.id,
            priority=of.priority,
            need=of.need,
            sent_on=of.sent_on,
            due_on=of.due_on,
            since=course.since or of.sent_on,
            notice=of.notice,
            can_come=of.can_come,
        )
