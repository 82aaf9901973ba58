"""Referrals: by id, by what their senders called them, and those that are open."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from services.referral.models.rows import Referral
from services.referral.models.tables import PatientTable, ReferralTable
from services.referral.queries import patients, scope
from services.referral.states import OPEN, State
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.fhir.search_values import as_uuid

_BY_ID = "SELECT * FROM referral WHERE id = $1"
_LOCK_ALL = "SELECT * FROM referral WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_SENT_BEFORE = "SELECT referral_id FROM sender_identifier WHERE requester = $1 AND token = ANY($2::text[])"
_RECORDS_OF_PERSON = """
WITH person AS (SELECT coalesce(replaced_by, id) AS id FROM patient WHERE id = $1)
SELECT patient.id FROM patient, person WHERE patient.id = person.id OR patient.replaced_by = person.id
"""
_OPEN = f"""
SELECT * FROM referral
WHERE patient_id IN ({_RECORDS_OF_PERSON}) AND id <> $2 AND sent_at >= $3 AND state = ANY($4::text[])
ORDER BY sent_at, id
"""  # noqa: S608
_PEOPLE = """
SELECT record.id
FROM (SELECT coalesce(replaced_by, id) AS id FROM patient WHERE id = ANY($1::uuid[])) AS person
JOIN patient AS record ON record.id = person.id OR record.replaced_by = person.id
"""
_OPEN_ON = f"SELECT id FROM referral WHERE patient_id IN ({_PEOPLE}) AND state = ANY($2::text[])"  # noqa: S608
_SENT_SINCE = "SELECT id FROM referral WHERE patient_id = ANY($1::uuid[]) AND sent_at >= $2"
_MERGED_BETWEEN = """
SELECT referral.id FROM referral JOIN referral AS first ON first.id = referral.merged_into
WHERE (referral.patient_id = $1 AND first.patient_id = ANY($2::uuid[]))
   OR (referral.patient_id = ANY($2::uuid[]) AND first.patient_id = $1)
"""
_NEWEST = "SELECT * FROM referral WHERE patient_id = $1 ORDER BY sent_at DESC, id DESC LIMIT 1"
_MERGED_INTO = """
SELECT * FROM referral WHERE merged_into = ANY($1::uuid[]) AND state = $2 ORDER BY id FOR UPDATE
"""


async def by_id(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Read a referral."""
    return await tx.row(Referral, _BY_ID, referral_id)


async def locked(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Lock a referral."""
    return await tx.row(Referral, f"{_BY_ID} FOR UPDATE", referral_id)


async def lock_all(tx: Transaction, ids: Collection[UUID]) -> Sequence[Referral]:
    """Lock referrals in the order of their ids, in which all do so."""
    return await tx.rows(Referral, _LOCK_ALL, list(ids))


async def visible_to(
    tx: Transaction, principal: Principal, referral_id: UUID | str, *, lock: bool = False
) -> Referral | None:
    """Find a referral that the caller may see, and lock it where that is wanted."""
    visible = scope.referrals(principal)
    return await scope.find(tx, Referral, referral_id, table=ReferralTable, visible=visible, lock=lock)


async def visible_with_patient(
    tx: Transaction, principal: Principal, referral_id: UUID | str
) -> tuple[Referral, bool] | None:
    """Find a referral that the caller may see, and whether its patient has died."""
    key, columns, patient = as_uuid(referral_id), core.columns(ReferralTable), core.columns(PatientTable)
    if key is None:
        return None
    wanted = select(*columns, patients.has_died().label("patient_died")).where(
        columns.id == key, patient.id == columns.patient_id, scope.referrals(principal)
    )
    found = await tx.select(wanted)
    if not found:
        return None
    values = dict(found[0])
    died = bool(values.pop("patient_died"))
    return Referral(**values), died


async def sent_before(tx: Transaction, requester: str, *, tokens: Sequence[str]) -> UUID | None:
    """Find the referral that this requester sent under one of these identifiers."""
    found: UUID | None = await tx.value(_SENT_BEFORE, requester, list(tokens))
    return found


async def merged_into(tx: Transaction, firsts: Collection[UUID]) -> Sequence[Referral]:
    """Lock what was merged into these referrals and follows them."""
    return await tx.rows(Referral, _MERGED_INTO, list(firsts), State.MERGED)


async def point_to(tx: Transaction, first: UUID, *, instead_of: UUID) -> None:
    """Let what was merged into one referral follow the one into which that was merged."""
    await tx.run("UPDATE referral SET merged_into = $1 WHERE merged_into = $2", first, instead_of)


async def open_of(tx: Transaction, patient_id: UUID, *, since: datetime, but: UUID) -> Sequence[Referral]:
    """List the open referrals of a patient's records that were sent since then, the oldest first."""
    return await tx.rows(Referral, _OPEN, patient_id, but, since, list(OPEN))


async def open_on(tx: Transaction, patient_ids: Collection[UUID]) -> set[UUID]:
    """Name the open referrals of these people, on whichever of their records."""
    found = await tx.records(_OPEN_ON, list(patient_ids), [*OPEN, State.DUPLICATE_SUSPECTED])
    return {record["id"] for record in found}


async def newest_of(tx: Transaction, patient_id: UUID) -> Referral | None:
    """Read the referral of a patient that was sent last."""
    return await tx.row(Referral, _NEWEST, patient_id)


async def sent_since(tx: Transaction, patient_ids: Collection[UUID], *, since: datetime) -> set[UUID]:
    """Name what was sent under these records since then, ended or not."""
    return {record["id"] for record in await tx.records(_SENT_SINCE, list(patient_ids), since)}


async def merged_between(tx: Transaction, patient_id: UUID, others: Collection[UUID]) -> set[UUID]:
    """Name what was merged across a record and others, whichever of them it stands on."""
    return {record["id"] for record in await tx.records(_MERGED_BETWEEN, patient_id, list(others))}
