"""Every SELECT and every claim of this service, by what is looked for."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from services.referral.models import (
    Claim,
    ClaimResponse,
    Enclosure,
    Patient,
    PatientIdentifier,
    Referral,
    SenderIdentifier,
    Task,
)
from services.referral.queries import scope
from services.referral.states import OPEN, Authorization
from shared.auth.principal import Principal
from shared.db import Transaction, Write
from shared.fhir.codes import TaskCode

_LOCK_IDENTIFIERS = """
SELECT pg_advisory_xact_lock(lock) FROM (
    SELECT hashtextextended(token, 0) AS lock FROM unnest($1::text[]) AS token ORDER BY 1
) AS locks
"""
_CLAIM_SENDING = """
INSERT INTO sender_identifier (requester, token, referral_id)
SELECT $1, token, $2 FROM unnest($3::text[]) AS token ORDER BY token
ON CONFLICT DO NOTHING RETURNING token
"""
_SENDING = Write.into(
    "sender_identifier",
    {"requester": "text", "token": "text", "referral_id": "uuid"},
    conflict="ON CONFLICT DO NOTHING",
    claim=1,
)
_PATIENT = Write.into(
    "patient_identifier",
    {"token": "text", "patient_id": "uuid"},
    conflict="ON CONFLICT DO NOTHING",
    claim=2,
)
OPEN_TASKS = ("requested", "received", "accepted", "in-progress", "on-hold")
# Resources about people and places, which one sender uses in many referrals.
DIRECTORY_TYPES = ("Practitioner", "PractitionerRole", "Organization")


def claim_sending(tx: Transaction, referral: Referral, *, tokens: Sequence[str]) -> None:
    """Put the sender's identifiers down for this referral with the next writes, which fail (Outrun) where one
    is there already.
    """
    for token in dict.fromkeys(tokens):
        tx.write(_SENDING, referral.requester, token, referral.id)


def claim_new_patient(tx: Transaction, patient: Patient, *, tokens: Sequence[str]) -> None:
    """Put identifiers down for a patient that nobody knew with the next writes, which fail (Outrun) where one
    is there already.
    """
    for token in dict.fromkeys(tokens):
        tx.write(_PATIENT, token, patient.id)


async def claim_sender_identifiers(
    tx: Transaction, referral: Referral, *, tokens: Sequence[str]
) -> UUID | None:
    """Put the sender's identifiers down for this referral, or give the referral that has one of them already.

    Waits for another transaction that is putting the same one down, so that ten at once make one referral.
    """
    if not tokens:
        return None
    wanted = list(dict.fromkeys(tokens))
    connection = await tx.driver()
    put_down = await connection.fetch(_CLAIM_SENDING, referral.requester, referral.id, wanted)
    if len(put_down) == len(wanted):
        return None
    found = await tx.first(
        select(col(SenderIdentifier.referral_id)).where(
            col(SenderIdentifier.requester) == referral.requester,
            col(SenderIdentifier.token).in_(tokens),
            col(SenderIdentifier.referral_id) != referral.id,
        )
    )
    # What is new among the identifiers is another name of the referral that was sent before.
    renamed = update(SenderIdentifier).where(col(SenderIdentifier.referral_id) == referral.id)
    await tx.execute(renamed.values(referral_id=found))
    return found


async def sent_before(tx: Transaction, requester: str, *, tokens: Sequence[str]) -> UUID | None:
    """Find the referral that this requester sent under one of these identifiers."""
    return await tx.first(
        select(col(SenderIdentifier.referral_id)).where(
            col(SenderIdentifier.requester) == requester, col(SenderIdentifier.token).in_(tokens)
        )
    )


async def lock_identifiers(tx: Transaction, tokens: Sequence[str]) -> None:
    """Let one transaction at a time decide who carries these identifiers."""
    if tokens:
        await (await tx.driver()).execute(_LOCK_IDENTIFIERS, list(tokens))


async def claim_patient_identifiers(tx: Transaction, patient: Patient, *, tokens: Sequence[str]) -> None:
    """Put identifiers down for this patient; those that somebody else has stay with them."""
    if tokens:
        rows = [{"token": token, "patient_id": patient.id} for token in sorted(tokens)]
        await tx.execute(insert(PatientIdentifier).values(rows).on_conflict_do_nothing())


async def patients_by_identifiers(tx: Transaction, tokens: Sequence[str]) -> Sequence[Patient]:
    """Find who carries any of these identifiers."""
    holders = select(col(PatientIdentifier.patient_id)).where(col(PatientIdentifier.token).in_(tokens))
    return await tx.all(select(Patient).where(col(Patient.id).in_(holders)).order_by(col(Patient.id)))


async def patient_visible_to(tx: Transaction, principal: Principal, patient_id: UUID) -> Patient | None:
    """Find a patient that the caller may see."""
    return await tx.first(select(Patient).where(col(Patient.id) == patient_id, scope.patients(principal)))


async def referral_visible_to(tx: Transaction, principal: Principal, referral_id: UUID) -> Referral | None:
    """Find a referral that the caller may see, locked."""
    return await tx.first(
        select(Referral)
        .where(col(Referral.id) == referral_id, scope.referrals(principal))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def lock_patient(tx: Transaction, patient_id: UUID) -> None:
    """Let one transaction at a time compare a patient's referrals.

    Not FOR UPDATE: a new referral holds its patient by the foreign key, and two would wait for each other.
    """
    if tx.is_new(Patient, patient_id):
        return
    await tx.all(select(col(Patient.id)).where(col(Patient.id) == patient_id).with_for_update(key_share=True))


async def open_referrals(
    tx: Transaction, patient_id: UUID, *, since: datetime, but: UUID
) -> Sequence[Referral]:
    """List the patient's open referrals that were sent since then, the oldest first."""
    if tx.is_new(Patient, patient_id):
        return ()
    return await tx.all(
        select(Referral)
        .where(
            col(Referral.patient_id) == patient_id,
            col(Referral.id) != but,
            col(Referral.sent_at) >= since,
            col(Referral.state).in_(OPEN),
        )
        .order_by(col(Referral.sent_at), col(Referral.id))
    )


