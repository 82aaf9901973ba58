"""What a sender says of a patient whom the clinic knows is kept as that sender's own: a source record.

Invariants:
- A sender reads what it said itself, in every version, and nothing that another sender said or the clinic
  found out. While the clinic's row is still the first sender's description, there is no second copy of it.
- What is said newly changes nothing of the clinic's own row: a coordinator's Task offers it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.referral import fhir, queries
from services.referral.models.facts import Demographics
from services.referral.models.rows import Patient, SourceRecord
from services.referral.models.submission import Piece
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import decoded
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_CARRIES_THE_SAME = Reason.of("identity-in-doubt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a sender says of a patient now: the `version` that it reads, and whether it `is_first`.

    `differs` are the members, with their values, that the clinic's row does not say; of these some are news
    where the sender `has_news`. `has_changed` tells whether the sender said something else before.
    """

    version: int = 1
    is_first: bool = True
    has_changed: bool = False
    has_news: bool = False
    differs: Mapping[str, Any] = field(default_factory=dict)


async def run(
    ctx: Context, tx: Transaction, patient: Patient, piece: Piece, *, requester: str
) -> Description:
    """Keep what a sender says of a locked patient; identifiers that are new are known from now on.

    Where the sender creates a Patient only if there is none, and there is one of its own, that one stays as
    it is (conditional create); what differs from it is offered all the same.
    """
    is_theirs = patient.requester == requester
    own = None if is_theirs else await queries.patients.source_record(tx, patient.id, requester)
    before = patient.body if is_theirs else own.body if own is not None else None
    version = patient.version if own is None else own.version
    if before is not None and fhir.content.same(before, piece.raw):
        return Description(version=version, is_first=False)
    differs = fhir.people.said_newly(piece.data, decoded(patient.body))
    known = [patient.body] if before is None else [patient.body, before]
    has_news = bool(fhir.people.said_newly(piece.data, *map(decoded, known)))
    if before is None or piece.if_none_exist is None:
        own = await separate(tx, patient) if is_theirs else own
        version = await _write(ctx, tx, patient, piece, own=own, requester=requester)
    await _know_identifiers(tx, patient, piece.identifiers)
    return Description(
        version=version,
        is_first=before is None,
        has_changed=before is not None,
        has_news=has_news,
        differs=differs,
    )


async def separate(tx: Transaction, patient: Patient) -> SourceRecord | None:
    """Keep a locked patient's row as the description of the sender whose it still is, with its versions.

    From then on the row is the clinic's own. Returns None where it is so already.
    """
    if patient.requester is None:
        return None
    own = SourceRecord(
        patient_id=patient.id,
        requester=patient.requester,
        identifiers=list(patient.identifiers),
        family=patient.family,
        given=patient.given,
        version=patient.version,
        last_updated=patient.last_updated,
        body=patient.body,
    )
    await tx.insert(own)
    await queries.patients.copy_versions(tx, patient.id, to=own.id)
    await tx.update(patient, requester=None)
    return own


async def carry_over(ctx: Context, tx: Transaction, from_id: UUID, to: Patient, *, requester: str) -> None:
    """Let a sender read, of the record that goes on, what it said of the one that was merged into it."""
    own = await queries.patients.source_record(tx, from_id, requester)
    merged = None if own is not None else await queries.patients.by_id(tx, from_id)
    body = own.body if own is not None else merged.body if merged is not None else b"{}"
    tokens = own.identifiers if own is not None else merged.identifiers if merged is not None else ()
    data = decoded(body)
    piece = Piece(type="Patient", data=data, raw=body, identifiers=tuple(tokens))
    if to.requester != requester and await queries.patients.source_record(tx, to.id, requester) is None:
        await run(ctx, tx, to, piece, requester=requester)


async def described_by(
    tx: Transaction, patient: Patient, requester: str
) -> tuple[Demographics, frozenset[str]]:
    """Return who a sender says that a patient is, and the identifiers that it states."""
    own = None
    if patient.requester != requester:
        own = await queries.patients.source_record(tx, patient.id, requester)
    body, tokens = (patient.body, patient.identifiers) if own is None else (own.body, own.identifiers)
    return fhir.people.demographics(decoded(body)), frozenset(tokens)


def offer(ctx: Context, changes: Changes, description: Description) -> None:
    """Offer to the coordinator what a sender says newly of a patient, with the values."""
    if not description.has_news:
        return
    said = {"resourceType": "Patient", "id": "described", **description.differs}
    members = [f"Patient.{member}" for member in description.differs]
    _ask(
        ctx,
        changes,
        TaskCode.UPDATE_PATIENT,
        reason=Reason.of("said-newly", members=members),
        details={"contained": [said], "input": [fhir.task.described_input("#described")]},
    )


def doubt(
    ctx: Context,
    changes: Changes,
    *,
    resembles: Sequence[UUID],
    reason: Reason = _CARRIES_THE_SAME,
) -> None:
    """Ask the coordinator whether the patient is one of these people, where there are any."""
    if resembles:
        details = {"input": [fhir.task.resembling_input(str(patient_id)) for patient_id in resembles]}
        _ask(ctx, changes, TaskCode.RESOLVE_IDENTITY, reason=reason, details=details)


def _ask(
    ctx: Context, changes: Changes, code: TaskCode, *, reason: Reason, details: Mapping[str, Any]
) -> None:
    work = changes.open_work(code, owner=the_clinic(ctx), reason=[reason], details=details)
    changes.announce(events.ReferralPatientReviewNeeded, work)


async def _write(
    ctx: Context,
    tx: Transaction,
    patient: Patient,
    piece: Piece,
    *,
    own: SourceRecord | None,
    requester: str,
) -> int:
    """Write a sender's record, and return its version."""
    person, overlay = fhir.people.demographics(piece.data), {"id": str(patient.id)}
    if own is None:
        own = SourceRecord(
            patient_id=patient.id,
            requester=requester,
            identifiers=list(piece.identifiers),
            family=person.family,
            given=person.given,
        )
        await store.insert(tx, own, piece.raw, at=ctx.at, overlay=overlay)
        return own.version
    columns = {
        "identifiers": list(dict.fromkeys([*own.identifiers, *piece.identifiers])),
        "family": person.family,
        "given": person.given,
    }
    await store.update(tx, own, piece.raw, at=ctx.at, overlay=overlay, **columns)
    return own.version


async def _know_identifiers(tx: Transaction, patient: Patient, tokens: Sequence[str]) -> None:
    if more := [token for token in tokens if token not in patient.identifiers]:
        await separate(tx, patient)
        await tx.update(patient, identifiers=[*patient.identifiers, *more])
    await queries.patients.claim_identifiers(tx, patient.id, tokens=tokens)
