"""A clinic whose calendars are full of courses, while first visits are asked for as in the simulated clinics.

Everything is booked by the service itself, on its database and a simulated clock: referrals come at their
minute, evenings plan, patients call off and miss first visits as the drawn instance says. Every day payers
grant courses of three disciplines to who has a first visit, for as long as a whole course finds room.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.simulate import instance as instances
from deploy.simulate.generate import generate
from deploy.simulate.instance import Hidden, Instance, SimulatedReferral
from services.scheduling import handlers
from services.scheduling.models.rows import Appointment
from services.scheduling.states import SeriesStatus
from shared.clinic import Clinic, Discipline
from shared.db import Database
from tests.support.booking.desk import Desk
from tests.support.booking.place import TORONTO, a_clinic, a_person

PRIORITIES = ("asap", "urgent", "routine")
ZONE = ZoneInfo(TORONTO)
_DAY = timedelta(days=1)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
# Of each discipline: how many people, when their day begins and its hours, the sessions of a course.
_STAFF: Mapping[str, tuple[int, str, float, int]] = {
    Discipline.PHYSIOTHERAPY: (4, "09:00", 8, 15),
    Discipline.OCCUPATIONAL_THERAPY: (3, "10:30", 6.5, 9),
    Discipline.PSYCHOLOGY: (3, "10:30", 6.5, 9),
}
_PHASES = [{"weeks": 3, "pt": 3, "ot": 1, "psy": 1}, {"weeks": 6, "pt": 1, "ot": 1, "psy": 1}]
_UNTIL = "17:00"
_PURPOSES = ("first", "session")
_COURSE = {discipline: units for discipline, (*_, units) in _STAFF.items()}
_REFUSALS, _ASKED_AGAIN_DAYS = 5, 2
# First visits a week: four of the forty hours of each physiotherapist; the drawn clinics have sixty-six.
_FIRST_VISITS, _DRAWN_VISITS = 16, 66
_GUARANTEE: Mapping[str, Any] = {
    "priorities": {
        "stat": {"working_days": 1, "at_risk_days": 0},
        "asap": {"days": 5, "at_risk_days": 1, "weight": 20, "reserve": 0.16, "kept_until_days": 1},
        "urgent": {"days": 10, "at_risk_days": 3, "weight": 5, "reserve": 0.26, "kept_until_days": 3},
        "routine": {"days": 28, "at_risk_days": 7, "weight": 1},
    },
    "second_days": 56,
}
_WEIGHTS = {"asap": 20, "urgent": 5, "routine": 1}
_CANCELS = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason", "code": "pat"}
    ]
}


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Of the referrals sent on scored days, by priority: how many, and which share was seen in time.

    `use` is the share of the hours of a discipline, from the scored days on, that sessions of courses take.
    """

    count: Mapping[str, int]
    in_time: Mapping[str, float]
    use: Mapping[str, float]
    courses: int

    @property
    def score(self) -> float:
        """The share of all, weighed as the plan weighs them."""
        weights = {code: _WEIGHTS[code] * self.count[code] for code in PRIORITIES}
        return sum(weights[code] * self.in_time[code] for code in PRIORITIES) / sum(weights.values())

    def __str__(self) -> str:
        shown = " / ".join(f"{100 * self.in_time[one]:.1f}" for one in PRIORITIES)
        of = " / ".join(str(self.count[one]) for one in PRIORITIES)
        use = ", ".join(f"{one} {100 * share:.1f}%" for one, share in self.use.items())
        return f"seen in time {shown}% (of {of}); {self.courses} courses use of {use}"


@dataclass
class _Known:
    """What the run keeps of a referral."""

    drawn: SimulatedReferral
    id: str
    attempts: int = 0
    asked_on: date | None = None
    has_course: bool = False


