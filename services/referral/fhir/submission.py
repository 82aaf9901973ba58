"""From the three doors to one Submission, with everything that makes acting impossible named at once.

Refused is only what leaves open who the patient is or what is asked for; all else that is missing is asked
for later by triage.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from services.referral.fhir import binary, entries, people
from services.referral.fhir.entries import ACCEPTED_TYPES, BINARY, Entries
from services.referral.fhir.facts import programme_asked
from services.referral.fhir.pieces import contained, piece_of
from services.referral.fhir.reading import tokens
from services.referral.models.submission import AskedReference, LeftOut, Piece, Submission
from shared.clinic import Clinic
from shared.errors import Invalid, Problem
from shared.fhir import condition, references
from shared.fhir.received import Received
from shared.fhir.search_values import as_uuid
from shared.urls import Urls

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
# The elements that say what is asked for; with a category alone more is asked.
_SAYS_WHAT = ("code", "reasonCode", "reasonReference", "category")
_NO_LONGER_ASKED = ("revoked", "entered-in-error", "completed")


class NotAReferral(Invalid):
    """What came cannot be acted on: who the patient is or what is asked for is not said."""


def read(received: Received, *, clinic: Clinic, urls: Urls, focus: int | None = None) -> Submission:
    """Read a Bundle or a bare ServiceRequest; raises NotAReferral with every problem and its FHIRPath.

    `urls` tell which references to a patient are to one of ours; `focus` is the entry of
    the request where a message says it.
    """
    problems: list[Problem] = []
    found = _entries(received, problems)
    request, passed = _the_request(found.pieces, problems, focus=focus)
    if request is None:
        raise NotAReferral(problems=problems)
    task, tasks = _task_about(request, found.pieces)
    sent = [piece for piece in found.pieces if piece.type not in ("Task", "ServiceRequest", BINARY)]
    sent += [piece for piece in contained(request.raw) if piece.type in ACCEPTED_TYPES]
    where = _where(request, "")
    problems += _wrong_request(request, where=where, clinic=clinic)
    patient, identifiers, known_id = _subject(request, sent, urls=urls, where=where, problems=problems)
    binaries = tuple(piece for piece in found.pieces if piece.type == BINARY)
    problems += [problem for piece in binaries for problem in binary.problems(piece, piece.place)]
    others = [piece for piece in sent if piece.type == "Patient" and piece is not patient]
    problems += [_problem("another patient than the referred one", _where(piece, "")) for piece in others]
    asked = tuple(entries.asked_references([request, *sent]))
    problems += _nobody(asked, identifiers)
    if problems:
        raise NotAReferral(problems=problems)
    return Submission(
        request=request,
        patient=patient,
        patient_identifiers=identifiers,
        patient_id=known_id,
        replaced_by=() if patient is None else people.replacing(patient.data),
        enclosures=tuple(piece for piece in sent if piece is not patient),
        binaries=binaries,
        task=task,
        left_out=(*found.left_out, *passed, *tasks),
        asked_references=asked,
        entries=len(received.entries) or 1,
    )


def _entries(received: Received, problems: list[Problem]) -> Entries:
    if received.resource_type == "ServiceRequest":
        return Entries(pieces=(piece_of(received.data, received.raw),))
    kind = received.data.get("type")
    if kind not in ("transaction", "message"):
        problems.append(_problem(f"a transaction or a message is taken here, not a {kind}", "Bundle.type"))
        return Entries(pieces=())
    return entries.read(received, problems)


def _the_request(
    pieces: Sequence[Piece], problems: list[Problem], *, focus: int | None
) -> tuple[Piece | None, list[LeftOut]]:
    """Find the request that is sent to this clinic, and leave out what else was ordered for the patient."""
    requests = [piece for piece in pieces if piece.type == "ServiceRequest"]
    if not requests:
        problems.append(_problem("what is asked for: a ServiceRequest", "Bundle.entry", code="required"))
        return None, []
    chosen = _meant_requests(requests, pieces, focus=focus)
    problems += [_problem("one referral at a time", _where(piece, "")) for piece in chosen[1:]]
    text = "another ServiceRequest than the referral is not kept"
    left = [
        LeftOut(index=piece.index, type=piece.type, text=text) for piece in requests if piece not in chosen
    ]
    return chosen[0], left


def _meant_requests(
    requests: Sequence[Piece], pieces: Sequence[Piece], *, focus: int | None
) -> Sequence[Piece]:
    """Return the requests that are meant: in focus, of a Task, by this clinic's programme, or still asked."""
    if focus is not None:
        return [piece for piece in requests if piece.index == focus]
    tasks = [piece for piece in pieces if piece.type == "Task"]
    of_tasks = [piece for piece in requests if any(_is_about(task, piece) for task in tasks)]
    of_ours = [piece for piece in requests if programme_asked(piece.data) is not None]
    open_ones = [piece for piece in requests if piece.data.get("status") not in _NO_LONGER_ASKED]
    return of_tasks or of_ours or open_ones or requests


