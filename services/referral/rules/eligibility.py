"""Who a programme is for: adults, and for rapid access the RAC-LBP criteria (docs/how/triage.md)."""

from collections.abc import Iterator
from datetime import date, timedelta

from services.referral.models import Facts, Finding, Missing
from services.referral.rules.calendar import age, certainly, plus_months
from services.referral.rules.red_flags import UNKNOWN, YES

Result = tuple[tuple[Finding, ...], tuple[Missing, ...]]

_NEEDED = {
    "claim-workplace": "whether a workplace insurance claim for the back is active",
    "claim-motor": "whether a motor-vehicle claim for the back is active",
    "claim-legal": "whether a legal claim for the back is active",
    "pregnancy": "whether the patient is pregnant or gave birth within the last year",
    "chronic-multisite-pain": "whether there is an unmanaged chronic pain disorder of several sites",
    "opioid-dependency": "whether there is an unmanaged opioid dependency",
}
_CLAIMS = {
    "claim-workplace": "a workplace insurance claim",
    "claim-motor": "a motor-vehicle claim",
    "claim-legal": "a legal claim",
}
_CONDITIONS = {
    "chronic-multisite-pain": "an unmanaged chronic pain disorder of several sites",
    "opioid-dependency": "an unmanaged opioid dependency",
}


def adult(facts: Facts, *, on: date) -> Result:
    """Decide whether the patient is 18 on the day of the referral."""
    element = facts.elements.get("birth-date", "Patient.birthDate")
    missing = Missing(code="birth-date", text="the patient's full date of birth", element=element)
    if facts.birth_date is None:
        return (), (missing,)
    grown = certainly(facts.birth_date, lambda born: age(born, on=on) >= 18)
    if grown is None:
        return (), (missing,)
    if grown:
        return (), ()
    text = "The patient is under 18; the clinic's programmes are for adults."
    return (Finding(rule="adult-only", text=text, elements=(element,)),), ()


def rapid_access(facts: Facts, *, on: date) -> Result:
    """Hold the referral against the criteria of rapid access: what excludes it, and what is not known."""
    findings, missing = list(_exclusions(facts)), list(_unanswered(facts))
    for part in (_duration(facts, on=on), _postpartum(facts, on=on)):
        findings += part[0]
        missing += part[1]
    return tuple(findings), tuple(missing)


def _unanswered(facts: Facts) -> Iterator[Missing]:
    for link_id, text in _NEEDED.items():
        if facts.answers.get(link_id) in (None, UNKNOWN):
            yield Missing(code=link_id, text=text, element=facts.element(link_id))


def _exclusions(facts: Facts) -> Iterator[Finding]:
    for link_id, words in _CLAIMS.items():
        if facts.answers.get(link_id) == "active":
            yield _not_for(link_id, f"{words} is active", facts)
    for link_id, words in _CONDITIONS.items():
        if facts.answers.get(link_id) == YES:
            yield _not_for(link_id, f"there is {words}", facts)
    if facts.answers.get("pregnancy") == "pregnant":
        yield _not_for("pregnancy", "the patient is pregnant", facts)


def _not_for(link_id: str, words: str, facts: Facts) -> Finding:
    return Finding(
        rule=f"rapid-access-{link_id}",
        text=f"Rapid access is not possible while {words}.",
        elements=(facts.element(link_id),),
    )


def _duration(facts: Facts, *, on: date) -> Result:
    if facts.answers.get("episode") == "recurrent":
        return _recurrence(facts, on=on)
    onset = facts.days.get("onset-date")
    asked = Missing(code="onset-date", text="the full date of onset", element=facts.element("onset-date"))
    if onset is None:
        return (), (asked,)
    early = certainly(onset, lambda day: on < day + timedelta(days=42))
    late = certainly(onset, lambda day: on <= plus_months(day, 12))
    if early is None or late is None:
        return (), (asked,)
    if early:
        from_day = onset.latest + timedelta(days=42)
        text = f"The pain began less than six weeks ago; rapid access is open from {from_day.isoformat()}."
        return (_by_onset("rapid-access-six-weeks", text, facts),), ()
    if not late and "episode" not in facts.answers:
        text = "whether this is a first or a recurrent episode"
        return (), (Missing(code="episode", text=text, element=facts.element("episode")),)
    if not late:
        text = "The pain has lasted longer than twelve months without a new episode."
        return (_by_onset("rapid-access-twelve-months", text, facts),), ()
    return (), ()


def _by_onset(rule: str, text: str, facts: Facts) -> Finding:
    return Finding(rule=rule, text=text, elements=(facts.element("onset-date"), facts.element("episode")))


def _recurrence(facts: Facts, *, on: date) -> Result:
    element = facts.element("recurrence-date")
    again = facts.days.get("recurrence-date")
    recent = None if again is None else certainly(again, lambda day: on < plus_months(day, 12))
    if recent is None:
        text = "the full date on which the pain came back"
        return (), (Missing(code="recurrence-date", text=text, element=element),)
    if recent:
        return (), ()
    text = "The pain came back twelve months ago or longer."
    return (Finding(rule="rapid-access-recurrence", text=text, elements=(element,)),), ()


def _postpartum(facts: Facts, *, on: date) -> Result:
    if facts.answers.get("pregnancy") != "postpartum":
        return (), ()
    element = facts.element("postpartum-date")
    birth = facts.days.get("postpartum-date")
    recent = None if birth is None else certainly(birth, lambda day: (on - day).days < 365)
    if recent is None:
        text = "the full date on which the patient gave birth"
        return (), (Missing(code="postpartum-date", text=text, element=element),)
    if not recent:
        return (), ()
    text = "Rapid access is not possible within a year of giving birth."
    return (Finding(rule="rapid-access-postpartum", text=text, elements=(element,)),), ()
