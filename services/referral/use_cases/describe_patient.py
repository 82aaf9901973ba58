"""What a sender says of a patient whom the clinic knows is kept as that sender's own: a source record.

Invariants:
- A sender reads what it said itself, in every version, and nothing that another sender said or the clinic
  found out. While the clinic's row is still the first sender's description, there is no second copy of it.
- What is said newly changes nothing of the clinic's own row: a coordinator's Task offers it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.referral import fhir, queries
from services.referral.models.facts import Demographics
from services.referral.models.rows import Patient, SourceRecord, Task
from services.referral.models.submission import Piece
from services.referral.use_cases import referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import Resource, decoded
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_CARRIES_THE_SAME = Reason.of("identity-in-doubt")
# Beyond, an identifier tells nobody apart: the first few show it.
_RESEMBLING = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a sender says of a patient now: `said`, the `version` that it reads, and whether it `is_first`.

    `differs` are the members, with their values, that the clinic's row does not say; of these some are news
    where the sender `has_news`. `has_changed` tells whether the sender said something else before, and
    `takes_back_death` whether that was that the patient had died. `resembles` are other people who carry an
    identifier that was not known of this patient.
    """

    version: int = 1
    said: Resource = field(default_factory=dict)
    is_first: bool = True
    has_changed: bool = False
    has_news: bool = False
    takes_back_death: bool = False
    differs: Mapping[str, Any] = field(default_factory=dict)
    resembles: tuple[UUID, ...] = ()


async def run(
    ctx: Context, tx: Transaction, patient: Patient, piece: Piece, *, requester: str, adds: bool = False
) -> Description:
    """Keep what a sender says of a locked patient; identifiers that are new are known from now on.

    What only `adds` leaves the rest of what was said. Where the sender creates a Patient only if there is
    none, and there is one of its own, that one stays as it is (conditional create); what differs from it is
    offered all the same.
    """
    is_theirs = patient.requester == requester
    own = None if is_theirs else await queries.patients.source_record(tx, patient.id, requester)
    before = patient.body if is_theirs else own.body if own is not None else None
    version = patient.version if own is None else own.version
    if adds and before is not None:
        piece = _added(piece, to=before)
    if before is not None and fhir.content.same(before, piece.raw):
        return Description(version=version, said=piece.data, is_first=False)
    known = [decoded(patient.body)] + ([decoded(before)] if before is not None else [])
    differs, news = (fhir.people.said_newly(piece.data, *rows) for rows in (known[:1], known))
    if piece.data.get("deceasedBoolean") is False and await referral_file.died_elsewhere(tx, patient):
        differs["deceasedBoolean"] = news["deceasedBoolean"] = False
    takes_back = before is not None and fhir.people.takes_back_death(piece.data, known[-1])
    if takes_back and await _others_say_death(tx, patient, but=requester):
        takes_back = False
    elif takes_back:
        differs.pop("deceasedBoolean", None)
    if before is None or piece.if_none_exist is None:
        own = await separate(tx, patient) if is_theirs else own
        version = await _write(ctx, tx, patient, piece, own=own, requester=requester)
    return Description(
        version=version,
        said=piece.data,
        is_first=before is None,
        has_changed=before is not None,
        has_news=bool(news),
        takes_back_death=takes_back,
        differs=differs,
        resembles=await know_identifiers(tx, patient, piece.identifiers),
    )


async def _others_say_death(tx: Transaction, patient: Patient, *, but: str) -> bool:
    """Tell whether another sender still says that a patient has died."""
    said = await queries.patients.said_by_others(tx, patient.id, but=but)
    return any(fhir.people.is_deceased(decoded(body)) for body in said)


def _added(piece: Piece, *, to: bytes) -> Piece:
    members = {name: value for name, value in piece.data.items() if name not in ("id", "meta")}
    raw = store.overlaid(to, members)
    data = decoded(raw)
    return Piece(type="Patient", data=data, raw=raw, identifiers=fhir.reading.tokens(data.get("identifier")))


async def separate(tx: Transaction, patient: Patient) -> SourceRecord | None:
    """Keep a locked patient's row as the description of the sender whose it still is, with its versions.

    From then on the row is the clinic's own. Returns None where it is so already.
    """
    if patient.requester is None:
        return None
    own = SourceRecord(
        patient_id=patient.id,
        requester=patient.requester,
        identifiers=list(patient.identifiers),
        family=patient.family,
        given=patient.given,
        birth_date=patient.birth_date,
        found_by=list(patient.found_by),
        version=patient.version,
        last_updated=patient.last_updated,
        body=patient.body,
    )
    await tx.insert(own)
    await queries.patients.copy_versions(tx, patient.id, to=own.id)
    await tx.update(patient, requester=None)
    return own


