"""What a coordinator does with the records of one person."""

from collections.abc import Awaitable, Callable
from functools import partial

from services.referral import queries, texts, use_cases
from services.referral.fhir.channel_consents import WrongChannelConsent
from services.referral.models.rows import Patient
from services.referral.rules import identity
from services.referral.rules.identity import PatientRecord
from services.referral.rules.steps import Refused
from services.referral.use_cases.correct_patient import NotCorrected, OtherPatientId
from services.referral.use_cases.merge_patients import CannotMergePatients
from services.referral.use_cases.referral_file import NoReason
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationInput, OperationTable, Parameter, Subject

_by_coordinator = partial(
    Operation[PatientRecord],
    resource_type="Patient",
    parties=("coordinator",),
    interaction="u",
    rows="the patients of the coordinator's site",
)
_REASON = Parameter(name="reason", min=1, text="Why, for those who look at it later.")


async def _record(ctx: Context, tx: Transaction, patient_id: str) -> Subject[PatientRecord] | None:
    patient = await queries.patients.visible_to(tx, ctx.caller, patient_id)
    row = None if patient is None else await queries.patients.as_seen(tx, ctx.caller, patient.id)
    if patient is None or row is None:
        return None
    merged = await queries.patients.merged_into(tx, [patient.id])
    return Subject(row=row, facts=PatientRecord(patient=patient, has_merged=bool(merged)))


def _run(
    verb: Callable[..., Awaitable[Patient]],
) -> Callable[[Context, Transaction, OperationInput], Awaitable[Patient]]:
    return lambda ctx, tx, given: verb(ctx, tx, given.id, said=given.values)


PATIENTS = OperationTable[PatientRecord](
    resource_type="Patient",
    rows=queries.scope.ROWS,
    load=_record,
    sentences=texts.REASONS,
    words=texts.words_of,
    operations=(
        _by_coordinator(
            name="correct",
            kind="update",
            text="Correct what the clinic knows of a patient, or take over what a sender says newly.",
            takes=("Patient",),
            refuses=(OtherPatientId, NotCorrected, WrongChannelConsent, Refused),
            when=identity.may_correct,
        ),
        _by_coordinator(
            name="merge",
            text="Merge a patient's record into the one that goes on (`into`): both are one person.",
            parameters=(
                Parameter(
                    name="into",
                    type="Reference",
                    min=1,
                    text="The record that goes on.",
                    targets=("Patient",),
                ),
                _REASON,
            ),
            refuses=(CannotMergePatients, NoReason, Refused),
            when=identity.may_merge,
            run=_run(use_cases.merge_patients.run),
        ),
        _by_coordinator(
            name="unmerge",
            text="Take a merge back: the record is of a person of their own again.",
            parameters=(_REASON,),
            refuses=(NoReason, Refused),
            when=identity.may_unmerge,
            run=_run(use_cases.unmerge_patients.run),
        ),
    ),
)
