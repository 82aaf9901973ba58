"""By when a patient is seen: the guarantee of each priority, and the second promise behind all of them."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from pydantic import Field

from shared.clinic.part import Part
from shared.fhir.codes import RequestPriority

# The least notice of a visit of the priority stat; the others are told twelve hours ahead.
STAT_NOTICE = timedelta(hours=2)

# Where the second promise lies that a clinic with one `promise` for everybody never named: twice its days.
_SECOND = 2


class Promise(Part):
    """One guarantee for everybody, as older clinics name it: `days` on the raw clock, `at_risk_days` before
    its end unbooked is at risk.
    """

    days: int = Field(ge=1, le=365)
    at_risk_days: int = Field(ge=0, le=364)


class GuaranteePriority(Part):
    """The guarantee of one priority: a first visit within `days` after the local day of sending.

    Or within `working_days`, of which the day of sending is the first where there is time left on it. So many
    `at_risk_days` before its end what is unbooked is at risk. The plan of scheduling reads the rest: `weight`
    is what one patient seen in time counts there, `reserve` the share of a day's first visits that is kept
    for this priority where there is no plan, until `kept_until_days` before that day.
    """

    days: int | None = Field(ge=1, le=365, default=None)
    working_days: int | None = Field(ge=1, le=20, default=None)
    at_risk_days: int = Field(ge=0, le=364)
    weight: float = Field(gt=0, le=1000, default=1)
    reserve: float = Field(ge=0, lt=1, default=0)
    kept_until_days: int = Field(ge=0, le=364, default=0)

    @property
    def length(self) -> int:
        """How many days it lasts, of whichever kind."""
        return self.days or self.working_days or 0


class GuaranteePriorities(Part):
    """The guarantees by FHIR's request priorities, the highest first: asap is above urgent."""

    stat: GuaranteePriority
    asap: GuaranteePriority
    urgent: GuaranteePriority
    routine: GuaranteePriority


class GuaranteeTerms(Part):
    """What the clinic promises: each priority its days, and everybody a visit within `second_days`."""

    priorities: GuaranteePriorities
    second_days: int = Field(ge=2, le=730, default=56)

    def of(self, priority: str) -> GuaranteePriority:
        """Return the guarantee of a priority; what is none has that of routine."""
        known = {named.value: named for named in RequestPriority}
        found: GuaranteePriority = getattr(self.priorities, known.get(priority, RequestPriority.ROUTINE))
        return found


def terms_of(promise: Promise) -> GuaranteeTerms:
    """Return what one promise for everybody means: every priority has it."""
    same = GuaranteePriority(days=promise.days, at_risk_days=promise.at_risk_days)
    return GuaranteeTerms(
        priorities=GuaranteePriorities(stat=same, asap=same, urgent=same, routine=same),
        second_days=_SECOND * promise.days,
    )


def flaws_of_promise(promise: Promise) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find what does not fit together in one promise for everybody: where it stands, and what is allowed."""
    if promise.at_risk_days >= promise.days:
        yield ("promise", "at_risk_days"), f"must be less than the promise's {promise.days} days"


def flaws_of_terms(terms: GuaranteeTerms) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find what does not fit together in the guarantee: where it stands, and what is allowed."""
    at = ("guarantee", "priorities")
    named = [(priority.value, terms.of(priority)) for priority in RequestPriority]
    for name, priority in named:
        if (priority.days is None) == (priority.working_days is None):
            yield (*at, name), "says either days or working_days, and one of both"
        elif priority.at_risk_days >= priority.length:
            yield (*at, name, "at_risk_days"), f"must be less than its {priority.length} days"
    for (higher, above), (name, priority) in pairwise(named):
        if priority.length < above.length:
            yield (*at, name), f"must not be shorter than {higher}, which has {above.length} days"
    if sum(priority.reserve for _, priority in named) >= 1:
        yield at, "the reserves together must leave a part of each day: less than 1"
    if terms.second_days <= terms.priorities.routine.length:
        days = terms.priorities.routine.length
        yield ("guarantee", "second_days"), f"must be more than the {days} days of routine"
