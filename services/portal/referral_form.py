"""A referral as a person types it, made into the transaction that the clinic's API takes.

Only what was typed is said. What is missing is the service's to ask for: the dry run says it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.questionnaires import Group, answered
from services.portal.typed import Typed, first
from shared.clinic import Clinic, Payer
from shared.fhir.codes import LUMBAR

QUESTIONNAIRE = f"{LUMBAR}/Questionnaire/back-pain-referral"
ENTRY_EXTENSION = f"{LUMBAR}/StructureDefinition/referral-entry"
REFERENCE_SYSTEM = f"{LUMBAR}/portal/reference"
WAYS = ("fax", "telephone", "letter")
# Health cards of Canada's provinces and territories, by the naming system of each.
CARDS = ("on", "qc", "bc", "ab", "mb", "sk", "ns", "nb", "nl", "pe", "yt", "nt", "nu")
_CARD_SYSTEM = "https://fhir.infoway-inforoute.ca/NamingSystem/ca-{}-patient-hcn"
_V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_COVERAGE_OF = {"public": "PUBLICPOL", "self-pay": "pay"}
_COVERAGE_OF_STREAM = {"workplace": "WCBPOL", "motor-vehicle": "AUTOPOL", "private": "EHCPOL"}
_SELF_PAY_SYSTEM = "http://terminology.hl7.org/CodeSystem/coverage-selfpay"
# Which field a FHIRPath of the API is about, by what it begins with.
_FIELDS = (
    ("Patient.name", "family"),
    ("Patient.birthDate", "birth-date"),
    ("Patient.telecom", "phone"),
    ("Patient.identifier", "card"),
    ("Patient.gender", "gender"),
    ("Coverage", "payer"),
    ("Consent", "consent"),
    ("ServiceRequest.requester", "requester"),
    ("ServiceRequest.reasonCode", "reason"),
    ("ServiceRequest.priority", "priority"),
)


def bundle_of(
    typed: Typed, groups: Sequence[Group], *, clinic: Clinic, key: str, now: datetime, entered: bool
) -> tuple[dict[str, Any], list[Wrong]]:
    """Make the transaction; `entered` says that somebody of the clinic writes it down for its sender.

    `key` is the form's own id: what is sent twice from it has the same ids in it. What was typed wrong, or is
    needed before anything can be asked, comes back too.
    """
    written = _Written(typed, key=key)
    items, wrong = answered(groups, typed)
    wrong += _missing(typed, entered=entered)
    entries = [written.entry(_patient(typed, wrong))]
    insurance = _coverage(typed, written, clinic, now)
    entries += insurance
    referral = _referral(typed, written, key=key, now=now)
    if insurance:
        referral["insurance"] = [{"reference": written.url("Coverage")}]
    if items:
        entries.append(written.entry(_answers(items, written, now)))
        referral["supportingInfo"] = [{"reference": written.url("QuestionnaireResponse")}]
    if entered:
        referral["requester"] = {"reference": f"Organization/{first(typed, 'requester')}"}
        referral["extension"] = [_entry(typed)]
    entries.append(written.entry(referral))
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}, wrong


def field_of(expression: str) -> str:
    """Name the field that a FHIRPath of a refusal or of the dry run is about; empty where none is."""
    if "linkId='" in expression:
        return expression.split("linkId='")[1].split("'")[0]
    path = expression.partition(".resource.")[2] or expression
    return next((field for beginning, field in _FIELDS if beginning in path), "")


class _Written:
    """The entries of one transaction, whose addresses are the same however often the form is sent."""

    def __init__(self, typed: Typed, *, key: str) -> None:
        self._key = key
        self.typed = typed

    def url(self, resource_type: str) -> str:
        return uuid5(NAMESPACE_URL, f"{self._key}/{resource_type}").urn

    def entry(self, resource: dict[str, Any]) -> dict[str, Any]:
        kind = resource["resourceType"]
        return {"fullUrl": self.url(kind), "resource": resource, "request": {"method": "POST", "url": kind}}


def _patient(typed: Typed, wrong: list[Wrong]) -> dict[str, Any]:
    name: dict[str, Any] = {"use": "official", "family": first(typed, "family")}
    if given := first(typed, "given").split():
        name["given"] = given
    patient: dict[str, Any] = {"resourceType": "Patient", "name": [name]}
    if card := first(typed, "card"):
        system = _CARD_SYSTEM.format(first(typed, "card-of") or CARDS[0])
        kind = {"coding": [{"system": _V2_0203, "code": "JHN"}]}
        patient["identifier"] = [{"type": kind, "system": system, "value": card}]
    if born := _day(typed, "birth-date", wrong):
        patient["birthDate"] = born
    if gender := first(typed, "gender"):
        patient["gender"] = gender
    contacts = [("phone", first(typed, "phone")), ("email", first(typed, "email"))]
    if telecom := [{"system": system, "value": value} for system, value in contacts if value]:
        patient["telecom"] = telecom
    if spoken := first(typed, "spoken"):
        language = {"coding": [{"system": "urn:ietf:bcp:47", "code": spoken}]}
        patient["communication"] = [{"language": language, "preferred": True}]
    return patient


def _coverage(typed: Typed, written: _Written, clinic: Clinic, now: datetime) -> list[dict[str, Any]]:
    chosen = first(typed, "payer")
    payer = next((one for one in clinic.payers if one.id == chosen), None)
    if payer is None and chosen not in _COVERAGE_OF:
        return []
    code = _COVERAGE_OF_STREAM[payer.stream] if payer is not None else _COVERAGE_OF[chosen]
    system = _SELF_PAY_SYSTEM if chosen == "self-pay" else _ACT_CODE
    coverage: dict[str, Any] = {
        "resourceType": "Coverage",
        "status": "active",
        "type": {"coding": [{"system": system, "code": code}]},
        "beneficiary": {"reference": written.url("Patient")},
        "payor": [{"reference": written.url("Patient")} if payer is None else _payor(payer)],
    }
    if member := first(typed, "member"):
        kind = {"coding": [{"system": _V2_0203, "code": "MB"}]}
        coverage["identifier"] = [{"type": kind, "value": member}]
        coverage["subscriberId"] = member
    if payer is None or not first(typed, "consent"):
        return [written.entry(coverage)]
    return [written.entry(coverage), written.entry(_consent(payer, written, now))]


def _payor(payer: Payer) -> dict[str, Any]:
    system, _, value = payer.identifiers[0].partition("|")
    return {"identifier": {"system": system, "value": value}, "display": payer.name}


def _consent(payer: Payer, written: _Written, now: datetime) -> dict[str, Any]:
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "PAYOR"}
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [scope]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": written.url("Patient")},
        "dateTime": now.isoformat(timespec="seconds"),
        "policyRule": {"coding": [{"system": _ACT_CODE, "code": "OPTIN"}]},
        "provision": {
            "type": "permit",
            "actor": [{"role": {"coding": [role]}, "reference": _payor(payer)}],
        },
    }


def _answers(items: list[dict[str, Any]], written: _Written, now: datetime) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": QUESTIONNAIRE,
        "status": "completed",
        "subject": {"reference": written.url("Patient")},
        "authored": now.isoformat(timespec="seconds"),
        "item": items,
    }


def _referral(typed: Typed, written: _Written, *, key: str, now: datetime) -> dict[str, Any]:
    kind = {"coding": [{"system": _V2_0203, "code": "PLAC"}]}
    reference = first(typed, "reference") or key
    referral: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "identifier": [{"type": kind, "system": REFERENCE_SYSTEM, "value": reference}],
        "status": "active",
        "intent": "order",
        "priority": first(typed, "priority") or "routine",
        "subject": {"reference": written.url("Patient")},
        "authoredOn": now.isoformat(timespec="seconds"),
        "reasonCode": [{"text": first(typed, "reason")}],
    }
    if programme := first(typed, "programme"):
        referral["code"] = {"coding": [{"system": f"{LUMBAR}/CodeSystem/programme", "code": programme}]}
    return referral


def _entry(typed: Typed) -> dict[str, Any]:
    """Write by which way a referral came, and when."""
    parts: list[dict[str, Any]] = [{"url": "way", "valueCode": first(typed, "way")}]
    if arrived := first(typed, "arrived"):
        parts.append({"url": "arrived", "valueDate": arrived})
    return {"url": ENTRY_EXTENSION, "extension": parts}


def _missing(typed: Typed, *, entered: bool) -> list[Wrong]:
    needed = ["family", "reason", *(("requester", "way") if entered else ())]
    return [Wrong(name=name, text=labels.NEEDED) for name in needed if not first(typed, name)]


def _day(typed: Typed, name: str, wrong: list[Wrong]) -> str:
    text = first(typed, name)
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        wrong.append(Wrong(name=name, text=labels.DAY_AS))
        return ""
