"""What the use cases load.

The referral's row is locked first: it serialises everything about one referral.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlmodel import col, select

from services.scheduling.models import Appointment, Funding, Guarantee, Referral, Series
from services.scheduling.queries.scope import appointment_scope, guarantee_scope
from services.scheduling.states import LIVE_FIRST, AppointmentStatus
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir.codes import AppointmentKind

T = TypeVar("T")

_KNOWN = "SELECT id FROM referral WHERE id = ANY($1::uuid[])"


async def locked_referral(tx: Transaction, referral_id: UUID) -> Referral | None:
    """Lock and load a referral."""
    return await tx.get(Referral, referral_id, lock=True)


async def known_referrals(tx: Transaction, referral_ids: Sequence[UUID]) -> set[UUID]:
    """Name those of these referrals that were accepted before."""
    return {row["id"] for row in await tx.fetch(_KNOWN, list(referral_ids))}


async def locked_appointment(tx: Transaction, appointment_id: UUID) -> Appointment | None:
    """Lock and load an appointment, as it is now."""
    return await tx.get(Appointment, appointment_id, lock=True)


async def appointment_visible_to(
    tx: Transaction, appointment_id: UUID, principal: Principal
) -> Appointment | None:
    """Load an appointment inside the caller's row scope, without a lock."""
    return await tx.first(
        select(Appointment).where(Appointment.id == appointment_id, appointment_scope(principal))
    )


async def appointment_by_id(tx: Transaction, appointment_id: UUID) -> Appointment | None:
    """Load an appointment without a lock."""
    return await tx.get(Appointment, appointment_id)


async def first_appointments(tx: Transaction, referral_id: UUID) -> Sequence[Appointment]:
    """Lock and load every first appointment of a referral, missed and cancelled ones too, oldest first."""
    mine = (Appointment.referral_id == referral_id, Appointment.kind == AppointmentKind.FIRST)
    return await tx.all(_locked(select(Appointment).where(*mine).order_by(col(Appointment.id))))


async def guarantee_of(tx: Transaction, referral_id: UUID) -> Guarantee | None:
    """Lock and load the promise of a referral."""
    return await tx.first(_locked(select(Guarantee).where(Guarantee.referral_id == referral_id)))


async def series_of(tx: Transaction, referral_id: UUID) -> Series | None:
    """Lock and load the series of a referral."""
    return await tx.first(_locked(select(Series).where(Series.referral_id == referral_id)))


async def sessions_of(tx: Transaction, series_id: UUID) -> Sequence[Appointment]:
    """Lock and load every session of a series, earliest first."""
    mine = select(Appointment).where(Appointment.series_id == series_id)
    return await tx.all(_locked(mine.order_by(col(Appointment.starts_at), col(Appointment.id))))


async def funding_of(tx: Transaction, referral_id: UUID) -> Funding | None:
    """Load the payer's newest answer for a referral."""
    return await tx.get(Funding, referral_id)


async def waiting_at(tx: Transaction, site: str) -> Sequence[UUID]:
    """Name who waits at a site, in order of days left to the promise, then of waiting."""
    waits = (Appointment.site == site, Appointment.status == AppointmentStatus.WAITLIST)
    return await tx.all(
        select(Appointment.id)
        .join(Referral, col(Referral.id) == Appointment.referral_id)
        .where(*waits)
        .order_by(col(Referral.due_at), col(Appointment.id))
    )


async def guarantees_visible_to(
    tx: Transaction, principal: Principal, *, statuses: Sequence[str]
) -> Sequence[tuple[Guarantee, Referral, Appointment | None]]:
    """Load the promises a caller may see with referral and first appointment, most urgent first."""
    live = (col(Appointment.kind) == AppointmentKind.FIRST, col(Appointment.status).in_(LIVE_FIRST))
    found: Any = (
        select(Guarantee, Referral, Appointment)
        .join(Referral, col(Referral.id) == Guarantee.referral_id)
        .outerjoin(Appointment, (col(Appointment.referral_id) == Guarantee.referral_id) & live[0] & live[1])
        .where(guarantee_scope(principal))
        .order_by(col(Referral.due_at), col(Guarantee.id))
    )
    if statuses:
        found = found.where(col(Guarantee.status).in_(statuses))
    rows: Sequence[Any] = (await tx.execute(found)).all()
    return [(guarantee, referral, first) for guarantee, referral, first in rows]


def _locked(statement: Select[T]) -> Select[T]:
    return statement.with_for_update().execution_options(populate_existing=True)
