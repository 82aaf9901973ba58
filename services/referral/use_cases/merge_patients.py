"""Two records of one person are linked.

Invariants:
- Nothing is rewritten: each referral stays on the record under which it came, and so do its events. What is
  sent from then on comes under the record that goes on, and duplicates are looked for on all records of the
  person. Who has died is known of all of them by reading them, and written on the one of which it was said.
- So a merge can be taken back whole (`unmerge_patients`).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, Referral
from services.referral.rules.identity import PatientRecord
from services.referral.states import OPEN, State
from services.referral.use_cases import describe_patient, reconsider, record_links
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.referral_file import decoded, needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.fhir import references
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_INTO = "Parameters.parameter.where(name='into')"


class CannotMergePatients(Conflict):
    """The two records cannot be linked."""


async def run(ctx: Context, tx: Transaction, patient_id: str, *, said: Mapping[str, Any]) -> Patient:
    """Link a record to the one that goes on, and ask about open referrals that are now of one person.

    Raises NoReason, NotFound, Refused and CannotMergePatients.
    """
    why = needed_reason(said.get("reason"))
    into_id = references.own_id(said["into"], urls=ctx.urls, expression=_INTO)
    seen = await record_links.of_caller(ctx, tx, patient_id)
    into_seen = await record_links.of_caller(ctx, tx, into_id, expression=_INTO)
    rules.steps.check(rules.identity.are_two(seen.id, into_seen.id), refusal=CannotMergePatients, of=_INTO)
    files = await record_links.load_files(ctx, tx, await _concerned(tx, seen.id, into_seen.id))
    patient, into = await _locked(ctx, tx, files, seen.id, into_seen.id)
    await _link(ctx, tx, patient, into)
    await record_links.write_provenance(ctx, tx, (patient, into), activity="merge", why=why)
    _end_doubts(files, patient, into)
    _offer(ctx, files, patient, into)
    _ask_about_duplicates(ctx, files)
    _ask_about_a_death(ctx, files, patient, into)
    await record_links.write_files(ctx, tx, files)
    return patient


async def _concerned(tx: Transaction, patient_id: UUID, into_id: UUID) -> set[UUID]:
    """Name what is open on either record, what asks who their patients are, and the newest of the first."""
    ids = [patient_id, into_id]
    newest = await queries.referrals.newest_of(tx, patient_id)
    found = {*await queries.referrals.open_on(tx, ids), *await queries.tasks.in_doubt_about(tx, ids)}
    return found | ({newest.id} if newest is not None else set())


async def _locked(
    ctx: Context, tx: Transaction, files: Sequence[Changes], patient_id: UUID, into_id: UUID
) -> tuple[Patient, Patient]:
    """Lock both records, and check what may be merged as it stands under the locks."""
    locked = {patient.id: patient for patient in await queries.patients.lock_all(tx, [patient_id, into_id])}
    patient, into = locked[patient_id], locked[into_id]
    has_merged = bool(await queries.patients.merged_into(tx, [patient.id]))
    merging = PatientRecord(patient=patient, has_merged=has_merged)
    rules.steps.check(rules.identity.may_merge(ctx, merging), of="Patient")
    rules.steps.check(rules.identity.why_replaced(into), refusal=CannotMergePatients, of=_INTO)
    now = await queries.referrals.open_on(tx, [patient.id, into.id])
    record_links.check_complete([changes.referral.id for changes in files], now)
    return patient, into


async def _link(ctx: Context, tx: Transaction, patient: Patient, into: Patient) -> None:
    link = fhir.people.linked(decoded(patient.body), str(into.id), kind="replaced-by")
    replaced = {"replaced_by": into.id, "replaced_at": ctx.at, "replaced_from": patient.version}
    await record_links.write(ctx, tx, patient, {"active": False, "link": link}, **replaced)
    link = fhir.people.linked(decoded(into.body), str(patient.id), kind="replaces")
    await record_links.write(ctx, tx, into, {"link": link})


def _end_doubts(files: Sequence[Changes], *patients: Patient) -> None:
    """End the Tasks that asked whether these records are one person's."""
    named = {f"Patient/{patient.id}" for patient in patients}
    for changes in files:
        asked = changes.body_of(TaskCode.RESOLVE_IDENTITY).get("input", [])
        if asked and {given["valueReference"]["reference"] for given in asked} <= named:
            merged_now = [Reason.of("records-merged")]
            changes.finish_work(status="completed", reason=merged_now, codes=[TaskCode.RESOLVE_IDENTITY])


def _offer(ctx: Context, files: Sequence[Changes], patient: Patient, into: Patient) -> None:
    """Offer what the merged record alone says, with the last referral that stands on it."""
    on_it = [changes for changes in files if changes.referral.patient_id == patient.id]
    differs = fhir.people.said_newly(decoded(patient.body), decoded(into.body))
    if on_it and differs:
        description = Description(has_news=True, differs=differs)
        describe_patient.offer(ctx, on_it[-1], description, joins=True)


def _ask_about_duplicates(ctx: Context, files: Sequence[Changes]) -> None:
    """Ask about each open referral for which the other record has an earlier one for the same programme."""
    earlier: list[Referral] = []
    for changes in files:
        referral = changes.referral
        if State(referral.state) not in OPEN:
            continue
        others = [other for other in earlier if other.patient_id != referral.patient_id]
        first = rules.identity.same_need(referral.programme, others)
        if first is not None and changes.open_task(TaskCode.MERGE_DUPLICATE) is None:
            work = changes.open_work(
                TaskCode.MERGE_DUPLICATE,
                owner=the_clinic(ctx),
                reason=[Reason.of("one-person-two-referrals", sent_at=first.sent_at)],
                details={"input": [fhir.task.duplicate_input(str(first.id))]},
            )
            changes.announce(events.ReferralPatientReviewNeeded, work)
        earlier.append(referral)


def _ask_about_a_death(ctx: Context, files: Sequence[Changes], *patients: Patient) -> None:
    """Ask about the open referrals of a record that did not know that the person has died."""
    alive = {patient.id for patient in patients if not patient.deceased}
    if len(alive) == 1:
        for changes in files:
            if changes.referral.patient_id in alive and State(changes.referral.state) in OPEN:
                reconsider.let_a_person_look(ctx, changes, [Reason.of("patient-died")])
