"""From the resources of a referral to the coded facts that triage reads; no text is searched."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.referral.fhir import people, questionnaire_answers, wish
from services.referral.fhir.newest import oldest_first
from services.referral.fhir.questionnaire_answers import Answers
from services.referral.fhir.reading import day_of, has_code, texts
from services.referral.models.facts import CoverageFact, Day, Facts
from services.referral.models.questions import PAST_DAYS
from shared.clinic import Clinic
from shared.fhir import start_back
from shared.fhir.codes import PROGRAMME_SYSTEM
from shared.fhir.start_back import StartBack

Resource = Mapping[str, Any]
Resources = Mapping[str, Resource]

# What of a referral facts are read of; a change of anything else is told by its type.
READ_TYPES = ("QuestionnaireResponse", "Coverage", "Consent", "Patient")


def read(
    *,
    patient: Resource,
    request: Resource,
    enclosures: Sequence[Resource],
    known: Resources,
    clinic: Clinic,
    on: date,
    deceased: bool = False,
    self_referred: bool = False,
) -> Facts:
    """Read what triage needs of all that came; of what counts once, the newest counts.

    `known` holds resources by the text with which others refer to them; `deceased` is what is known of the
    patient beside what this sender says.
    """
    answers = questionnaire_answers.read(enclosures)
    born = _past(day_of(patient.get("birthDate")), on=on)
    days = _possible(answers.days, born=born, on=on)
    elements = {
        link_id: f"QuestionnaireResponse.item.where(linkId='{link_id}').answer.value"
        for link_id in (*answers.codes, *days)
    }
    return Facts(
        birth_date=born,
        deceased=deceased or people.is_deceased(patient),
        in_use=patient.get("active") is not False,
        replaced=people.is_replaced(patient),
        self_referred=self_referred,
        programme=programme_asked(request),
        says_what=_says_what(request, enclosures),
        answers=answers.codes,
        days=days,
        unread=_unread(answers, days, patient=patient, born=born),
        coverages=tuple(_coverages(enclosures, known=known, clinic=clinic, on=on)),
        consents=_consents(enclosures, known=known, clinic=clinic, on=on),
        start_back=_start_back(enclosures),
        unavailable=(*_unavailable(enclosures), *_before_the_wish(request, on=on)),
        elements=elements | ({"birth-date": "Patient.birthDate"} if patient.get("birthDate") else {}),
    )


def programme_asked(request: Resource) -> str | None:
    """Give the programme's code that a ServiceRequest asks for, known or not."""
    for coding in request.get("code", {}).get("coding", []):
        if coding.get("system") == PROGRAMME_SYSTEM:
            return str(coding.get("code", ""))
    return None


def _says_what(request: Resource, enclosures: Sequence[Resource]) -> bool:
    """Tell whether it is said what the patient is sent for: a category alone says of what kind it is."""
    stated = any(request.get(member) for member in ("code", "reasonCode", "reasonReference"))
    return stated or any(one.get("resourceType") == "Condition" for one in enclosures)


def _start_back(enclosures: Sequence[Resource]) -> StartBack | None:
    """Score the newest response, of whatever form, in which the STarT Back tool is complete."""
    scored = None
    for response in oldest_first(filter(_is_answered, enclosures), by="authored"):
        scored = start_back.score(start_back.answers_in(response)) or scored
    return scored


def _is_answered(resource: Resource) -> bool:
    answered = ("completed", "amended", "in-progress")
    return resource.get("resourceType") == "QuestionnaireResponse" and resource.get("status") in answered


def _past(day: Day | None, *, on: date) -> Day | None:
    """Leave out a day that is still to come."""
    return None if day is None or day.earliest > on else day


def _unread(
    answers: Answers, days: Mapping[str, Day], *, patient: Resource, born: Day | None
) -> frozenset[str]:
    unborn = {"birth-date"} if born is None and patient.get("birthDate") else set()
    return frozenset(answers.unread | (answers.days.keys() - days.keys()) | unborn)


