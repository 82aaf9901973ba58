"""What was not known of a patient is told later: a full birth date, a death."""

from services.referral import fhir, rules
from services.referral.models.rows import Patient
from services.referral.models.submission import Piece
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import decoded
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store


async def run(ctx: Context, tx: Transaction, changes: Changes, piece: Piece) -> None:
    """Write what a Patient that was sent says newly of a known one, with its Provenance.

    Only what was open is filled in: nothing that stands is replaced.
    """
    patient = changes.file.patient
    if patient is None:
        raise LookupError("a referral has its patient")
    members = _new_members(patient, piece)
    if not members:
        return
    birth_date = members.get("birthDate", patient.birth_date)
    await store.update(tx, patient, patient.body, at=ctx.at, overlay=members, birth_date=birth_date)
    changes.file.patient_data = decoded(patient.body)
    changes.file.facts_of_day.clear()
    changes.enclose(fhir.provenance.patient_provenance(ctx, patient, members=sorted(members)))


def _new_members(patient: Patient, piece: Piece) -> dict[str, object]:
    known, sent = decoded(patient.body), piece.data
    members: dict[str, object] = {}
    if rules.identity.completes(known.get("birthDate"), sent.get("birthDate")):
        members["birthDate"] = sent["birthDate"]
    if fhir.people.is_deceased(sent) and not fhir.people.is_deceased(known):
        members |= {name: sent[name] for name in ("deceasedBoolean", "deceasedDateTime") if name in sent}
        if "deceasedDateTime" in members and "deceasedBoolean" in known:
            members["deceasedBoolean"] = None
    return members
