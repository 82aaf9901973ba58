"""Two records of one person are linked, and a link that was wrong is taken away again.

Invariants:
- Nothing is rewritten: each referral stays on the record under which it came, and so do its events. What is
  sent from then on comes under the record that goes on, and duplicates are looked for on all records of the
  person. Who has died is known of all of them by reading them, and written on the one of which it was said.
- So a merge can be taken back whole. What was done because of it, a person looks at: what came meanwhile, and
  what was merged across the records.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient, Referral
from services.referral.rules.identity import PatientRecord
from services.referral.states import OPEN, UNDER_CARE, State
from services.referral.use_cases import describe_patient, merged, reconsider, record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.referral_file import decoded, needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, NotFound
from shared.events.catalog import referral as events
from shared.events.outbox.publishing import publish
from shared.fhir import references, store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_INTO = "Parameters.parameter.where(name='into')"


class CannotMergePatients(Conflict):
    """The two records cannot be linked."""


async def merge(ctx: Context, tx: Transaction, patient_id: str, *, said: Mapping[str, Any]) -> Patient:
    """Link a record to the one that goes on, and ask about open referrals that are now of one person.

    Raises NoReason, NotFound, Refused and CannotMergePatients.
    """
    why = needed_reason(said.get("reason"))
    into_id = references.local_id(said["into"], expression=_INTO)
    seen = await _of_caller(ctx, tx, patient_id)
    ids = [seen.id, (await _of_caller(ctx, tx, into_id, expression=_INTO)).id]
    rules.steps.check(rules.identity.are_two(*ids), refusal=CannotMergePatients, of=_INTO)
    files = await _open_files(ctx, tx, ids)
    patients = {patient.id: patient for patient in await queries.patients.lock_all(tx, ids)}
    patient, into = patients[ids[0]], patients[ids[1]]
    has_merged = bool(await queries.patients.merged_into(tx, [patient.id]))
    merging = PatientRecord(patient=patient, has_merged=has_merged)
    rules.steps.check(rules.identity.may_merge(ctx, merging), of="Patient")
    rules.steps.check(rules.identity.goes_on(into), refusal=CannotMergePatients, of=_INTO)
    differs = fhir.people.said_newly(decoded(patient.body), decoded(into.body))
    linked = fhir.people.linked(decoded(patient.body), str(into.id), kind="replaced-by")
    replaced = {"replaced_by": into.id, "replaced_at": ctx.at, "replaced_from": patient.version}
    await _change(ctx, tx, patient, {"active": False, "link": linked}, **replaced)
    linked = fhir.people.linked(decoded(into.body), str(patient.id), kind="replaces")
    await _change(ctx, tx, into, {"link": linked})
    await _keep_provenance(ctx, tx, (patient, into), activity="merge", why=why)
    _end_doubts(files, patient, into)
    _offer(ctx, files, differs, of=patient)
    _ask_about_duplicates(ctx, files)
    _tell_of_a_death(ctx, files, patient, into)
    await _record(ctx, tx, files)
    return patient


async def unmerge(ctx: Context, tx: Transaction, patient_id: str, *, said: Mapping[str, Any]) -> Patient:
    """Take a record's link away; what was done because of it is looked at by a person.

    Raises NoReason, NotFound and Refused.
    """
    why = needed_reason(said.get("reason"))
    seen = await _of_caller(ctx, tx, patient_id)
    rules.steps.check(rules.identity.may_unmerge(ctx, PatientRecord(patient=seen)), of="Patient")
    ids = [seen.id, *([seen.replaced_by] if seen.replaced_by else [])]
    files = await _open_files(ctx, tx, ids)
    meanwhile = await queries.referrals.sent_since(tx, ids[-1], since=seen.replaced_at or ctx.at)
    across = await queries.referrals.merged_between(tx, ids[0], ids[-1])
    patients = {patient.id: patient for patient in await queries.patients.lock_all(tx, ids)}
    patient = patients[seen.id]
    rules.steps.check(rules.identity.may_unmerge(ctx, PatientRecord(patient=patient)), of="Patient")
    other = patients[patient.replaced_by or patient.id]
    before = decoded(await queries.patients.version_of(tx, patient, patient.replaced_from or patient.version))
    members = {"active": before.get("active"), "link": before.get("link")}
    await _change(ctx, tx, patient, members, replaced_by=None, replaced_at=None, replaced_from=None)
    left = fhir.people.unlinked(decoded(other.body), str(patient.id), kind="replaces")
    await _change(ctx, tx, other, {"link": left})
    await _keep_provenance(ctx, tx, (patient, other), activity="unmerge", why=why)
    _end_duplicates(files)
    await _record(ctx, tx, files)
    await _ask_whose(ctx, tx, meanwhile, other=patient.id)
    await merged.separate(ctx, tx, across)
    return patient


async def _of_caller(
    ctx: Context, tx: Transaction, patient_id: str, *, expression: str | None = None
) -> Patient:
    found = await queries.patients.visible_to(tx, ctx.caller, patient_id)
    if found is None:
        raise NotFound(f"there is no Patient {patient_id[:64]}", expression=expression)
    return found


async def _open_files(ctx: Context, tx: Transaction, ids: Sequence[UUID]) -> list[Changes]:
    """Lock the open referrals of these records, before the records, as every verb does."""
    found = await queries.referrals.open_on(tx, ids)
    return [Changes(ctx, await referral_file.load(tx, referral)) for referral in found]


async def _change(
    ctx: Context, tx: Transaction, patient: Patient, members: Mapping[str, Any], **columns: Any
) -> None:
    await describe_patient.separate(tx, patient)
    await store.update(tx, patient, patient.body, at=ctx.at, overlay=members, **columns)
    changed = events.PatientChanged(patient_id=str(patient.id), referral_id=None, resources=(patient.body,))
    await publish(ctx, tx, patient, changed)


async def _keep_provenance(
    ctx: Context, tx: Transaction, patients: tuple[Patient, Patient], *, activity: str, why: str
) -> None:
    """Keep who linked or unlinked the records, and why, with the newest referral of each: no sender's."""
    body = fhir.provenance.link_provenance(ctx, patients, activity=activity, why=why)
    for patient in patients:
        newest = await queries.referrals.newest_of(tx, patient.id)
        if newest is not None:
            row = referral_file.of_the_clinic("Provenance", newest, clinic=ctx.clinic)
            await store.insert(tx, row, body, at=ctx.at)


