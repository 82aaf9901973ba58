"""A clinic's own past as an instance: the referrals that it accepted, its hours and leave as they are now.

Priorities, due days, the days on which patients cannot come and whoever did not come are those of the past;
sickness and visits that were called off are not known any more. Who was sent as stat is played as asap. The
terms are those of the clinic.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from deploy.simulate.instance import Attempt, Hidden, Instance, Known, SimulatedClinician, SimulatedReferral
from services.scheduling import queries
from services.scheduling.models.demand import PlanTerms
from services.scheduling.models.rows import Referral
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import DAY, local_day_end, local_day_start, working_spans
from services.scheduling.rules.free_time import visits_in
from services.scheduling.rules.plan_terms import terms_of
from shared.clinic import Clinic, Person, Site
from shared.db import Transaction
from shared.fhir.codes import RequestPriority

# The first weeks fill the calendar and are not scored, where there are enough of them.
_WARM_UP, _ENOUGH = 28, 84
_WEEK = 7


class NoPast(Exception):
    """There is nothing to play; says why."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a site had, what happened to it, and by which terms it plans."""

    instance: Instance
    hidden: Hidden
    terms: PlanTerms


async def of_site(tx: Transaction, clinic: Clinic, *, site_id: str, weeks: int, now: datetime) -> Past:
    """Make an instance of the last so many weeks of a site, whole local days. Raises NoPast."""
    site = next((one for one in clinic.sites if one.id == site_id), None)
    if site is None:
        raise NoPast(f"there is no site {site_id!r}; allowed are {', '.join(one.id for one in clinic.sites)}")
    last_day = now.astimezone(site.zone).date()
    first_day = last_day - DAY * (weeks * _WEEK)
    since, until = local_day_start(first_day, site.zone), local_day_start(last_day, site.zone)
    known = {programme.id for programme in clinic.programmes}
    found = await queries.arrivals.past(tx, site_id, since=since, until=until)
    past = [(one, missed) for one, missed in found if one.programme in known]
    if not past:
        raise NoPast(f"{site_id} accepted no referral in the last {weeks} weeks")
    sent = [_referral(one, clinic, site=site, first_day=first_day) for one, _ in past]
    days = weeks * _WEEK
    warm = _WARM_UP if days >= _ENOUGH else 0
    instance = Instance(
        name=f"{site_id}, {weeks} weeks to {last_day.isoformat()}",
        first_day=first_day,
        days=days,
        scored=(first_day + DAY * warm, last_day),
        closed=frozenset(site.closed),
        clinicians=tuple(_clinicians(clinic, site=site, first_day=first_day)),
        known=_known(sent, days=days, missed=clinic.scheduling.missed),
        referrals=tuple(sent),
    )
    hidden = _hidden({str(one.id): missed for one, missed in past})
    return Past(instance=instance, hidden=hidden, terms=terms_of(clinic))


def _referral(row: Referral, clinic: Clinic, *, site: Site, first_day: date) -> SimulatedReferral:
    """Say of a referral what the simulation must know; it begins when it was accepted."""
    accepted = row.accepted_at.astimezone(site.zone)
    away = tuple(
        (span.start.astimezone(site.zone).date(), (span.end.astimezone(site.zone) - DAY).date())
        for span in row.away
    )
    return SimulatedReferral(
        id=str(row.id),
        sent_on=max(first_day, accepted.date()),
        minute=accepted.hour * 60 + accepted.minute,
        priority=RequestPriority.ASAP if row.priority == RequestPriority.STAT else row.priority,
        due_on=row.due_on,
        need=str(clinic.programme(row.programme).first.discipline),
        away=away,
        never=frozenset(),
        notice=1,
    )


def _clinicians(clinic: Clinic, *, site: Site, first_day: date) -> list[SimulatedClinician]:
    """Count the first visits of each clinician on each weekday, the longest ones of the discipline."""
    longest: dict[str, int] = {}
    for programme in clinic.programmes:
        if programme.site == site.id:
            need = str(programme.first.discipline)
            longest[need] = max(longest.get(need, 0), programme.first.minutes)
    monday = first_day - DAY * first_day.weekday()
    week = [monday + DAY * number for number in range(_WEEK)]
    open_site = site.model_copy(update={"closed": ()})
    return [
        SimulatedClinician(
            id=person.id,
            takes=(str(person.discipline),),
            slots=tuple(
                _visits(person, day, site=open_site, minutes=longest[str(person.discipline)]) for day in week
            ),
            leave=tuple((one.start, one.end) for one in person.absences),
        )
        for person in clinic.people
        if person.site == site.id and str(person.discipline) in longest
    ]


def _visits(person: Person, day: date, *, site: Site, minutes: int) -> int:
    here_always = person.model_copy(update={"absences": ()})
    whole = Span(local_day_start(day, site.zone), local_day_end(day, site.zone))
    works = working_spans(here_always, site=site, purpose="first", window=whole)
    return sum(visits_in(span, length=timedelta(minutes=minutes)) for span in works)


def _known(sent: Sequence[SimulatedReferral], *, days: int, missed: float) -> Known:
    """Say how many came on a working day, and of which kinds, over the whole time."""
    weekdays = Counter(one.sent_on.weekday() for one in sent)
    return Known(
        per_working_day=len(sent) / (days * 5 / _WEEK),
        by_weekday=tuple(5 * weekdays[day] / len(sent) for day in range(_WEEK)),
        priorities=_shares(Counter(one.priority for one in sent)),
        needs=_shares(Counter(one.need for one in sent)),
        missed=missed,
    )


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    return {name: number / sum(counts.values()) for name, number in sorted(counts.items())}


def _hidden(missed: Mapping[str, int]) -> Hidden:
    """Let everybody who missed visits miss as many again, and then come."""
    lost = Attempt(cancel=1, miss=0, days_ahead=0)
    tries = {id: [lost] * number for id, number in missed.items() if number}
    return Hidden(sick=frozenset(), tries=tries, cancels=0, misses=0.5, miss_slope=0)
