"""Whether a report or an image in a Bundle is about the referred person, where an identifier names whom.

A wrong attachment in a record is a harm that others have met. The border holds the references of a Bundle
against each other; here identifiers are held against what the sender has said of its patients.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient
from services.referral.models.submission import Piece, Submission
from shared.db import Transaction
from shared.errors import Invalid, Problem

# What a clinician reads as the patient's own.
_ATTACHED = ("DiagnosticReport", "DocumentReference", "ImagingStudy", "Media")


class AnotherPatientsAttachment(Invalid):
    """A report or an image is about somebody else, as its identifier says."""

    code = "business-rule"


async def check(tx: Transaction, submission: Submission, patient: Patient, *, requester: str) -> None:
    """Refuse what names somebody else by identifier; raises AnotherPatientsAttachment with each element."""
    named = list(_named(submission))
    if not named:
        return
    known, ids = _known(submission), {str(patient.id), str(patient.replaced_by or patient.id)}
    wrong = []
    for piece, tokens in named:
        if await _is_others(tx, tokens, known, ids, requester=requester):
            text = "another patient than the referred one"
            wrong.append(Problem(text=text, code="business-rule", expression=f"{piece.place}.subject"))
    if wrong:
        raise AnotherPatientsAttachment(problems=wrong)


def _named(submission: Submission) -> Iterator[tuple[Piece, Sequence[str]]]:
    for piece in submission.enclosures:
        subject = piece.data.get("subject")
        if piece.type in _ATTACHED and isinstance(subject, dict):
            tokens = fhir.reading.tokens([subject.get("identifier")])
            if tokens:
                yield piece, tokens


def _known(submission: Submission) -> set[str]:
    """List the identifiers by which this sending names the referred person."""
    subject: Any = submission.request.data.get("subject", {}).get("identifier")
    own = () if submission.patient is None else submission.patient.identifiers
    return {*submission.patient_identifiers, *own, *fhir.reading.tokens([subject])}


async def _is_others(
    tx: Transaction, tokens: Sequence[str], known: set[str], ids: set[str], *, requester: str
) -> bool:
    """Tell whether identifiers are somebody else's: another value of a system that the person has one of, or
    what the sender has said of another patient.
    """
    if known & set(tokens):
        return False
    if rules.identity.has_another_value(tokens, known=known):
        return True
    carriers = await queries.patients.described_with(tx, requester, tokens)
    return bool(carriers) and carriers.isdisjoint(ids)
