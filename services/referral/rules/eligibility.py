"""Who a programme is for: adults, and for rapid access the RAC-LBP criteria (docs/how/triage.md)."""

from collections.abc import Iterator
from datetime import date, timedelta

from services.referral.models.facts import Facts, Finding, Missing
from services.referral.models.questions import UNKNOWN, YES
from services.referral.rules.calendar import age, certainly, plus_months
from shared.reasons import Reason

Result = tuple[tuple[Finding, ...], tuple[Missing, ...]]

_NEEDED = (
    "claim-workplace",
    "claim-motor",
    "claim-legal",
    "pregnancy",
    "chronic-multisite-pain",
    "opioid-dependency",
)
_CLAIMS = ("claim-workplace", "claim-motor", "claim-legal")
_CONDITIONS = ("chronic-multisite-pain", "opioid-dependency")


def adult(facts: Facts, *, on: date) -> Result:
    """Decide whether the patient is 18 on the day of the referral."""
    element = facts.elements.get("birth-date", "Patient.birthDate")
    missing = Missing(code="birth-date", element=element)
    if facts.birth_date is None:
        return (), (missing,)
    grown = certainly(facts.birth_date, lambda born: age(born, on=on) >= 18)
    if grown is None:
        return (), (missing,)
    if grown:
        return (), ()
    return (_finding("adult-only", Reason.of("under-age"), element),), ()


def rapid_access(facts: Facts, *, on: date) -> Result:
    """Hold the referral against the criteria of rapid access: what excludes it, and what is not known."""
    findings, missing = list(_exclusions(facts)), list(_unanswered(facts))
    for part in (_duration(facts, on=on), _postpartum(facts, on=on)):
        findings += part[0]
        missing += part[1]
    return tuple(findings), tuple(missing)


def _unanswered(facts: Facts) -> Iterator[Missing]:
    for link_id in _NEEDED:
        if facts.answers.get(link_id) in (None, UNKNOWN):
            yield _missing(link_id, facts)


def _exclusions(facts: Facts) -> Iterator[Finding]:
    for claim in _CLAIMS:
        if facts.answers.get(claim) == "active":
            reason = Reason.of("claim-excludes", claim=claim)
            yield _finding(f"rapid-access-{claim}", reason, facts.element(claim))
    for condition in _CONDITIONS:
        if facts.answers.get(condition) == YES:
            reason = Reason.of("condition-excludes", condition=condition)
            yield _finding(f"rapid-access-{condition}", reason, facts.element(condition))
    if facts.answers.get("pregnancy") == "pregnant":
        reason = Reason.of("pregnancy-excludes")
        yield _finding("rapid-access-pregnancy", reason, facts.element("pregnancy"))


def _finding(rule: str, reason: Reason, *elements: str) -> Finding:
    return Finding(rule=rule, reasons=(reason,), elements=elements)


def _missing(link_id: str, facts: Facts) -> Missing:
    return Missing(code=link_id, element=facts.element(link_id))


def _duration(facts: Facts, *, on: date) -> Result:
    if facts.answers.get("episode") == "recurrent":
        return _recurrence(facts, on=on)
    onset = facts.days.get("onset-date")
    read = (facts.element("onset-date"), facts.element("episode"))
    if onset is None:
        return (), (_missing("onset-date", facts),)
    early = certainly(onset, lambda day: on < day + timedelta(days=42))
    late = certainly(onset, lambda day: on <= plus_months(day, 12))
    if early is None or late is None:
        return (), (_missing("onset-date", facts),)
    if early:
        reason = Reason.of("began-too-recently", day=onset.latest + timedelta(days=42))
        return (_finding("rapid-access-six-weeks", reason, *read),), ()
    if not late and "episode" not in facts.answers:
        return (), (_missing("episode", facts),)
    if not late:
        return (_finding("rapid-access-twelve-months", Reason.of("lasted-too-long"), *read),), ()
    return (), ()


def _recurrence(facts: Facts, *, on: date) -> Result:
    again = facts.days.get("recurrence-date")
    recent = None if again is None else certainly(again, lambda day: on < plus_months(day, 12))
    if recent is None:
        return (), (_missing("recurrence-date", facts),)
    if recent:
        return (), ()
    reason = Reason.of("came-back-too-long-ago")
    return (_finding("rapid-access-recurrence", reason, facts.element("recurrence-date")),), ()


def _postpartum(facts: Facts, *, on: date) -> Result:
    if facts.answers.get("pregnancy") != "postpartum":
        return (), ()
    birth = facts.days.get("postpartum-date")
    recent = None if birth is None else certainly(birth, lambda day: (on - day).days < 365)
    if recent is None:
        return (), (_missing("postpartum-date", facts),)
    if not recent:
        return (), ()
    reason = Reason.of("birth-excludes")
    return (_finding("rapid-access-postpartum", reason, facts.element("postpartum-date")),), ()
