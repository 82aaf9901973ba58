"""A link between two records that was wrong is taken away.

Invariant: the record is again as it was before. What was done because of the link, a person looks at: what
came under the other record meanwhile, what was merged across the two, and what was asked because of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient
from services.referral.rules.identity import PatientRecord
from services.referral.states import UNDECIDED, State
from services.referral.use_cases import describe_patient, merged, reconsider, record_links
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import decoded, needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, patient_id: str, *, said: Mapping[str, Any]) -> Patient:
    """Give a record back as it was before the merge; raises NoReason, NotFound and Refused."""
    why = needed_reason(said.get("reason"))
    seen = await record_links.of_caller(ctx, tx, patient_id)
    rules.steps.check(rules.identity.may_unmerge(ctx, PatientRecord(patient=seen)), of="Patient")
    others = [one.id for one in await queries.patients.records(tx, seen.id) if one.id != seen.id]
    across = await queries.referrals.merged_between(tx, seen.id, others)
    since = await queries.referrals.sent_since(tx, others, since=seen.replaced_at or ctx.at)
    open_now = await queries.referrals.open_on(tx, [seen.id])
    files = await record_links.load_files(ctx, tx, {*across, *since, *open_now})
    patient, other = await _locked(ctx, tx, seen)
    now = await queries.referrals.sent_since(tx, others, since=seen.replaced_at or ctx.at)
    record_links.check_complete([changes.referral.id for changes in files], now)
    await _unlink(ctx, tx, patient, other)
    await record_links.write_provenance(ctx, tx, (patient, other), activity="unmerge", why=why)
    given_back = [changes for changes in files if changes.referral.id in across]
    _end_duplicates(ctx, files, of=patient)
    for changes in files:
        if changes.referral.id in since:
            reason = Reason.of("unmerged-since")
            describe_patient.doubt(ctx, changes, resembles=[patient.id], reason=reason)
    await record_links.write_files(ctx, tx, [changes for changes in files if changes not in given_back])
    await merged.give_back_all(ctx, tx, [changes.referral for changes in given_back])
    return patient


async def _locked(ctx: Context, tx: Transaction, seen: Patient) -> tuple[Patient, Patient]:
    ids = [seen.id, *([seen.replaced_by] if seen.replaced_by else [])]
    locked = {patient.id: patient for patient in await queries.patients.lock_all(tx, ids)}
    patient = locked[seen.id]
    rules.steps.check(rules.identity.may_unmerge(ctx, PatientRecord(patient=patient)), of="Patient")
    return patient, locked[patient.replaced_by or patient.id]


async def _unlink(ctx: Context, tx: Transaction, patient: Patient, other: Patient) -> None:
    version = patient.replaced_from or patient.version
    before = decoded(await queries.patients.version_of(tx, patient, version))
    members = {"active": before.get("active"), "link": before.get("link")}
    gone = {"replaced_by": None, "replaced_at": None, "replaced_from": None}
    await record_links.write(ctx, tx, patient, members, **gone)
    left = fhir.people.unlinked(decoded(other.body), str(patient.id), kind="replaces")
    await record_links.write(ctx, tx, other, {"link": left})


def _end_duplicates(ctx: Context, files: Sequence[Changes], *, of: Patient) -> None:
    """End the Tasks that asked about two referrals across the records; what still waits, a person decides."""
    record_of = {f"ServiceRequest/{changes.referral.id}": changes.referral.patient_id for changes in files}
    for changes in files:
        asked = changes.body_of(TaskCode.MERGE_DUPLICATE).get("input", [])
        named = {record_of.get(given["valueReference"]["reference"]) for given in asked}
        if not asked or (changes.referral.patient_id == of.id) == (named == {of.id}):
            continue
        two_people = [Reason.of("two-people-after-all")]
        changes.finish_work(status="cancelled", reason=two_people, codes=[TaskCode.MERGE_DUPLICATE])
        if State(changes.referral.state) in UNDECIDED:
            reconsider.let_a_person_look(ctx, changes, two_people)
