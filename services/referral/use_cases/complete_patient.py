"""What was not known of a patient is told later: a full birth date, a death, or that it was none.

Invariant: every service hears what changed (`patient.changed`), with the version that says it.
"""

from datetime import UTC, datetime
from typing import Any

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, Referral
from services.referral.models.submission import Piece
from services.referral.states import OPEN, State
from services.referral.use_cases import describe_patient, record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import decoded
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.events.catalog.referral import PatientChanged
from shared.events.outbox.publishing import publish
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_EVER = datetime.min.replace(tzinfo=UTC)


async def run(
    ctx: Context,
    tx: Transaction,
    patient: Patient,
    piece: Piece,
    *,
    referral: Referral,
    corrects: bool = True,
) -> list[str]:
    """Write what a Patient that was sent completes of a locked one, and return the names of the members.

    Only what was open is filled in: nothing that stands is replaced, but that `corrects` may say of somebody
    that they live after all. Of a death the coordinator hears in the patient's other referrals too, and it
    stands on every record that the clinic keeps of the person.
    """
    members = _new_members(patient, piece, corrects=corrects)
    if not members:
        return []
    await _write(ctx, tx, patient, members)
    of_death = {name: value for name, value in members.items() if name.startswith("deceased")}
    if of_death:
        for other in await queries.patients.other_records(tx, patient.id):
            await _write(ctx, tx, other, of_death)
    if fhir.people.is_deceased(members):
        await _tell_of_others(ctx, tx, patient, but=referral)
    return sorted(members)


def note(ctx: Context, changes: Changes, *, members: list[str]) -> None:
    """Keep with the referral what became known of its patient, and by whom."""
    patient = changes.file.patient
    if patient is not None and members:
        changes.file.patient_data = decoded(patient.body)
        changes.file.facts_of_day.clear()
        changes.enclose(fhir.provenance.patient_provenance(ctx, patient, members=members))


def _new_members(patient: Patient, piece: Piece, *, corrects: bool) -> dict[str, Any]:
    known, sent = decoded(patient.body), piece.data
    members: dict[str, Any] = {}
    if rules.identity.completes(known.get("birthDate"), sent.get("birthDate")):
        members["birthDate"] = sent["birthDate"]
    if fhir.people.is_deceased(sent) and not patient.deceased:
        members |= {name: sent.get(name) for name in ("deceasedBoolean", "deceasedDateTime")}
    elif corrects and patient.deceased and sent.get("deceasedBoolean") is False:
        members |= {"deceasedBoolean": False, "deceasedDateTime": None}
    return members


async def _write(ctx: Context, tx: Transaction, patient: Patient, members: dict[str, Any]) -> None:
    lives = "deceasedBoolean" in members and not fhir.people.is_deceased(members)
    columns = {
        "birth_date": members.get("birthDate", patient.birth_date),
        "deceased": fhir.people.is_deceased(members) or (patient.deceased and not lives),
    }
    await describe_patient.separate(tx, patient)
    await store.update(tx, patient, patient.body, at=ctx.at, overlay=members, **columns)
    changed = PatientChanged(patient_id=str(patient.id), referral_id=None, resources=(patient.body,))
    await publish(ctx, tx, patient, changed)


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
