"""The entries of a Bundle as pieces of a referral: what each asks for, and what is left out and why.

No resource refuses a referral by its type alone: what is not kept is left out, and the answer says so by its
place. A condition is understood or refused, never passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from services.referral.fhir.pieces import piece_of
from services.referral.fhir.reading import tokens
from services.referral.models.submission import AskedReference, LeftOut, Piece
from shared.errors import Problem
from shared.fhir import condition, references
from shared.fhir.received import Entry, Received
from shared.fhir.references import Form

# What is kept with a referral and can be read where the answer says.
ACCEPTED_TYPES = (
    "AllergyIntolerance",
    "CarePlan",
    "CareTeam",
    "ClinicalImpression",
    "Communication",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "List",
    "Location",
    "Media",
    "Medication",
    "MedicationAdministration",
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
    "RiskAssessment",
    "ServiceRequest",
    "Specimen",
)
# Kept as an attachment, in its own form.
BINARY = "Binary"
# Read too: a Task, which ours answers, and attachments.
_READ = (*ACCEPTED_TYPES, "Task", BINARY)
_ENVELOPE = "MessageHeader"


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """What a Bundle holds: its pieces in their order, and what is left out of it."""

    pieces: tuple[Piece, ...]
    left_out: tuple[LeftOut, ...] = ()


def read(bundle: Received, problems: list[Problem]) -> Entries:
    """Read the entries of a transaction or a message, and add what is wrong with them to `problems`."""
    pieces, left_out = [], []
    for entry in bundle.entries:
        resource = entry.resource
        if resource is None:
            where = f"Bundle.entry[{entry.index}].resource"
            problems.append(Problem(text="an entry needs its resource", expression=where))
        elif entry.index in bundle.other_people:
            left_out.append(_left_out(entry, resource, "another person than the patient is not kept"))
        elif resource.resource_type in _READ:
            if bundle.data.get("type") == "transaction":
                problems += _wrong_request(entry, resource)
            pieces.append(_piece(entry, resource))
        elif resource.resource_type != _ENVELOPE:
            text = f"this resource type is not read here and was left out: {resource.resource_type}"
            left_out.append(_left_out(entry, resource, text))
    return Entries(pieces=_called(pieces, bundle), left_out=tuple(left_out))


def asked_references(pieces: Sequence[Piece]) -> Iterator[AskedReference]:
    """Give the conditional references that name none of the pieces, each once."""
    seen = {link for piece in pieces for link in piece.links}
    for piece in pieces:
        for text, token in _conditional(piece):
            if text not in seen:
                seen.add(text)
                yield AskedReference(
                    type=str(references.reference_type(text)), text=text, token=token, index=piece.index
                )


def _left_out(entry: Entry, resource: Received, text: str) -> LeftOut:
    return LeftOut(index=entry.index, type=resource.resource_type, text=text)


def _wrong_request(entry: Entry, resource: Received) -> Iterator[Problem]:
    kind, where = resource.resource_type, f"Bundle.entry[{entry.index}].request"
    own = _own_tokens(resource)
    understands = f"this transaction creates (POST {kind}) or puts by identifier (PUT {kind}?identifier=...)"
    if entry.if_none_exist and condition.identifier(entry.if_none_exist, resource_type=kind, own=own) is None:
        yield _not_supported(condition.UNDERSTOOD, f"{where}.ifNoneExist")
    if entry.method == "PUT":
        token = condition.of_update(entry.url, resource_type=kind, own=own)
        if token is None:
            text = f"a {kind} is put by its identifier: {condition.UNDERSTOOD}"
            yield _not_supported(text, f"{where}.url")
        elif kind != "Patient" and token not in own:
            text = f"the {kind} that is put bears the identifier of its condition"
            yield Problem(text=text, code="invariant", expression=f"{where}.url")
    elif entry.method != "POST":
        yield _not_supported(f"{understands}; {entry.method} does neither", f"{where}.method")
    elif (entry.url or "").rstrip("/").rpartition("/")[2] != kind:
        yield Problem(text=f"a {kind} is created at {kind}", expression=f"{where}.url")


def _not_supported(text: str, where: str) -> Problem:
    return Problem(text=text, code="not-supported", expression=where)


def _own_tokens(resource: Received) -> tuple[str, ...]:
    stated = resource.data.get("identifier", [])
    return tokens(stated if isinstance(stated, list) else [stated])


def _piece(entry: Entry, resource: Received) -> Piece:
    kind, own = resource.resource_type, f"{resource.resource_type}/{resource.data.get('id')}"
    links = [link for link in (entry.full_url, own if resource.data.get("id") else None) if link]
    if entry.full_url and "://" in entry.full_url:
        links.append("/".join(entry.full_url.rsplit("/", 2)[1:]))
    tokens_of_it = _own_tokens(resource)
    put = entry.method == "PUT"
    return piece_of(
        resource.data,
        resource.raw,
        links=tuple(dict.fromkeys(links)),
        index=entry.index,
        if_none_exist=condition.identifier(entry.if_none_exist, resource_type=kind, own=tokens_of_it),
        update_where=condition.of_update(entry.url, resource_type=kind, own=tokens_of_it) if put else None,
    )


def _called(pieces: Sequence[Piece], bundle: Received) -> tuple[Piece, ...]:
    """Let a piece be called by the conditional references that its identifiers meet, too."""
    if b"?" not in bundle.raw:
        return tuple(pieces)
    met: dict[int | None, list[str]] = {}
    for text, token in dict.fromkeys(asked for piece in pieces for asked in _conditional(piece)):
        kind = references.reference_type(text)
        for piece in pieces:
            if piece.type == kind and token in piece.identifiers:
                met.setdefault(piece.index, []).append(text)
                break
    return tuple(
        msgspec.structs.replace(piece, links=tuple(dict.fromkeys((*piece.links, *met.get(piece.index, ())))))
        for piece in pieces
    )


def _conditional(piece: Piece) -> Iterator[tuple[str, str]]:
    """Give each conditional reference in a piece that is understood, with its identifier."""
    if b"?" in piece.raw:
        for text in _reference_texts(piece.data):
            parsed = references.parse(text)
            if parsed.form is Form.CONDITIONAL and parsed.type is not None:
                token = condition.identifier(text, resource_type=parsed.type)
                if token is not None:
                    yield text, token


def _reference_texts(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "reference" and isinstance(value, str):
                yield value
            else:
                yield from _reference_texts(value)
    elif isinstance(node, list):
        for part in node:
            yield from _reference_texts(part)
