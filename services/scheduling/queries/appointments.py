"""Appointments: by id, by referral, by series, and those that wait."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from services.scheduling.models.rows import Appointment
from services.scheduling.models.tables import AppointmentTable
from services.scheduling.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction, core

_LOCKED = "SELECT * FROM appointment WHERE id = $1 FOR UPDATE"
_FIRSTS = """
SELECT * FROM appointment
WHERE referral_id = $1 AND kind IN ('first', 'joint-first') AND held_until IS NULL ORDER BY id
"""
_FIRSTS_OF_ALL = """
SELECT * FROM appointment
WHERE referral_id = ANY($1::uuid[]) AND kind IN ('first', 'joint-first') AND held_until IS NULL
ORDER BY id FOR UPDATE
"""
_OTHERS_BOOKED = """
SELECT * FROM appointment
WHERE referral_id = $1 AND (
  status = 'pending' OR (status = 'booked' AND kind NOT IN ('first', 'joint-first', 'session'))
)
ORDER BY id FOR UPDATE
"""
_SESSIONS = """
SELECT * FROM appointment WHERE series_id = $1 AND held_until IS NULL ORDER BY starts_at, id FOR UPDATE
"""
_TO_COME = """
SELECT * FROM appointment WHERE site = $1 AND status = 'booked' AND starts_at > $2 ORDER BY starts_at, id
"""
_TO_COME_OF = """
SELECT * FROM appointment WHERE id = ANY($1::uuid[]) AND status = 'booked' AND starts_at > $2
ORDER BY starts_at, id
"""
_WAITING = """
SELECT appointment.id FROM appointment JOIN referral ON referral.id = appointment.referral_id
WHERE appointment.site = $1 AND appointment.status = 'waitlist'
ORDER BY referral.due_at, appointment.id
"""


async def locked(tx: Transaction, appointment_id: UUID) -> Appointment | None:
    """Lock an appointment, as it is now."""
    return await tx.row(Appointment, _LOCKED, appointment_id)


async def to_come_locked(
    tx: Transaction, appointments: Collection[UUID], *, after: datetime
) -> Sequence[Appointment]:
    """Lock which of these are booked from a moment on, the earliest first; their referrals are locked."""
    return await tx.rows(Appointment, f"{_TO_COME_OF} FOR UPDATE", list(appointments), after)


async def visible(tx: Transaction, appointment_id: UUID, *, scope_of: Principal) -> Appointment | None:
    """Read an appointment that this caller may see, without a lock."""
    wanted = select(*core.columns(AppointmentTable)).where(
        core.columns(AppointmentTable).id == appointment_id, scope.appointments(scope_of)
    )
    found = await tx.select(wanted)
    return Appointment(**found[0]) if found else None


async def firsts_of(tx: Transaction, referral_id: UUID) -> Sequence[Appointment]:
    """Lock every first appointment of a referral, missed and cancelled ones too, the oldest first."""
    return await tx.rows(Appointment, f"{_FIRSTS} FOR UPDATE", referral_id)


async def firsts_of_all(
    tx: Transaction, referral_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[Appointment]]:
    """Lock every first appointment of referrals, as `firsts_of` does, and return them by referral."""
    found: dict[UUID, list[Appointment]] = {id: [] for id in referral_ids}
    for row in await tx.rows(Appointment, _FIRSTS_OF_ALL, list(referral_ids)):
        found[row.referral_id].append(row)
    return found


async def firsts_seen(tx: Transaction, referral_id: UUID) -> Sequence[Appointment]:
    """Read every first appointment of a referral, the oldest first, without a lock."""
    return await tx.rows(Appointment, _FIRSTS, referral_id)


async def others_booked(tx: Transaction, referral_id: UUID) -> Sequence[Appointment]:
    """Lock what is booked for a referral beside its first appointment and its sessions, and what is held."""
    return await tx.rows(Appointment, _OTHERS_BOOKED, referral_id)


async def sessions_of(tx: Transaction, series_id: UUID) -> Sequence[Appointment]:
    """Lock every session of a series, the earliest first; what is only held is none yet."""
    return await tx.rows(Appointment, _SESSIONS, series_id)


async def to_come_at(tx: Transaction, site: str, *, after: datetime) -> Sequence[Appointment]:
    """Read what is booked at a site from a moment on, the earliest first, without a lock."""
    return await tx.rows(Appointment, _TO_COME, site, after)


async def to_come_of(
    tx: Transaction, appointments: Collection[UUID], *, after: datetime
) -> Sequence[Appointment]:
    """Read which of these are booked from a moment on, the earliest first, without a lock."""
    return await tx.rows(Appointment, _TO_COME_OF, list(appointments), after)


async def waiting_at(tx: Transaction, site: str) -> Sequence[UUID]:
    """Return who waits at a site, in order of days left to the guarantee's end, then of waiting."""
    return [record["id"] for record in await tx.records(_WAITING, site)]
