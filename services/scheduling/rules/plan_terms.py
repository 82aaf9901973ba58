"""The numbers of a plan, from what clinic.yaml promises and from how it schedules."""

from services.scheduling.models.demand import PlanTerms, Terms
from shared.clinic import Clinic
from shared.clinic.guarantee import GuaranteePriority
from shared.fhir.codes import RequestPriority

# Of the higher priorities more are expected than come in the mean: too little kept for them harms most.
_MORE = {RequestPriority.STAT: 1.4, RequestPriority.ASAP: 1.4, RequestPriority.URGENT: 1.1}

# After so many working days it is told that there is no day, where days are told so many days ahead.
_TELL_AFTER = 2


def terms_of(clinic: Clinic) -> PlanTerms:
    """Make the terms of a clinic's plan, the priorities from the highest on."""
    numbers = clinic.scheduling
    within = numbers.tell.within_working_days
    return PlanTerms(
        priorities={
            priority.value: _terms(clinic.guarantee.of(priority), more=_MORE.get(priority, 1.0))
            for priority in RequestPriority
        },
        second_days=clinic.guarantee.second_days,
        look_ahead=numbers.look_ahead_days,
        commit_days=numbers.commit_days,
        tell_after=_TELL_AFTER if within is None else within,
        tell_ahead=numbers.tell.days_ahead,
        missed=numbers.missed,
        iterations=numbers.iterations,
    )


def _terms(promised: GuaranteePriority, *, more: float) -> Terms:
    return Terms(
        days=promised.length,
        weight=promised.weight,
        reserve=promised.reserve,
        kept_until=promised.kept_until_days,
        more=more,
    )
