"""`ServiceRequest/$validate`: the same checks and the same triage, and nothing is written."""

from typing import Any

from services.referral import fhir, queries, rules
from services.referral.models.submission import Submission
from services.referral.use_cases import match_patient, receive, referral_file
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir.received import Received


async def run(ctx: Context, tx: Transaction, received: Received) -> dict[str, Any]:
    """Say what is wrong, or what triage would say."""
    try:
        read = fhir.submission.read(received, clinic=ctx.clinic, urls=ctx.urls)
        submission = fhir.entry.with_sender(ctx, read)
        file = receive.unsaved_referral(ctx, submission)
        await _with_known_patient(ctx, tx, submission, file)
    except Invalid as refusal:
        return fhir.answers.dry_run(refusal.problems, clinic=ctx.clinic)
    facts = file.facts(ctx)
    verdict = rules.triage.triage(facts, on=file.today(ctx), clinic=ctx.clinic)
    notes = submission.left_out
    return fhir.answers.dry_run((), verdict=verdict, facts=facts, notes=notes, clinic=ctx.clinic)


async def _with_known_patient(
    ctx: Context, tx: Transaction, submission: Submission, file: ReferralFile
) -> None:
    """Put the patient into the file whom a submission only names."""
    if submission.patient is None:
        matches = await queries.patients.by_identifiers(tx, submission.patient_identifiers)
        named, _ = await match_patient.find_named(ctx, tx, submission, matches=matches)
        patients = {patient.id: patient for patient in await queries.patients.records(tx, named)}
        file.patient_data = await referral_file.patient_as_sent(tx, patients[named], submission.requester)
        file.died_elsewhere = any(patient.deceased for patient in patients.values())
