"""What was not known of a patient is told later: a full birth date, a death, or that it was none.

Invariant: every service hears what changed (`patient.changed`), with the version that says it.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, Referral
from services.referral.models.submission import Piece
from services.referral.states import OPEN, State
from services.referral.use_cases import describe_patient, patient_events, record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.referral_file import decoded
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_EVER = datetime.min.replace(tzinfo=UTC)


async def lock_first(tx: Transaction, pieces: Sequence[Piece], *, records: Collection[UUID]) -> None:
    """Lock every open referral of a person who is said to have died, before anything else of theirs.

    Whoever tells of a death changes them all; referrals are locked in one order, and before their patients.
    """
    if records and any(piece.type == "Patient" and fhir.people.is_deceased(piece.data) for piece in pieces):
        await queries.referrals.lock_all(tx, await queries.referrals.open_on(tx, records))


async def describe_again(
    ctx: Context, tx: Transaction, changes: Changes, piece: Piece, *, adds: bool = False
) -> Description:
    """Take in how the sender of a locked referral describes its patient now, with all that follows."""
    file, referral = changes.file, changes.referral
    file.patient = await queries.patients.locked(tx, referral.patient_id)
    described = await describe_patient.run(
        ctx, tx, file.patient, piece, requester=referral.requester, adds=adds
    )
    await run(ctx, tx, file.patient, piece, referral=referral, described=described)
    describe_patient.offer(ctx, changes, described)
    describe_patient.doubt(ctx, changes, resembles=described.resembles)
    file.patient_data = described.said
    file.facts_of_day.clear()
    return described


async def run(
    ctx: Context,
    tx: Transaction,
    patient: Patient,
    piece: Piece,
    *,
    referral: Referral,
    described: Description,
) -> None:
    """Write what a Patient that was sent completes of a locked one, with its Provenance, and publish it.

    Only what was open is filled in: nothing that stands is replaced, but that a sender may take back the
    death that it has said. Of a death the coordinator hears in every open referral of the person. Where it is
    in doubt whom the referral is about, nothing is written.
    """
    members = _new_members(patient, piece, takes_back_death=described.takes_back_death)
    if not members or referral.doubt:
        return
    died = fhir.people.is_deceased(members)
    columns = {
        "birth_date": members.get("birthDate", patient.birth_date),
        "deceased": died or (patient.deceased and "deceasedBoolean" not in members),
    }
    await describe_patient.separate(tx, patient)
    await store.update(tx, patient, patient.body, at=ctx.at, overlay=members, **columns)
    await patient_events.publish_change(ctx, tx, patient)
    row = referral_file.of_the_clinic("Provenance", referral, clinic=ctx.clinic)
    body = fhir.provenance.patient_provenance(ctx, patient, members=sorted(members))
    await store.insert(tx, row, body, at=ctx.at)
    if died:
        await _tell_of_others(ctx, tx, patient, but=referral)


def _new_members(patient: Patient, piece: Piece, *, takes_back_death: bool) -> dict[str, Any]:
    known, sent = decoded(patient.body), piece.data
    members: dict[str, Any] = {}
    if rules.identity.completes(known.get("birthDate"), sent.get("birthDate")):
        members["birthDate"] = sent["birthDate"]
    if fhir.people.is_deceased(sent) and not patient.deceased:
        members |= {name: sent.get(name) for name in ("deceasedBoolean", "deceasedDateTime")}
    elif takes_back_death and patient.deceased:
        members |= {"deceasedBoolean": False, "deceasedDateTime": None}
    return members


async def _tell_of_others(ctx: Context, tx: Transaction, patient: Patient, *, but: Referral) -> None:
    others = await queries.referrals.open_of(tx, patient.id, since=_EVER, but=but.id)
    for other in await queries.referrals.lock_all(tx, [referral.id for referral in others]):
        if State(other.state) not in OPEN:
            continue
        changes = Changes(ctx, await referral_file.load(tx, other))
        work = changes.open_work(
            TaskCode.REVIEW_REFERRAL, owner=the_clinic(ctx), reason=[Reason.of("patient-died")]
        )
        changes.announce(events.ReferralReviewNeeded, work)
        await record.run(ctx, tx, changes)
