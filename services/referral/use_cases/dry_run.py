"""`ServiceRequest/$validate`: the same checks and the same triage, and nothing is written."""

from typing import Any

import msgspec

from services.referral import fhir, queries, rules
from services.referral.models import Patient, Submission
from services.referral.use_cases.gathering import Gathered, facts_of, local_day
from services.referral.use_cases.patients import UnknownPatient
from services.referral.use_cases.receive_referral import would_be
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir.received import Received


async def dry_run(ctx: Context, tx: Transaction, received: Received) -> dict[str, Any]:
    """Say what is wrong, or what triage would say."""
    try:
        submission = fhir.read_submission(received, clinic=ctx.clinic)
        gathered, site = would_be(ctx, submission)
        gathered = await _with_known_patient(ctx, tx, submission, gathered)
    except Invalid as refusal:
        return fhir.dry_run(refusal.problems, verdict=None)
    on = local_day(ctx, ctx.at, site=site)
    verdict = rules.triage(facts_of(ctx, gathered, on=on), on=on, clinic=ctx.clinic)
    return fhir.dry_run((), verdict=verdict)


async def _with_known_patient(
    ctx: Context, tx: Transaction, submission: Submission, gathered: Gathered
) -> Gathered:
    if submission.patient is not None:
        return gathered
    known: Patient | None = None
    if submission.patient_id is not None:
        known = await queries.patient_visible_to(tx, ctx.caller, submission.patient_id)
    else:
        for match in await queries.patients_by_identifiers(tx, submission.patient_identifiers):
            known = known or await queries.patient_visible_to(tx, ctx.caller, match.id)
    if known is None:
        text = "this patient is not known from you: send the Patient along"
        raise UnknownPatient(text, expression="ServiceRequest.subject")
    return Gathered(
        patient=msgspec.json.decode(known.body),
        request=gathered.request,
        enclosures=gathered.enclosures,
        known=gathered.known,
    )
