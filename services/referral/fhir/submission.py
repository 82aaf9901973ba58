"""From the three doors to one Submission, with everything that makes acting impossible named at once.

Refused is only what leaves open who the patient is or what is asked for; all else that is missing is asked
for later by triage.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.referral.fhir import condition, people
from services.referral.fhir.facts import programme_asked
from services.referral.fhir.pieces import contained, piece_of
from services.referral.fhir.reading import tokens
from services.referral.models.submission import Piece, Submission
from shared.clinic import Clinic
from shared.errors import Invalid, Problem
from shared.fhir import references
from shared.fhir.received import Entry, Received
from shared.fhir.search_values import as_uuid

ACCEPTED_TYPES = (
    "AllergyIntolerance",
    "Communication",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "Location",
    "Media",
    "Medication",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
)
# What is asked for, and what is proposed or planned; a directive and an option ask for nothing yet.
INTENTS = (
    "order",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
    "proposal",
    "plan",
)
ADD, REVOKE = "add-service-request", "revoke-service-request"


class NotAReferral(Invalid):
    """What came cannot be acted on: who the patient is or what is asked for is not said."""


def read(received: Received, *, clinic: Clinic) -> Submission:
    """Read a Bundle or a bare ServiceRequest; raises NotAReferral with every problem and its FHIRPath."""
    problems: list[Problem] = []
    pieces = list(_pieces(received, problems))
    request = _only_request(pieces, problems)
    if request is None:
        raise NotAReferral(problems=problems)
    pieces += [piece for piece in contained(request.raw) if piece.type in ACCEPTED_TYPES]
    where = _where(request, "")
    problems += _wrong_request(request, where=where, clinic=clinic)
    patient, identifiers, known_id = _subject(request, pieces, where=where, problems=problems)
    others = [piece for piece in pieces if piece.type == "Patient" and piece is not patient]
    problems += [_problem("another patient than the referred one", _where(piece, "")) for piece in others]
    if problems:
        raise NotAReferral(problems=problems)
    return Submission(
        request=request,
        patient=patient,
        patient_identifiers=identifiers,
        patient_id=known_id,
        replaced_by=() if patient is None else people.replacing(patient.data),
        enclosures=tuple(piece for piece in pieces if piece is not request and piece is not patient),
        entries=len(received.entries) or 1,
    )


def event_code(received: Received) -> str | None:
    """Give the event code of a message Bundle, None for anything else."""
    header = _header(received)
    if header is None:
        return None
    coding = header.get("eventCoding", {})
    return str(coding.get("code") or header.get("eventUri", "").rpartition("/")[2])


def message_id(received: Received) -> str | None:
    """Give the id of a message: its MessageHeader's, by which the answer refers to it."""
    header = _header(received)
    return None if header is None else str(header.get("id") or received.data.get("id") or "")


def _header(received: Received) -> Mapping[str, Any] | None:
    first = received.entries[0].resource if received.entries else None
    if received.data.get("type") != "message" or first is None or first.resource_type != "MessageHeader":
        return None
    return first.data


def _pieces(received: Received, problems: list[Problem]) -> Iterator[Piece]:
    if received.resource_type == "ServiceRequest":
        yield piece_of(received.data, received.raw)
        return
    kind = received.data.get("type")
    if kind not in ("transaction", "message"):
        problems.append(_problem(f"a transaction or a message is taken here, not a {kind}", "Bundle.type"))
        return
    for entry in received.entries:
        where = f"Bundle.entry[{entry.index}]"
        if entry.resource is None:
            problems.append(_problem("an entry needs its resource", f"{where}.resource"))
        elif entry.resource.resource_type == "MessageHeader":
            continue
        elif entry.resource.resource_type not in ACCEPTED_TYPES:
            text = f"a referral does not take a {entry.resource.resource_type}"
            problems.append(_problem(text, f"{where}.resource", code="not-supported"))
        else:
            if kind == "transaction":
                problems += _wrong_creation(entry, entry.resource.resource_type, where=f"{where}.request")
            yield _entry_piece(entry, entry.resource)


