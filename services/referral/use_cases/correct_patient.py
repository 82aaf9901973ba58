"""A coordinator corrects what the clinic knows of a patient, and so takes over what a sender said newly.

Invariants:
- The clinic's own row changes and nothing else: each sender goes on reading what it said itself (ADR 26).
- What was offered (`update-patient`) is offered as long as something of it is not in the row.
- An identifier that stands is ended, never left out: what was sent under it is found by it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.referral import fhir, queries, rules
from services.referral.models.rows import Patient
from services.referral.use_cases import describe_patient, patient_events, record_links, referral_file
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import Resource, decoded
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, Problem
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.fhir.elements import same
from shared.fhir.received import Received
from shared.reasons import Reason

# What has a call of its own, and which.
_ELSEWHERE = {
    "active": "Patient/{id}/$merge and $unmerge change it",
    "link": "Patient/{id}/$merge and $unmerge change it",
    "deceasedBoolean": "the sender who says it takes it back (ServiceRequest/{id}/$provide-information)",
    "deceasedDateTime": "the sender who says it takes it back (ServiceRequest/{id}/$provide-information)",
}
_NEEDED = ("name", "birthDate")
_OURS = ("resourceType", "id", "meta")


class OtherPatientId(Invalid):
    """The body is another Patient than the address."""


class NotCorrected(Invalid):
    """Something is changed or left out that a correction does not change."""

    code = "business-rule"


async def run(
    ctx: Context, tx: Transaction, patient_id: str, received: Received, *, expect: Callable[[Patient], None]
) -> Patient:
    """Write the clinic's row anew, publish it, and end what is offered of it; where nothing differs, nothing
    is written.

    Raises NotFound, OtherPatientId, what `expect` raises, Refused for a record that was merged, NotCorrected
    and WrongChannelConsent.
    """
    seen = await record_links.of_caller(ctx, tx, patient_id)
    if received.data.get("id") != str(seen.id):
        raise OtherPatientId("the id in the body and in the address differ", expression="Patient.id")
    await tx.lock_names(fhir.reading.tokens(received.data.get("identifier")))
    files = await record_links.load_files(ctx, tx, await _concerned(tx, seen.id))
    patient = await queries.patients.locked(tx, seen.id)
    expect(patient)
    rules.steps.check(rules.identity.why_replaced(patient), of="Patient")
    record_links.check_complete(_ids(files), await _concerned(tx, patient.id))
    members, raw, columns = _corrected(ctx, patient, received)
    if not members:
        return patient
    resembles = await _write(ctx, tx, patient, raw, **columns)
    await _write_provenance(ctx, tx, files, patient, members=members)
    _take_over(ctx, files, decoded(patient.body))
    describe_patient.doubt(ctx, _newest(files, patient), resembles=resembles)
    await record_links.write_files(ctx, tx, files)
    return patient


async def _concerned(tx: Transaction, patient_id: UUID) -> set[UUID]:
    """Name the referrals with which something of this person is offered, and the patient's newest."""
    records = await queries.patients.records(tx, patient_id)
    offered = await queries.tasks.offered_of(tx, [record.id for record in records])
    newest = await queries.referrals.newest_of(tx, patient_id)
    return offered | ({newest.id} if newest is not None else set())


def _ids(files: Sequence[Changes]) -> list[UUID]:
    return [changes.referral.id for changes in files]


def _newest(files: Sequence[Changes], patient: Patient) -> Changes:
    return next(changes for changes in reversed(files) if changes.referral.patient_id == patient.id)


def _corrected(
    ctx: Context, patient: Patient, received: Received
) -> tuple[list[str], bytes, Mapping[str, Any]]:
    """Return which members differ, the bytes of the new version, and the columns that go with it."""
    before, wanted = decoded(patient.body), received.data
    problems = [*_kept_elsewhere(ctx, before, wanted), *_left_out(before, wanted)]
    if problems:
        raise NotCorrected(problems=problems)
    site = ctx.caller.site or ctx.clinic.sites[0].id
    today = referral_file.local_day(ctx.at, site=site, clinic=ctx.clinic)
    consents = fhir.channel_consents.read(
        ctx, wanted, before=before, recorded=patient.channel_consents, today=today
    )
    extensions = fhir.channel_consents.extensions(wanted, consents) or None
    raw = store.overlaid(received.raw, {"extension": extensions})
    after, names = decoded(raw), dict.fromkeys([*before, *wanted])
    members = [
        name
        for name in names
        if name not in _OURS and not same(before.get(name), after.get(name), urls=ctx.urls)
    ]
    person = fhir.people.demographics(after)
    columns = {
        "family": person.family,
        "given": person.given,
        "birth_date": person.birth_date,
        "found_by": fhir.found_by.keys(after, patient.identifiers),
        "channel_consents": consents,
    }
    return members, raw, columns


def _kept_elsewhere(ctx: Context, before: Resource, wanted: Resource) -> Iterator[Problem]:
    for member, how in _ELSEWHERE.items():
        if not same(before.get(member), wanted.get(member), urls=ctx.urls):
            text = f"a correction leaves {member} as it is: {how}"
            yield Problem(text=text, code="business-rule", expression=f"Patient.{member}")


def _left_out(before: Resource, wanted: Resource) -> Iterator[Problem]:
    for member in _NEEDED:
        if before.get(member) and not wanted.get(member):
            text = f"a correction is the whole Patient: {member} is known and was left out"
            yield Problem(text=text, code="required", expression=f"Patient.{member}")
    stated = {_number(identifier) for identifier in wanted.get("identifier", [])}
    for identifier in before.get("identifier", []):
        if _number(identifier) not in stated:
            text = "an identifier that is known is ended (`use` old, or a `period`), not left out"
            yield Problem(text=text, code="required", expression="Patient.identifier")


def _number(identifier: Resource) -> tuple[Any, Any]:
    return identifier.get("system"), identifier.get("value")


async def _write(
    ctx: Context, tx: Transaction, patient: Patient, raw: bytes, **columns: Any
) -> tuple[UUID, ...]:
    """Write the row, publish it, and return who else carries an identifier that is new."""
    await describe_patient.separate(tx, patient)
    await store.update(tx, patient, raw, at=ctx.at, **columns)
    await patient_events.publish_change(ctx, tx, patient)
    tokens = fhir.reading.tokens(decoded(raw).get("identifier"))
    return await describe_patient.know_identifiers(tx, patient, tokens)


async def _write_provenance(
    ctx: Context, tx: Transaction, files: Sequence[Changes], patient: Patient, *, members: Sequence[str]
) -> None:
    """Store who corrected which members, with the patient's newest referral: no sender's."""
    newest = _newest(files, patient).referral
    row = referral_file.of_the_clinic("Provenance", newest, clinic=ctx.clinic)
    body = fhir.provenance.patient_provenance(ctx, patient, members=members)
    await store.insert(tx, row, body, at=ctx.at)


def _take_over(ctx: Context, files: Sequence[Changes], known: Resource) -> None:
    """End what is offered and is known now; of the rest the Task goes on."""
    for changes in files:
        offered = next(iter(changes.body_of(TaskCode.UPDATE_PATIENT).get("contained", ())), None)
        if offered is None:
            continue
        left = fhir.people.left_of(offered, known)
        if not left:
            taken = [Reason.of("taken-over")]
            changes.finish_work(status="completed", reason=taken, codes=[TaskCode.UPDATE_PATIENT])
        elif left != {name: value for name, value in offered.items() if name not in _OURS}:
            describe_patient.ask_for(ctx, changes, left)