@dataclass(kw_only=True)
class BusyClinic:
    """One run of a drawn instance; where `is_kept` some hours are for first visits alone, else all for all.

    Referrals are scored that are sent in the weeks `scored`; the run goes on for some days `afterwards`, and
    who is not due by then counts as seen on the day that is booked.
    """

    database: Database
    seed: int
    load: float
    is_kept: bool = True
    has_courses: bool = True
    scored: tuple[int, int] = (6, 10)
    afterwards: int = 28
    _known: list[_Known] = field(default_factory=list)
    _seen: dict[str, date] = field(default_factory=dict)

    async def play(self) -> Shares:
        """Play it day by day, and measure."""
        instance, hidden = drawn(self.seed, load=self.load)
        clinic = the_clinic(instance, is_kept=self.is_kept)
        desk = Desk(self.database, clinic, now=_moment(instance.first_day, time(6)))
        async with self.database.transaction() as tx:
            await handlers.on_start(desk.ctx(), tx)
        first, last = (instance.first_day + timedelta(weeks=week) for week in self.scored)
        day = instance.first_day
        while day <= last + _DAY * self.afterwards:
            await self._take_referrals(desk, [one for one in instance.referrals if one.sent_on == day])
            if self.has_courses and instance.is_working(day):
                await desk.at(_moment(day, time(16, 30)))
                await self._grant(desk, day)
            await desk.at(_moment(day, time(17)))
            await self._see(desk, hidden, day)
            day += _DAY
        return await self._measure(desk, first=first, last=last)

    async def _take_referrals(self, desk: Desk, sent: Sequence[SimulatedReferral]) -> None:
        for one in sent:
            await desk.at(_moment(one.sent_on, time(min(one.minute // 60, 16), one.minute % 60)))
            known = await desk.accept(
                due_on=one.due_on, priority=one.priority, payer="insurer", unavailable=_away(one)
            )
            self._known.append(_Known(drawn=one, id=known))

    async def _grant(self, desk: Desk, day: date) -> None:
        """Let courses be granted, in the order of the referrals, until so many find no room today."""
        refused = 0
        for one in self._known:
            if refused == _REFUSALS:
                return
            if one.asked_on is not None and (one.has_course or (day - one.asked_on).days < _ASKED_AGAIN_DAYS):
                continue
            if (await desk.first(one.id)).starts_at is None:
                continue
            await desk.authorize(one.id, by_discipline=_COURSE)
            series = await desk.series(one.id)
            one.asked_on = day
            one.has_course = series is not None and series.status == SeriesStatus.BOOKED
            refused += not one.has_course

    async def _see(self, desk: Desk, hidden: Hidden, day: date) -> None:
        """Record the first visits of a day, and let those be called off whose patients do that today."""
        by_id = {one.id: one for one in self._known}
        async with self.database.transaction() as tx:
            sql = (
                "SELECT * FROM appointment WHERE kind = 'first' AND status = 'booked' ORDER BY starts_at, id"
            )
            rows = await tx.rows(Appointment, sql)
        for row in rows:
            one, on = by_id[str(row.referral_id)], _day_of(row)
            draw = hidden.attempt(one.drawn.id, one.attempts)
            if on == day:
                one.attempts += 1
                is_missed = draw.miss < hidden.misses
                await desk.put(row, status="noshow" if is_missed else "fulfilled")
                if not is_missed:
                    self._seen[one.id] = day
            elif draw.cancel < hidden.cancels and on - _DAY * draw.days_ahead == day:
                one.attempts += 1
                await desk.put(row, status="cancelled", cancelationReason=_CANCELS)

    async def _measure(self, desk: Desk, *, first: date, last: date) -> Shares:
        scored = [one for one in self._known if first <= one.drawn.sent_on < last]
        count = Counter(one.drawn.priority for one in scored)
        in_time = Counter([one.drawn.priority for one in scored if await self._is_in_time(desk, one)])
        hours = _hours_of(desk.clinic, first=first, last=last)
        async with self.database.transaction() as tx:
            sql = "SELECT * FROM appointment WHERE kind = 'session' AND status = 'booked'"
            sessions = await tx.rows(Appointment, sql)
            courses = await tx.value("SELECT count(*) FROM series WHERE status = 'booked'")
        used = Counter(row.discipline for row in sessions if first <= _day_of(row) < last)
        return Shares(
            count=count,
            in_time={code: in_time[code] / max(1, count[code]) for code in PRIORITIES},
            use={one: used[one] / hours[one] for one in _STAFF},
            courses=courses,
        )

    async def _is_in_time(self, desk: Desk, one: _Known) -> bool:
        if (seen := self._seen.get(one.id)) is None:
            row = await desk.first(one.id)
            seen = None if row.starts_at is None or row.starts_at < desk.now else _day_of(row)
        return seen is not None and seen <= one.drawn.due_on


def drawn(seed: int, *, load: float) -> tuple[Instance, Hidden]:
    """Draw an instance whose referrals fill the first visits of the clinic; a day's notice is enough."""
    whole, hidden = instances.read(generate(seed, load=load))
    share = _FIRST_VISITS / _DRAWN_VISITS
    kept = [one for at, one in enumerate(whole.referrals) if int((at + 1) * share) > int(at * share)]
    return replace(whole, referrals=tuple(replace(one, notice=1) for one in kept)), hidden


def the_clinic(instance: Instance, *, is_kept: bool) -> Clinic:
    """Describe the clinic: eight hours on five days, of a physiotherapist four of them for first visits."""
    people = []
    for discipline, (number, begins, *_) in _STAFF.items():
        for place in range(number):
            person = a_person(
                f"{discipline}-{place}",
                discipline=discipline,
                start=begins,
                end=_UNTIL,
                purpose=["session"] if is_kept or discipline != Discipline.PHYSIOTHERAPY else _PURPOSES,
            )
            if discipline == Discipline.PHYSIOTHERAPY:
                person["hours"] = _kept_hours(place) if is_kept else person["hours"]
                leave = instance.clinicians[place].leave
                person["absences"] = [{"from": first, "to": last} for first, last in leave]
            people.append(person)
    clinic = a_clinic(
        people=people,
        rooms=len(people),
        closed=sorted(instance.closed),
        guarantee=_GUARANTEE,
        scheduling={"policy": "plan", "at_once_below": 0},
        team=tuple(_STAFF),
        course={
            "phases": _PHASES,
            "treatments": [{"minutes": 60, "discipline": one, "room": "treatment"} for one in _STAFF],
        },
    )
    meeting = clinic.sites[0].meeting.model_copy(update={"start": time(7)})
    return clinic.model_copy(update={"sites": (clinic.sites[0].model_copy(update={"meeting": meeting}),)})


def _kept_hours(place: int) -> list[dict[str, Any]]:
    """Keep an hour of every day but one for first visits."""
    kept = [weekday for number, weekday in enumerate(_WEEKDAYS) if number != place]
    return [
        {"days": list(_WEEKDAYS), "from": "09:00", "to": "13:00", "for": ["session"]},
        {"days": kept, "from": "13:00", "to": "14:00", "for": ["first"], "release_days": 1},
        {"days": [_WEEKDAYS[place]], "from": "13:00", "to": "14:00", "for": ["session"]},
        {"days": list(_WEEKDAYS), "from": "14:00", "to": "17:00", "for": ["session"]},
    ]


def _hours_of(clinic: Clinic, *, first: date, last: date) -> Mapping[str, float]:
    """Count the hours that the people of each discipline work between two days, for whatever they are."""
    days = [first + _DAY * number for number in range((last - first).days)]
    closed = set(clinic.sites[0].closed)
    open_days = [day for day in days if day.weekday() < 5 and day not in closed]
    hours: dict[str, float] = defaultdict(float)
    for person in clinic.people:
        worked = [day for day in open_days if not any(one.covers(day) for one in person.absences)]
        hours[person.discipline] += _STAFF[person.discipline][2] * len(worked)
    return hours


def _away(one: SimulatedReferral) -> list[dict[str, str]]:
    weekly = [day for number in range(56) if (day := one.sent_on + _DAY * number).weekday() in one.never]
    spans = [*one.away, *((day, day) for day in weekly)]
    return [{"start": first.isoformat(), "end": last.isoformat()} for first, last in spans]


def _day_of(row: Appointment) -> date:
    if row.starts_at is None:
        raise AssertionError(f"{row.id} has no time")
    return row.starts_at.astimezone(ZONE).date()


def _moment(day: date, wall: time) -> datetime:
    return datetime.combine(day, wall, tzinfo=ZONE)