def _possible(days: Mapping[str, Day], *, born: Day | None, on: date) -> dict[str, Day]:
    """Leave out the days that cannot be: to come, before birth, or back again before it began."""
    possible = {}
    for link_id, day in days.items():
        before = [born] if link_id != "recurrence-date" else [born, days.get("onset-date")]
        early = any(first is not None and day.latest < first.earliest for first in before)
        if link_id not in PAST_DAYS or (day.earliest <= on and not early):
            possible[link_id] = day
    return possible


def _before_the_wish(request: Resource, *, on: date) -> tuple[tuple[date, date], ...]:
    """Give the days before the one from which on the sender wishes the patient to be seen."""
    first = wish.not_before(request)
    return ((on, first - timedelta(days=1)),) if first is not None and first > on else ()


def _unavailable(enclosures: Sequence[Resource]) -> tuple[tuple[date, date], ...]:
    ranges = []
    for response in enclosures:
        for item in response.get("item", []) if questionnaire_answers.is_ours(response) else []:
            if item.get("linkId") != "unavailable":
                continue
            given = dict(questionnaire_answers.items(item.get("item", [])))
            start = questionnaire_answers.day_in(given.get("unavailable-from", ()))
            end = questionnaire_answers.day_in(given.get("unavailable-to", ()))
            if start is not None and end is not None and start.earliest <= end.latest:
                ranges.append((start.earliest, end.latest))
    return tuple(ranges)


def _coverages(
    enclosures: Sequence[Resource], *, known: Resources, clinic: Clinic, on: date
) -> Iterator[CoverageFact]:
    for coverage in enclosures:
        if coverage.get("resourceType") != "Coverage" or coverage.get("status") != "active":
            continue
        if not _in_force(coverage, on):
            continue
        codes = list(texts(coverage.get("type", {}).get("coding", []), "code"))
        payers = [
            payer
            for payor in coverage.get("payor", [])
            if (payer := people.payer_of(payor, within=coverage, known=known, clinic=clinic)) is not None
        ]
        element = "Coverage.payor.identifier" if payers else "Coverage.type.coding.code"
        yield CoverageFact(
            element=element, kind=codes[0] if codes else None, payer=payers[0] if payers else None
        )


def _consents(
    enclosures: Sequence[Resource], *, known: Resources, clinic: Clinic, on: date
) -> frozenset[str]:
    """Hold the newest Consent that speaks of each insurer; one not active that names nobody ends all."""
    given: set[str] = set()
    consents = filter(_is_about_sharing, enclosures)
    for consent in oldest_first(consents, by="dateTime", ends=_is_withdrawal):
        provision = consent.get("provision", {})
        named = {
            payer
            for actor in _actors(provision)
            if (payer := people.payer_of(actor, within=consent, known=known, clinic=clinic)) is not None
        }
        if consent.get("status") == "active" and provision.get("type") != "deny" and _in_force(provision, on):
            given |= named
        else:
            given -= named or set(given)
    return frozenset(given)


def _is_withdrawal(consent: Resource) -> bool:
    return consent.get("status") != "active" or consent.get("provision", {}).get("type") == "deny"


def _is_about_sharing(resource: Resource) -> bool:
    """Tell whether this is a Consent, and neither one to research nor an advance directive."""
    if resource.get("resourceType") != "Consent":
        return False
    return not any(has_code(resource.get("scope"), code) for code in ("research", "adr"))


def consent_ends(enclosures: Sequence[Resource], *, on: date) -> date | None:
    """Give the next last day of a Consent, after which it must be looked at again."""
    ends = [
        end.latest
        for consent in enclosures
        if consent.get("resourceType") == "Consent"
        and (end := day_of(consent.get("provision", {}).get("period", {}).get("end"))) is not None
        and end.latest >= on
    ]
    return min(ends, default=None)


def _actors(provision: Resource) -> Iterator[Resource]:
    if provision.get("type") == "deny":
        yield from (actor.get("reference", {}) for actor in provision.get("actor", []))
        return
    yield from (actor.get("reference", {}) for actor in provision.get("actor", []))
    for nested in provision.get("provision", []):
        if nested.get("type") != "deny":
            yield from _actors(nested)


def _in_force(dated: Resource, on: date) -> bool:
    period = dated.get("period", {})
    start, end = day_of(period.get("start")), day_of(period.get("end"))
    return (start is None or start.earliest <= on) and (end is None or on <= end.latest)