def _wrong_creation(entry: Entry, resource_type: str, *, where: str) -> Iterator[Problem]:
    is_patient = resource_type == "Patient"
    if (
        is_patient
        and entry.if_none_exist
        and condition.identifier(entry.if_none_exist, resource_type="Patient") is None
    ):
        yield _problem(condition.UNDERSTOOD, f"{where}.ifNoneExist", code="not-supported")
    if is_patient and entry.method == "PUT":
        if condition.of_update(entry.url, resource_type="Patient") is None:
            text = f"a Patient is put by its identifier: {condition.UNDERSTOOD}"
            yield _problem(text, f"{where}.url", code="not-supported")
    elif entry.method != "POST":
        text = f"this transaction creates: POST, not {entry.method}"
        yield _problem(text, f"{where}.method", code="not-supported")
    elif (entry.url or "").rstrip("/").rpartition("/")[2] != resource_type:
        yield _problem(f"a {resource_type} is created at {resource_type}", f"{where}.url")


def _entry_piece(entry: Entry, resource: Received) -> Piece:
    own = f"{resource.resource_type}/{resource.data['id']}" if resource.data.get("id") else None
    links = [link for link in (entry.full_url, own) if link]
    if entry.full_url and "://" in entry.full_url:
        links.append("/".join(entry.full_url.rsplit("/", 2)[1:]))
    return piece_of(
        resource.data,
        resource.raw,
        links=tuple(dict.fromkeys(links)),
        index=entry.index,
        if_none_exist=condition.identifier(entry.if_none_exist, resource_type=resource.resource_type),
        update_where=_put_by(entry),
    )


def _put_by(entry: Entry) -> str | None:
    return condition.of_update(entry.url, resource_type="Patient") if entry.method == "PUT" else None


def _only_request(pieces: Sequence[Piece], problems: list[Problem]) -> Piece | None:
    requests = [piece for piece in pieces if piece.type == "ServiceRequest"]
    if not requests:
        problems.append(_problem("what is asked for: a ServiceRequest", "Bundle.entry", code="required"))
        return None
    problems += [_problem("one referral at a time", _where(piece, "")) for piece in requests[1:]]
    return requests[0]


def _wrong_request(request: Piece, *, where: str, clinic: Clinic) -> Iterator[Problem]:
    data = request.data
    if data.get("status") != "active":
        yield _problem(f"a new referral is active, not {data.get('status')}", f"{where}.status")
    if data.get("intent") not in INTENTS:
        yield _problem(f"one of {', '.join(INTENTS)}, not {data.get('intent')}", f"{where}.intent")
    if not (data.get("code") or data.get("reasonCode") or data.get("reasonReference")):
        yield _problem("what is asked for: a code or a reason", f"{where}.code", code="required")
    asked = programme_asked(data)
    known = [programme.id for programme in clinic.programmes]
    if asked is not None and asked not in known:
        text = f"the clinic's programmes are {', '.join(known)}; {asked} is none of them"
        yield _problem(text, f"{where}.code.coding.code", code="code-invalid")


def _subject(
    request: Piece, pieces: Sequence[Piece], *, where: str, problems: list[Problem]
) -> tuple[Piece | None, tuple[str, ...], UUID | None]:
    subject = request.data.get("subject", {})
    text = subject.get("reference")
    for piece in pieces:
        if piece.type == "Patient" and text in piece.links:
            problems += _unknown_person(piece)
            return piece, piece.identifiers, None
    known = _known_id(text)
    named = tokens([subject.get("identifier")])
    if known is None and not named and isinstance(text, str) and text.startswith("Patient?"):
        token = condition.identifier(text, resource_type="Patient")
        named = () if token is None else (token,)
    if known is None and not named:
        expression = f"{where}.subject"
        text = "who the patient is: a Patient that is sent along, or the identifier of a known one"
        problems.append(_problem(text, expression, code="required"))
    return None, named, known


def _known_id(reference: Any) -> UUID | None:
    parsed = references.parse(reference) if isinstance(reference, str) else None
    return as_uuid(parsed.id) if parsed is not None and parsed.type == "Patient" else None


def _unknown_person(patient: Piece) -> Iterator[Problem]:
    names = patient.data.get("name", [])
    named = any(name.get("family") or name.get("text") or name.get("given") for name in names)
    if not patient.identifiers and not named:
        text = "who the patient is: an identifier with a value, or a name"
        yield _problem(text, _where(patient, "identifier"), code="required")


def _where(piece: Piece, member: str) -> str:
    base = piece.type if piece.index is None else f"Bundle.entry[{piece.index}].resource"
    return f"{base}.{member}" if member else base


def _problem(text: str, expression: str, *, code: str = "invalid") -> Problem:
    return Problem(text=text, code=code, expression=expression)
