"""Referrals that were accepted."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from services.scheduling.models.rows import KnownPatient, Referral
from services.scheduling.models.tables import ReferralTable
from services.scheduling.queries import scope
from services.scheduling.states import ReferralState
from shared.auth.principal import Principal
from shared.db import Transaction, core

_BY_ID = "SELECT * FROM referral WHERE id = $1"
_LOCKED = "SELECT * FROM referral WHERE id = $1 FOR UPDATE"
_LOCKED_ALL = "SELECT * FROM referral WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_LOCKED_OF = """
SELECT referral.* FROM referral JOIN appointment ON appointment.referral_id = referral.id
WHERE appointment.id = $1 FOR UPDATE OF referral
"""
_CLINICIANS_OF = """
SELECT DISTINCT practitioner FROM appointment
WHERE referral_id = $1 AND status IN ('booked', 'arrived', 'checked-in', 'fulfilled')
  AND practitioner IS NOT NULL
"""
_KNOWN = """
SELECT id::text, false AS is_patient FROM referral WHERE id = ANY($1::uuid[])
UNION ALL SELECT wanted, true FROM unnest($2::text[]) AS wanted WHERE EXISTS (
  SELECT FROM known_patient AS one LEFT JOIN known_patient AS own ON own.id = wanted
  WHERE one.is_deceased AND (one.id = wanted OR one.replaced_by = wanted
    OR one.id = own.replaced_by OR one.replaced_by = own.replaced_by))
"""
_OPEN_OF = """
WITH person AS (SELECT coalesce((SELECT replaced_by FROM known_patient WHERE id = $1), $1) AS id)
SELECT referral.* FROM referral, person
WHERE (referral.patient_id = person.id
       OR referral.patient_id IN (SELECT known_patient.id FROM known_patient WHERE replaced_by = person.id))
  AND state = 'open' ORDER BY referral.id FOR UPDATE OF referral
"""
# Ids of people in clinic.yaml hold no space.
_KEEP_TEAMS = """
UPDATE referral SET team = string_to_array(said.members, ' ')
FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::text[]) AS members) AS said
WHERE referral.id = said.id RETURNING referral.id
"""
_KNOWN_PATIENT = "SELECT * FROM known_patient WHERE id = $1 FOR UPDATE"
_MERGED = "SELECT id, replaced_by FROM known_patient WHERE replaced_by IS NOT NULL"
_LEARN = """
INSERT INTO known_patient (id, event_version, is_deceased, replaced_by, person) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET event_version = excluded.event_version, is_deceased = excluded.is_deceased,
  replaced_by = excluded.replaced_by, person = excluded.person
WHERE known_patient.event_version < excluded.event_version
"""


async def by_id(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Read a referral, without a lock."""
    return await tx.row(Referral, _BY_ID, referral_id)


async def locked(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Lock a referral."""
    return await tx.row(Referral, _LOCKED, referral_id)


async def visible(
    tx: Transaction, referral_id: UUID, *, scope_of: Principal, lock: bool = False
) -> Referral | None:
    """Read a referral of which this caller sees the visits, and lock it if that is asked for."""
    columns = core.columns(ReferralTable)
    wanted = select(*columns).where(columns.id == referral_id, scope.referrals(scope_of))
    found = await tx.select(wanted.with_for_update() if lock else wanted)
    return Referral(**found[0]) if found else None


async def open_and_visible(tx: Transaction, patient_id: str, *, scope_of: Principal) -> Sequence[Referral]:
    """Read the open referrals of a patient of which this caller sees the visits, without a lock."""
    columns = core.columns(ReferralTable)
    wanted = select(*columns).where(
        columns.patient_id == patient_id,
        columns.state == ReferralState.OPEN,
        scope.referrals(scope_of),
    )
    return [Referral(**record) for record in await tx.select(wanted.order_by(columns.id))]


async def clinicians_of(tx: Transaction, referral_id: UUID) -> set[str]:
    """Read who saw or will see the patient for a referral."""
    return {record["practitioner"] for record in await tx.records(_CLINICIANS_OF, referral_id)}


async def locked_all(tx: Transaction, referral_ids: Collection[UUID]) -> dict[UUID, Referral]:
    """Lock referrals, in the order of their ids, and return them by these."""
    found = await tx.rows(Referral, _LOCKED_ALL, list(referral_ids))
    return {row.id: row for row in found}


async def locked_of(tx: Transaction, appointment_id: UUID) -> Referral | None:
    """Lock the referral of an appointment."""
    return await tx.row(Referral, _LOCKED_OF, appointment_id)


async def known(
    tx: Transaction, referral_ids: Collection[UUID], *, patients: Collection[str]
) -> tuple[set[str], set[str]]:
    """Return those of these referrals that were accepted before, and those of these patients who died."""
    records = await tx.records(_KNOWN, list(referral_ids), list(patients))
    died = {record["id"] for record in records if record["is_patient"]}
    return {record["id"] for record in records if not record["is_patient"]}, died


async def open_of(tx: Transaction, patient_id: str) -> list[Referral]:
    """Lock the referrals of a person that have not ended, on whichever of their records."""
    return await tx.rows(Referral, _OPEN_OF, patient_id)


async def learn(tx: Transaction, said: KnownPatient) -> bool:
    """Remember what was said of a patient; return False where something newer was said before."""
    values = (said.id, said.event_version, said.is_deceased, said.replaced_by, said.person)
    return await tx.run(_LEARN, *values) == 1


async def keep_teams(tx: Transaction, teams: Mapping[UUID, Sequence[str]]) -> set[UUID]:
    """Keep who is in the care teams of referrals; return the referrals that are known."""
    members = [" ".join(team) for team in teams.values()]
    return {record["id"] for record in await tx.records(_KEEP_TEAMS, list(teams), members)}


async def known_patient(tx: Transaction, patient_id: str) -> KnownPatient | None:
    """Read what was said last of a patient, as far as anything was."""
    return await tx.row(KnownPatient, _KNOWN_PATIENT, patient_id)


async def merged(tx: Transaction) -> dict[str, str]:
    """Read which patients' records were merged into another, each with the one that goes on."""
    return {record["id"]: record["replaced_by"] for record in await tx.records(_MERGED)}
