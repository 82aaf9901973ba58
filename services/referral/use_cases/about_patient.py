"""Whether all that a sending holds is about the referred person, by identifier and by address.

A wrong attachment in a record is a harm that others have met. The border holds what a Bundle says against
the Patient in it; here identifiers are held against what the sender has said of its patients, and where no
Patient is sent along the addresses of ours against the person who is named.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient
from services.referral.models.submission import Piece, Submission
from services.referral.use_cases import describe_patient
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, Problem
from shared.fhir import references
from shared.fhir.references import ABOUT, Form


class AnotherPatientsAttachment(Invalid):
    """Something of a sending is about somebody else, as its identifier or address says."""

    code = "business-rule"


class _Named(NamedTuple):
    """How a resource names whom it is about: by identifiers, and by an id of ours; `where` (FHIRPath)."""

    where: str
    tokens: Sequence[str]
    patient_id: str | None = None


async def check(
    ctx: Context, tx: Transaction, submission: Submission, patient: Patient, *, requester: str
) -> None:
    """Refuse what names somebody else; raises AnotherPatientsAttachment with each element."""
    named = [one for piece in submission.enclosures for one in _named(ctx, submission, piece)]
    subject = _subject(submission)
    if not named and not subject:
        return
    known, ids = _known(submission), {str(patient.id), str(patient.replaced_by or patient.id)}
    if any(one.patient_id not in (None, *ids) for one in named):
        ids |= {str(record.id) for record in await queries.patients.records(tx, patient.id)}
    wrong = []
    for one in named:
        if one.patient_id not in (None, *ids) or (
            one.tokens and await _is_others(tx, one.tokens, known, ids, requester=requester)
        ):
            text = "another patient than the referred one"
            wrong.append(Problem(text=text, code="business-rule", expression=one.where))
    if subject and await _is_others_subject(tx, subject, patient, ids, requester=requester):
        text = "the reference and the identifier name two patients"
        where = f"{submission.request.place}.subject"
        wrong.append(Problem(text=text, code="business-rule", expression=where))
    if wrong:
        raise AnotherPatientsAttachment(problems=wrong)


def _named(ctx: Context, submission: Submission, piece: Piece) -> Iterator[_Named]:
    for member in ABOUT:
        named = piece.data.get(member)
        if not isinstance(named, dict):
            continue
        parsed = references.parse(named)
        if parsed.type not in (None, "Patient"):
            continue
        tokens = [*fhir.reading.tokens([named.get("identifier")])]
        if parsed.form is Form.FRAGMENT:
            inside = [one for one in fhir.pieces.contained(piece.raw) if parsed.text in one.links]
            tokens += [token for one in inside if one.type == "Patient" for token in one.identifiers]
        patient_id = parsed.id if _names_one_of_ours(ctx, submission, parsed) else None
        if tokens or patient_id:
            yield _Named(f"{piece.place}.{member}", tokens, patient_id)


def _names_one_of_ours(ctx: Context, submission: Submission, parsed: references.ParsedReference) -> bool:
    """Tell whether a reference is an address of ours, and not what the sending itself calls its patient."""
    if submission.patient is not None or parsed.type != "Patient" or parsed.id is None:
        return False
    own = submission.request.data.get("subject", {}).get("reference")
    return references.is_ours(parsed, ctx.urls) and (submission.patient_id is not None or parsed.text != own)


def _subject(submission: Submission) -> Sequence[str]:
    """Give the identifiers beside an id of ours in the subject, which must be that patient's."""
    return submission.patient_identifiers if submission.patient_id is not None else ()


def _known(submission: Submission) -> set[str]:
    """List the identifiers by which this sending names the referred person."""
    subject: Any = submission.request.data.get("subject", {}).get("identifier")
    own = () if submission.patient is None else submission.patient.identifiers
    return {*submission.patient_identifiers, *own, *fhir.reading.tokens([subject])}


async def _is_others_subject(
    tx: Transaction, tokens: Sequence[str], patient: Patient, ids: set[str], *, requester: str
) -> bool:
    said = await describe_patient.said_by(tx, patient, requester)
    known = {token for own in said for token in own.identifiers}
    return await _is_others(tx, tokens, known, ids, requester=requester)


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
