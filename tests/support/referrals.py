"""Referrals to send in tests: a complete rapid-access one, and what may be changed in it."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from services.referral.fhir.coded_answers import ANSWER_SYSTEM, YES_NO_SYSTEM
from services.referral.fhir.questionnaire_answers import URL
from services.referral.models.questions import EMERGENCY_FLAGS, URGENT_FLAGS
from shared.fhir.codes import PROGRAMME_SYSTEM

SENDER = "https://elm-street.example/referral"
HEALTH_CARD = "https://fhir.infoway-inforoute.ca/NamingSystem/ca-on-patient-hcn"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CODES = {
    "episode": "first",
    "claim-workplace": "none",
    "claim-motor": "none",
    "claim-legal": "none",
    "pregnancy": "no",
}
_YES_NO = ("chronic-multisite-pain", "opioid-dependency")
ANSWERS = (
    dict.fromkeys((*EMERGENCY_FLAGS, *URGENT_FLAGS, *_YES_NO), "N")
    | _CODES
    | {"onset-date": (date(2026, 3, 2) - timedelta(days=90)).isoformat()}
)
# Codes of the clinic's payers as `examples/clinic.yaml` has them.
PAYERS = {
    "workplace-insurer": ("WCBPOL", "workplace-board"),
    "motor-insurer": ("AUTOPOL", "lakeshore-motor"),
}


def bundle(
    *,
    identifier: str | None = None,
    answers: dict[str, str | None] | None = None,
    programme: str | None = None,
    payer: str | None = None,
    kind: str | None = "PUBLICPOL",
    consent: bool = True,
    birth_date: str | None = "1980-05-17",
    health_card: str | None = None,
    family: str = "Abernathy",
    intent: str = "order",
) -> dict[str, Any]:
    """Make a transaction Bundle; an answer of None leaves its question out, `kind` None the Coverage."""
    patient, coverage = _urn(), _urn()
    resources = [
        (patient, a_patient(birth_date=birth_date, health_card=health_card, family=family)),
        (_urn(), a_request(patient, identifier=identifier, programme=programme, intent=intent)),
        (_urn(), a_response(patient, answers)),
    ]
    if kind is not None or payer is not None:
        resources.append((coverage, a_coverage(patient, payer=payer, kind=kind)))
    if payer is not None and consent:
        resources.append((_urn(), a_consent(patient, payer=payer)))
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
            for url, one in resources
        ],
    }


def a_patient(
    *, birth_date: str | None = "1980-05-17", health_card: str | None = None, family: str = "Abernathy"
) -> dict[str, Any]:
    """Make a Patient."""
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": HEALTH_CARD, "value": health_card or str(uuid4().int)[:10]}],
        "name": [{"family": family, "given": ["Noor"]}],
    }
    return patient | ({"birthDate": birth_date} if birth_date else {})


def a_request(
    patient: str, *, identifier: str | None = None, programme: str | None = None, intent: str = "order"
) -> dict[str, Any]:
    """Make a ServiceRequest."""
    request: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": SENDER, "value": identifier or str(uuid4())}],
        "status": "active",
        "intent": intent,
        "code": {"text": "Back pain assessment and rehabilitation"},
        "subject": {"reference": patient},
        "authoredOn": "2026-03-01",
        "reasonCode": [{"text": "Low back pain that does not get better"}],
    }
    if programme is not None:
        request["code"]["coding"] = [{"system": PROGRAMME_SYSTEM, "code": programme}]
    return request


def a_response(patient: str, answers: dict[str, str | None] | None = None) -> dict[str, Any]:
    """Make a QuestionnaireResponse with every answer, the given ones changed."""
    given = ANSWERS | (answers or {})
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": URL,
        "status": "completed",
        "subject": {"reference": patient},
        "item": [
            {"linkId": link_id, "answer": [_answer(link_id, answer)]}
            for link_id, answer in given.items()
            if answer is not None
        ],
    }


def a_coverage(patient: str, *, payer: str | None = None, kind: str | None = "PUBLICPOL") -> dict[str, Any]:
    """Make a Coverage."""
    code, value = PAYERS[payer] if payer is not None else (kind, "")
    system = "https://payers.example/id"
    payor = {"identifier": {"system": system, "value": value}} if value else {"display": "Public plan"}
    return {
        "resourceType": "Coverage",
        "status": "active",
        "type": {"coding": [{"system": _ACT, "code": code}]},
        "subscriberId": "MB-4711",
        "beneficiary": {"reference": patient},
        "payor": [payor],
    }


def a_consent(patient: str, *, payer: str, status: str = "active") -> dict[str, Any]:
    """Make a Consent that names an insurer."""
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    category = {"system": "http://loinc.org", "code": "59284-0"}
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
    insurer = {"identifier": {"system": "https://payers.example/id", "value": PAYERS[payer][1]}}
    return {
        "resourceType": "Consent",
        "status": status,
        "scope": {"coding": [scope]},
        "category": [{"coding": [category]}],
        "patient": {"reference": patient},
        "dateTime": "2026-03-01",
        "policyRule": {"text": "Disclosure to the insurer"},
        "provision": {"type": "permit", "actor": [{"role": {"coding": [role]}, "reference": insurer}]},
    }


def resource(sent: dict[str, Any], resource_type: str) -> dict[str, Any]:
    """Find the resource of a type in a Bundle, to change it."""
    found: list[dict[str, Any]] = [entry["resource"] for entry in sent["entry"]]
    return next(message for message in found if message["resourceType"] == resource_type)


def _answer(link_id: str, answer: str) -> dict[str, Any]:
    if link_id.endswith("-date"):
        return {"valueDate": answer}
    system = YES_NO_SYSTEM if answer in ("Y", "N", "UNK") else ANSWER_SYSTEM
    return {"valueCoding": {"system": system, "code": answer}}


def _urn() -> str:
    return f"urn:uuid:{uuid4()}"