async def enclosures_of(tx: Transaction, referral_id: UUID) -> Sequence[Enclosure]:
    """List what came with a referral, in the order of arrival."""
    return await tx.all(
        select(Enclosure).where(col(Enclosure.referral_id) == referral_id).order_by(col(Enclosure.id))
    )


async def enclosures_by_id(tx: Transaction, ids: Sequence[UUID]) -> Sequence[Enclosure]:
    """List enclosures by their ids."""
    return await tx.all(select(Enclosure).where(col(Enclosure.id).in_(ids)))


async def directory_entry(
    tx: Transaction, requester: str, *, resource_type: str, token: str
) -> Enclosure | None:
    """Find a person or organisation that this sender has sent before, by identifier."""
    if resource_type not in DIRECTORY_TYPES:
        return None
    return await tx.first(
        select(Enclosure)
        .where(
            col(Enclosure.type) == resource_type,
            col(Enclosure.requester) == requester,
            col(Enclosure.identifiers).contains([token]),
        )
        .order_by(col(Enclosure.id))
    )


async def process_task(tx: Transaction, referral_id: UUID) -> Task:
    """Give the process Task of a referral; every stored referral has one."""
    if tx.is_new(Referral, referral_id):
        return next(task for task in _new_tasks(tx, referral_id) if task.code == TaskCode.PROCESS_REQUEST)
    found = await tx.first(
        select(Task).where(col(Task.referral_id) == referral_id, col(Task.code) == TaskCode.PROCESS_REQUEST)
    )
    if found is None:
        raise LookupError(f"referral {referral_id} has no process Task")
    return found


async def open_task(tx: Transaction, referral_id: UUID, *, code: TaskCode) -> Task | None:
    """Find the open Task of a kind; there is at most one."""
    if tx.is_new(Referral, referral_id):
        mine = (task for task in _new_tasks(tx, referral_id) if task.code == code)
        return next((task for task in mine if task.status in OPEN_TASKS), None)
    return await tx.first(
        select(Task)
        .where(col(Task.referral_id) == referral_id, col(Task.code) == code, col(Task.status).in_(OPEN_TASKS))
        .with_for_update()
    )


async def open_work(tx: Transaction, referral_id: UUID) -> Sequence[Task]:
    """List the open Tasks of a referral but the process Task."""
    if tx.is_new(Referral, referral_id):
        others = (task for task in _new_tasks(tx, referral_id) if task.code != TaskCode.PROCESS_REQUEST)
        return [task for task in others if task.status in OPEN_TASKS]
    return await tx.all(
        select(Task)
        .where(
            col(Task.referral_id) == referral_id,
            col(Task.code) != TaskCode.PROCESS_REQUEST,
            col(Task.status).in_(OPEN_TASKS),
        )
        .order_by(col(Task.id))
        .with_for_update()
    )


async def task_visible_to(tx: Transaction, principal: Principal, task_id: UUID) -> Task | None:
    """Find a Task that the caller may see, locked."""
    return await tx.first(
        select(Task)
        .where(col(Task.id) == task_id, scope.tasks(principal))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def live_claims(tx: Transaction, referral_id: UUID) -> Sequence[Claim]:
    """List the Claims of a referral that have not been denied or cancelled, locked."""
    ended = (Authorization.DENIED, Authorization.CANCELLED)
    return await tx.all(
        select(Claim)
        .where(col(Claim.referral_id) == referral_id, col(Claim.standing).not_in(ended))
        .order_by(col(Claim.id))
        .with_for_update()
    )


async def claims_of(tx: Transaction, referral_id: UUID) -> Sequence[Claim]:
    """List every Claim of a referral, locked."""
    if tx.is_new(Referral, referral_id):
        return [claim for claim in tx.added(Claim) if claim.referral_id == referral_id]
    return await tx.all(
        select(Claim).where(col(Claim.referral_id) == referral_id).order_by(col(Claim.id)).with_for_update()
    )


async def claim_visible_to(tx: Transaction, principal: Principal, claim_id: UUID) -> Claim | None:
    """Find a Claim that the caller may see."""
    return await tx.first(select(Claim).where(col(Claim.id) == claim_id, scope.claims(principal)))


async def claims_of_member(
    tx: Transaction, principal: Principal, *, members: Sequence[str], claims: Sequence[str]
) -> Sequence[Claim]:
    """List the caller's Claims of a member, all of them or the named ones."""
    found = select(Claim).where(scope.claims(principal), col(Claim.members).op("&&")(list(members)))
    named = [one for text in claims if (one := _uuid(text)) is not None]
    if claims:
        found = found.where(col(Claim.id).in_(named))
    return await tx.all(found.order_by(col(Claim.id)))


async def current_response(tx: Transaction, claim_id: UUID) -> ClaimResponse | None:
    """Give the newest answer to a Claim."""
    return await tx.first(
        select(ClaimResponse).where(col(ClaimResponse.claim_id) == claim_id, col(ClaimResponse.current))
    )


def _new_tasks(tx: Transaction, referral_id: UUID) -> list[Task]:
    """Give the Tasks of a referral that is not in the database yet: nothing there can refer to it."""
    return [task for task in tx.added(Task) if task.referral_id == referral_id]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