async def carry_over(ctx: Context, tx: Transaction, from_id: UUID, to: Patient, *, requester: str) -> None:
    """Let a sender read, of the record that goes on, what it said of the one that was merged into it."""
    said = await queries.patients.said_of(tx, [from_id, to.id], requester=requester)
    there = {own.patient_id for own in said}
    for own in said:
        if own.patient_id == from_id and to.id not in there:
            piece = Piece(
                type="Patient", data=decoded(own.body), raw=own.body, identifiers=tuple(own.identifiers)
            )
            await run(ctx, tx, to, piece, requester=requester)


async def said_by(tx: Transaction, patient: Patient, requester: str) -> list[SourceRecord]:
    """Read what a sender has said of a patient, on whichever of the person's records."""
    records = await queries.patients.records(tx, patient.id)
    return await queries.patients.said_of(tx, [record.id for record in records], requester=requester)


def person_of(own: SourceRecord) -> Demographics:
    """Read who a sender says that a patient is."""
    return fhir.people.demographics(decoded(own.body))


def offer(ctx: Context, changes: Changes, description: Description, *, joins: bool = False) -> None:
    """Offer to the coordinator what a sender says newly of a patient, with the values.

    What the sender says now takes the place of what it said before, and ends the offer where nothing differs;
    what `joins` stands beside what is offered.
    """
    offered = changes.body_of(TaskCode.UPDATE_PATIENT).get("contained") or []
    differs = dict(description.differs)
    if joins and offered and differs:
        differs = fhir.people.joined(offered[0], differs)
    if offered and description.has_changed and not differs:
        said_again = [Reason.of("said-as-known")]
        changes.finish_work(status="cancelled", reason=said_again, codes=[TaskCode.UPDATE_PATIENT])
    if not differs or not (description.has_news or offered):
        return
    changes.announce(events.ReferralPatientReviewNeeded, ask_for(ctx, changes, differs))


def ask_for(ctx: Context, changes: Changes, differs: Mapping[str, Any]) -> Task:
    """Let the Task of the coordinator offer these members of a Patient, in the place of what it offered."""
    said = {**differs, "resourceType": "Patient", "id": "described"}
    members = [f"Patient.{member}" for member in differs]
    return changes.open_work(
        TaskCode.UPDATE_PATIENT,
        owner=the_clinic(ctx),
        reason=[Reason.of("said-newly", members=members)],
        details={"contained": [said], "input": [fhir.task.described_input("#described")]},
    )


def doubt(
    ctx: Context,
    changes: Changes,
    *,
    resembles: Sequence[UUID],
    reason: Reason = _CARRIES_THE_SAME,
) -> None:
    """Ask the coordinator whether the patient is one of these people, where there are any."""
    if resembles:
        asked = changes.body_of(TaskCode.RESOLVE_IDENTITY).get("input", [])
        more = [fhir.task.resembling_input(str(patient_id)) for patient_id in resembles[:_RESEMBLING]]
        details = {"input": [*asked, *(one for one in more if one not in asked)]}
        work = changes.open_work(
            TaskCode.RESOLVE_IDENTITY, owner=the_clinic(ctx), reason=[reason], details=details
        )
        changes.announce(events.ReferralPatientReviewNeeded, work)


async def know_identifiers(tx: Transaction, patient: Patient, tokens: Sequence[str]) -> tuple[UUID, ...]:
    """Put identifiers down for a patient, and return who else carries those that are new."""
    more = [token for token in tokens if token not in patient.identifiers]
    if not more:
        return ()
    await separate(tx, patient)
    keys = fhir.found_by.of_identifiers(more)
    await tx.update(patient, identifiers=[*patient.identifiers, *more], found_by=[*patient.found_by, *keys])
    await queries.patients.claim_identifiers(tx, patient.id, tokens=more)
    return await queries.patients.other_carriers(tx, more, but=patient, limit=_RESEMBLING)


async def _write(
    ctx: Context,
    tx: Transaction,
    patient: Patient,
    piece: Piece,
    *,
    own: SourceRecord | None,
    requester: str,
) -> int:
    """Write a sender's record, and return its version."""
    person, overlay = fhir.people.demographics(piece.data), {"id": str(patient.id)}
    if own is None:
        own = SourceRecord(
            patient_id=patient.id,
            requester=requester,
            identifiers=list(piece.identifiers),
            family=person.family,
            given=person.given,
            birth_date=person.birth_date,
            found_by=fhir.found_by.keys(piece.data, piece.identifiers),
        )
        await store.insert(tx, own, piece.raw, at=ctx.at, overlay=overlay)
        return own.version
    identifiers = list(dict.fromkeys([*own.identifiers, *piece.identifiers]))
    columns = {
        "identifiers": identifiers,
        "family": person.family,
        "given": person.given,
        "birth_date": person.birth_date,
        "found_by": fhir.found_by.keys(piece.data, identifiers),
    }
    await store.update(tx, own, piece.raw, at=ctx.at, overlay=overlay, **columns)
    return own.version