def _offer(ctx: Context, files: Sequence[Changes], differs: Mapping[str, Any], *, of: Patient) -> None:
    """Offer what the merged record alone says, with the last open referral that stands on it."""
    on_it = [changes for changes in files if changes.referral.patient_id == of.id]
    if on_it:
        describe_patient.offer(
            ctx, on_it[-1], Description(has_news=bool(differs), differs=differs), joins=True
        )


def _ask_about_duplicates(ctx: Context, files: Sequence[Changes]) -> None:
    """Ask about each open referral for which the person has an earlier one for the same programme."""
    earlier: list[Referral] = []
    for changes in files:
        referral = changes.referral
        first = rules.identity.same_need(referral.programme, earlier)
        is_asked = changes.open_task(TaskCode.MERGE_DUPLICATE) is not None
        if first is not None and State(referral.state) in OPEN and not is_asked:
            work = changes.open_work(
                TaskCode.MERGE_DUPLICATE,
                owner=the_clinic(ctx),
                reason=[Reason.of("one-person-two-referrals", sent_at=first.sent_at)],
                details={"input": [fhir.task.duplicate_input(str(first.id))]},
            )
            changes.announce(events.ReferralPatientReviewNeeded, work)
        earlier.append(referral)


def _end_doubts(files: Sequence[Changes], *patients: Patient) -> None:
    """End the Tasks that asked whether these records are one person's."""
    named = {f"Patient/{patient.id}" for patient in patients}
    for changes in files:
        asked = changes.body_of(TaskCode.RESOLVE_IDENTITY).get("input", [])
        if asked and {given["valueReference"]["reference"] for given in asked} <= named:
            merged_now = [Reason.of("records-merged")]
            changes.finish_work(status="completed", reason=merged_now, codes=[TaskCode.RESOLVE_IDENTITY])


def _end_duplicates(files: Sequence[Changes]) -> None:
    """End the Tasks that asked about two referrals because of the merge; what still waits is decided."""
    for changes in files:
        if State(changes.referral.state) in UNDER_CARE:
            unmerged = [Reason.of("records-unmerged")]
            changes.finish_work(status="cancelled", reason=unmerged, codes=[TaskCode.MERGE_DUPLICATE])


def _tell_of_a_death(ctx: Context, files: Sequence[Changes], *patients: Patient) -> None:
    """Ask about the referrals of a record that did not know that the person has died."""
    alive = {patient.id for patient in patients if not patient.deceased}
    if len(alive) == 1:
        for changes in files:
            if changes.referral.patient_id in alive:
                reconsider.let_a_person_look(ctx, changes, [Reason.of("patient-died")])


async def _ask_whose(ctx: Context, tx: Transaction, referrals: Sequence[Referral], *, other: UUID) -> None:
    """Ask whose it is that came under a record while another one was linked to it."""
    for referral in referrals:
        changes = Changes(ctx, await referral_file.load(tx, referral))
        describe_patient.doubt(ctx, changes, resembles=[other], reason=Reason.of("unmerged-since"))
        await record.run(ctx, tx, changes)


async def _record(ctx: Context, tx: Transaction, files: Sequence[Changes]) -> None:
    for changes in files:
        if changes.announcements or changes.tasks:
            await record.run(ctx, tx, changes)