def _task_about(request: Piece, pieces: Sequence[Piece]) -> tuple[Piece | None, list[LeftOut]]:
    """Find the sender's Task about the request, which ours answers; other Tasks are left out."""
    tasks = [piece for piece in pieces if piece.type == "Task"]
    about = [task for task in tasks if _is_about(task, request)]
    text = "a Task about something else than the referral is not kept"
    left = [LeftOut(index=task.index, type="Task", text=text) for task in tasks if task not in about[:1]]
    return (about[0] if about else None), left


def _is_about(task: Piece, request: Piece) -> bool:
    named = [task.data.get("focus", {}), *task.data.get("basedOn", [])]
    return any(reference.get("reference") in request.links for reference in named)


def _nobody(asked: Sequence[AskedReference], subject: Sequence[str]) -> Iterator[Problem]:
    """Refuse a search for a patient that names nobody of this sending."""
    for reference in asked:
        if reference.type == "Patient" and reference.token not in subject:
            text = "this search names no patient of the Bundle: refer to the Patient that is sent along"
            where = (
                "ServiceRequest" if reference.index is None else f"Bundle.entry[{reference.index}].resource"
            )
            yield _problem(text, where, code="not-found")


def _wrong_request(request: Piece, *, where: str, clinic: Clinic) -> Iterator[Problem]:
    data = request.data
    if data.get("status") != "active":
        yield _problem(f"a new referral is active, not {data.get('status')}", f"{where}.status")
    if data.get("intent") not in INTENTS:
        yield _problem(f"one of {', '.join(INTENTS)}, not {data.get('intent')}", f"{where}.intent")
    if not any(data.get(member) for member in _SAYS_WHAT):
        yield _problem("what is asked for: a code or a reason", f"{where}.code", code="required")
    asked = programme_asked(data)
    known = [programme.id for programme in clinic.programmes]
    if asked is not None and asked not in known:
        text = f"the clinic's programmes are {', '.join(known)}; {asked} is none of them"
        yield _problem(text, f"{where}.code.coding.code", code="code-invalid")


def _subject(
    request: Piece, pieces: Sequence[Piece], *, urls: Urls, where: str, problems: list[Problem]
) -> tuple[Piece | None, tuple[str, ...], UUID | None]:
    """Find who the patient is: a Patient that is sent along, else by our id, or by identifiers."""
    subject = request.data.get("subject", {})
    text, named = subject.get("reference"), tokens([subject.get("identifier")])
    if isinstance(text, str) and not named:
        searched = condition.identifier(text, resource_type="Patient") if "?" in text else None
        named = () if searched is None else (searched,)
    known = _known_id(text, urls=urls)
    for piece in pieces:
        if piece.type == "Patient" and (text in piece.links or (known is None and _meets(piece, named))):
            problems += _unknown_person(piece)
            return piece, piece.identifiers, None
    if known is None and not named:
        expression = f"{where}.subject"
        text = "who the patient is: a Patient that is sent along, or the identifier of a known one"
        problems.append(_problem(text, expression, code="required"))
    return None, named, known


def _meets(patient: Piece, named: Sequence[str]) -> bool:
    return bool(set(named) & {*patient.identifiers, patient.if_none_exist, patient.update_where})


def _known_id(reference: Any, *, urls: Urls) -> UUID | None:
    """Return the id of a patient of ours: of another server's nothing is known here."""
    parsed = references.parse(reference) if isinstance(reference, str) else None
    if parsed is None or parsed.type != "Patient" or not references.is_ours(parsed, urls):
        return None
    return as_uuid(parsed.id)


def _unknown_person(patient: Piece) -> Iterator[Problem]:
    names = patient.data.get("name", [])
    named = any(name.get("family") or name.get("text") or name.get("given") for name in names)
    if not patient.identifiers and not named:
        text = "who the patient is: an identifier with a value, or a name"
        yield _problem(text, _where(patient, "identifier"), code="required")


def _where(piece: Piece, member: str) -> str:
    return f"{piece.place}.{member}" if member else piece.place


def _problem(text: str, expression: str, *, code: str = "invalid") -> Problem:
    return Problem(text=text, code=code, expression=expression)
