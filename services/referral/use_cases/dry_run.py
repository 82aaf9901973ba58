"""`ServiceRequest/$validate`: the same checks and the same triage, and nothing is written."""

from typing import Any

import msgspec

from services.referral import fhir, queries, rules
from services.referral.models import Patient, Submission
from services.referral.use_cases.gathering import Gathered, facts_of, local_day
from services.referral.use_cases.patients import UnknownPatient
from services.referral.use_cases.receive_referral import would_be
from shared.act import Act
from shared.auth.principal import Principal
from shared.clinic import Clinic
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir.received import Received


async def dry_run(
    tx: Transaction, received: Received, *, by: Principal, act: Act, clinic: Clinic
) -> dict[str, Any]:
    """Say what is wrong, or what triage would say."""
    try:
        submission = fhir.read_submission(received, clinic=clinic)
        gathered, site = would_be(submission, act=act, clinic=clinic)
        gathered = await _with_known_patient(tx, submission, gathered, by=by)
    except Invalid as refusal:
        return fhir.dry_run(refusal.problems, verdict=None)
    on = local_day(act.at, site=site, clinic=clinic)
    verdict = rules.triage(facts_of(gathered, on=on, clinic=clinic), on=on, clinic=clinic)
    return fhir.dry_run((), verdict=verdict)


async def _with_known_patient(
    tx: Transaction, submission: Submission, gathered: Gathered, *, by: Principal
) -> Gathered:
    if submission.patient is not None:
        return gathered
    known: Patient | None = None
    if submission.patient_id is not None:
        known = await queries.patient_visible_to(tx, by, submission.patient_id)
    else:
        for match in await queries.patients_by_identifiers(tx, submission.patient_identifiers):
            known = known or await queries.patient_visible_to(tx, by, match.id)
    if known is None:
        text = "this patient is not known from you: send the Patient along"
        raise UnknownPatient(text, expression="ServiceRequest.subject")
    return Gathered(
        patient=msgspec.json.decode(known.body),
        request=gathered.request,
        enclosures=gathered.enclosures,
        known=gathered.known,
    )
