"""Whom a programme is for: its criteria of clinic.yaml, held against coded answers (docs/how/triage.md).

The example's rapid access has the criteria of RAC-LBP.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from services.referral.models.facts import Facts, Finding, Missing
from services.referral.models.questions import UNKNOWN, YES
from services.referral.rules.calendar import age, certainly, plus_months
from shared.clinic import Eligibility, Programme
from shared.reasons import Reason

Result = tuple[tuple[Finding, ...], tuple[Missing, ...]]

_CLAIMS = ("claim-workplace", "claim-motor", "claim-legal")
# Names under which the limits of rapid access are known to those who read the rules that fired.
_TOO_RECENT = {42: "six-weeks"}
_TOO_LONG = {12: "twelve-months"}


def adult(facts: Facts, criteria: Eligibility, *, on: date) -> Result:
    """Decide whether the patient is of the programme's age on the day of the referral."""
    element = facts.elements.get("birth-date", "Patient.birthDate")
    missing = Missing(code="birth-date", element=element)
    if facts.birth_date is None:
        return (), (missing,)
    lowest, highest = criteria.min_age, criteria.max_age
    fits = certainly(
        facts.birth_date,
        lambda born: age(born, on=on) >= lowest and (highest is None or age(born, on=on) <= highest),
    )
    if fits is None:
        return (), (missing,)
    if fits:
        return (), ()
    if highest is None and lowest == 18:
        return (_finding("adult-only", Reason.of("under-age"), element),), ()
    reason = Reason.of("of-another-age", lowest=lowest, highest="-" if highest is None else str(highest))
    return (_finding("age", reason, element),), ()


def criteria_of(facts: Facts, programme: Programme, *, on: date) -> Result:
    """Hold the referral against a programme's criteria: what excludes it, and what is not known."""
    criteria = programme.eligibility
    findings, missing = list(_exclusions(facts, programme)), list(_unanswered(facts, criteria))
    for part in (_duration(facts, programme, on=on), _postpartum(facts, programme, on=on)):
        findings += part[0]
        missing += part[1]
    return tuple(findings), tuple(missing)


def _unanswered(facts: Facts, criteria: Eligibility) -> Iterator[Missing]:
    asked = dict.fromkeys(criteria.exclude)
    if criteria.postpartum_days is not None:
        asked["pregnancy"] = None
    for link_id in asked:
        if facts.answers.get(link_id) in (None, UNKNOWN):
            yield _missing(link_id, facts)


def _exclusions(facts: Facts, programme: Programme) -> Iterator[Finding]:
    for link_id in programme.eligibility.exclude:
        answer, rule = facts.answers.get(link_id), f"{programme.id}-{link_id}"
        if link_id in _CLAIMS:
            if answer == "active":
                yield _finding(rule, Reason.of("claim-excludes", claim=link_id), facts.element(link_id))
        elif link_id == "pregnancy":
            if answer == "pregnant":
                yield _finding(rule, Reason.of("pregnancy-excludes"), facts.element(link_id))
        elif answer == YES:
            yield _finding(rule, Reason.of("condition-excludes", condition=link_id), facts.element(link_id))


def _finding(rule: str, reason: Reason, *elements: str) -> Finding:
    return Finding(rule=rule, reasons=(reason,), elements=elements)


def _missing(link_id: str, facts: Facts) -> Missing:
    return Missing(code=link_id, element=facts.element(link_id))


def _duration(facts: Facts, programme: Programme, *, on: date) -> Result:
    criteria = programme.eligibility
    if facts.answers.get("episode") == "recurrent" and criteria.recurrence_months is not None:
        return _recurrence(facts, programme, on=on)
    days, months = criteria.pain_from_days, criteria.pain_to_months
    if days is None and months is None:
        return (), ()
    onset = facts.days.get("onset-date")
    read = (facts.element("onset-date"), facts.element("episode"))
    if onset is None:
        return (), (_missing("onset-date", facts),)
    early = certainly(onset, lambda day: days is not None and on < day + timedelta(days=days))
    late = certainly(onset, lambda day: months is None or on <= plus_months(day, months))
    if early is None or late is None:
        return (), (_missing("onset-date", facts),)
    if early:
        reason = Reason.of("began-too-recently", day=onset.latest + timedelta(days=days or 0))
        rule = f"{programme.id}-{_TOO_RECENT.get(days or 0, 'too-recent')}"
        return (_finding(rule, reason, *read),), ()
    if not late and "episode" not in facts.answers and criteria.recurrence_months is not None:
        return (), (_missing("episode", facts),)
    if not late:
        rule = f"{programme.id}-{_TOO_LONG.get(months or 0, 'too-long')}"
        return (_finding(rule, Reason.of("lasted-too-long"), *read),), ()
    return (), ()


def _recurrence(facts: Facts, programme: Programme, *, on: date) -> Result:
    again, months = facts.days.get("recurrence-date"), programme.eligibility.recurrence_months or 0
    recent = None if again is None else certainly(again, lambda day: on < plus_months(day, months))
    if recent is None:
        return (), (_missing("recurrence-date", facts),)
    if recent:
        return (), ()
    reason = Reason.of("came-back-too-long-ago")
    return (_finding(f"{programme.id}-recurrence", reason, facts.element("recurrence-date")),), ()


def _postpartum(facts: Facts, programme: Programme, *, on: date) -> Result:
    days = programme.eligibility.postpartum_days
    if days is None or facts.answers.get("pregnancy") != "postpartum":
        return (), ()
    birth = facts.days.get("postpartum-date")
    recent = None if birth is None else certainly(birth, lambda day: (on - day).days < days)
    if recent is None:
        return (), (_missing("postpartum-date", facts),)
    if not recent:
        return (), ()
    reason = Reason.of("birth-excludes")
    return (_finding(f"{programme.id}-postpartum", reason, facts.element("postpartum-date")),), ()
