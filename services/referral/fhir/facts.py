"""From the resources of a referral to the coded facts that triage reads; no text is searched."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from services.referral.fhir.people import payer_of
from services.referral.fhir.questionnaire import URL
from services.referral.fhir.reading import day_of, texts
from services.referral.models.facts import CoverageFact, Day, Facts
from shared.clinic import Clinic
from shared.fhir.codes import PROGRAMME_SYSTEM

Resource = Mapping[str, Any]
Resources = Mapping[str, Resource]
Given = tuple[str, Sequence[Resource]]

_SAME_ANSWER = {"yes": "Y", "no": "N", "unknown": "UNK", "y": "Y", "n": "N", "unk": "UNK"}
_ANSWERED = ("completed", "amended", "in-progress")
# The pregnancy question has an answer "no" of its own.
_OWN_CODES = frozenset({"pregnancy"})


def read(
    *,
    patient: Resource,
    request: Resource,
    enclosures: Sequence[Resource],
    known: Resources,
    clinic: Clinic,
    on: date,
) -> Facts:
    """Read what triage needs; `enclosures` in the order of arrival, a later answer replaces an earlier one.

    `known` holds resources by the text with which others refer to them.
    """
    answers: dict[str, str] = {}
    days: dict[str, Day] = {}
    for response in enclosures:
        if _is_ours(response):
            given = list(_items(response.get("item", [])))
            answers |= dict(_answers(given))
            days |= dict(_days(given))
    born = day_of(patient.get("birthDate"))
    elements = {
        link_id: f"QuestionnaireResponse.item.where(linkId='{link_id}').answer.value"
        for link_id in (*answers, *days)
    }
    return Facts(
        birth_date=born,
        programme=programme_asked(request),
        answers=answers,
        days=days,
        coverages=tuple(_coverages(enclosures, known=known, clinic=clinic)),
        consents=_consents(enclosures, known=known, clinic=clinic, on=on),
        unavailable=_unavailable(enclosures),
        elements=elements if born is None else {"birth-date": "Patient.birthDate"} | elements,
    )


def programme_asked(request: Resource) -> str | None:
    """Give the programme's code that a ServiceRequest asks for, known or not."""
    for coding in request.get("code", {}).get("coding", []):
        if coding.get("system") == PROGRAMME_SYSTEM:
            return str(coding.get("code", ""))
    return None


def _is_ours(resource: Resource) -> bool:
    if resource.get("resourceType") != "QuestionnaireResponse" or resource.get("status") not in _ANSWERED:
        return False
    return str(resource.get("questionnaire", "")).partition("|")[0] == URL


def _items(items: Sequence[Any]) -> Iterator[Given]:
    """Give every question with its answers, in order, however deep it stands."""
    for item in items:
        answers = item.get("answer", ())
        yield str(item.get("linkId", "")), answers
        if "item" in item:
            yield from _items(item["item"])
        for answer in answers:
            if "item" in answer:
                yield from _items(answer["item"])


def _answers(items: Iterable[Given]) -> Iterator[tuple[str, str]]:
    for link_id, given in items:
        codes = {code for answer in given if (code := _code(link_id, answer)) is not None}
        if codes:
            yield link_id, "Y" if "Y" in codes else min(codes)


def _code(link_id: str, answer: Resource) -> str | None:
    if isinstance(answer.get("valueBoolean"), bool):
        return "Y" if answer["valueBoolean"] else "N"
    code = answer.get("valueCoding", {}).get("code")
    if not isinstance(code, str):
        return None
    if link_id in _OWN_CODES and code.lower() == "no":
        return "no"
    return _SAME_ANSWER.get(code.lower(), code)


def _days(items: Iterable[Given]) -> Iterator[tuple[str, Day]]:
    for link_id, given in items:
        for answer in given:
            day = day_of(answer.get("valueDate") or answer.get("valueDateTime"))
            if day is not None:
                yield link_id, day


def _unavailable(enclosures: Sequence[Resource]) -> tuple[tuple[date, date], ...]:
    ranges = []
    for response in enclosures:
        for item in response.get("item", []) if _is_ours(response) else []:
            if item.get("linkId") != "unavailable":
                continue
            days = dict(_days(_items(item.get("item", []))))
            start, end = days.get("unavailable-from"), days.get("unavailable-to")
            if start is not None and end is not None and start.earliest <= end.latest:
                ranges.append((start.earliest, end.latest))
    return tuple(ranges)


def _coverages(enclosures: Sequence[Resource], *, known: Resources, clinic: Clinic) -> Iterator[CoverageFact]:
    for coverage in enclosures:
        if coverage.get("resourceType") != "Coverage" or coverage.get("status") != "active":
            continue
        codes = list(texts(coverage.get("type", {}).get("coding", []), "code"))
        payers = [
            payer
            for payor in coverage.get("payor", [])
            if (payer := payer_of(payor, within=coverage, known=known, clinic=clinic)) is not None
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
    for consent in enclosures:
        if consent.get("resourceType") != "Consent":
            continue
        provision = consent.get("provision", {})
        named = {
            payer
            for actor in _actors(provision)
            if (payer := payer_of(actor, within=consent, known=known, clinic=clinic)) is not None
        }
        if consent.get("status") == "active" and provision.get("type") != "deny" and _in_force(provision, on):
            given |= named
        else:
            given -= named or set(given)
    return frozenset(given)


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


def _in_force(provision: Resource, on: date) -> bool:
    period = provision.get("period", {})
    start, end = day_of(period.get("start")), day_of(period.get("end"))
    return (start is None or start.earliest <= on) and (end is None or on <= end.latest)
