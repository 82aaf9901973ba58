"""What stands in the calendar of a site, inside the caller's row scope."""

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlmodel import col

from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.models.tables import AppointmentTable
from services.scheduling.queries import scope
from services.scheduling.states import LIVE_FIRST, UNTIMED, AppointmentStatus
from shared.auth.principal import Principal
from shared.db import Transaction, core

# What took a time, or was to; who was called off or waits stands in no calendar.
SHOWN = [status for status in (*LIVE_FIRST, AppointmentStatus.MISSED) if status not in UNTIMED]


_LEFT_UNSEEN = [{"code": "left-unseen"}]


async def of_the_desk(
    tx: Transaction, principal: Principal, *, site: str, window: Span
) -> Sequence[Appointment]:
    """Read the appointments that begin inside a window, and those that a patient left without being seen."""
    columns = core.columns(AppointmentTable)
    wanted = select(*columns).where(
        scope.appointments(principal),
        columns.site == site,
        columns.starts_at >= window.start,
        columns.starts_at < window.end,
        or_(
            col(AppointmentTable.status).in_(SHOWN),
            and_(columns.status == AppointmentStatus.CANCELLED, columns.reasons.contains(_LEFT_UNSEEN)),
        ),
    )
    found = await tx.select(wanted.order_by(columns.starts_at, columns.id))
    return [Appointment(**record) for record in found]


async def appointments(
    tx: Transaction,
    principal: Principal,
    *,
    site: str,
    window: Span,
    practitioner: str | None,
    room: str | None,
) -> Sequence[Appointment]:
    """Read the appointments that begin inside a window, the earliest first; no visit goes over midnight."""
    columns = core.columns(AppointmentTable)
    wanted = select(*columns).where(
        scope.appointments(principal),
        columns.site == site,
        columns.starts_at >= window.start,
        columns.starts_at < window.end,
        col(AppointmentTable.status).in_(SHOWN),
    )
    if practitioner is not None:
        joined = col(AppointmentTable.colleagues).contains([practitioner])
        wanted = wanted.where(or_(columns.practitioner == practitioner, joined))
    if room is not None:
        wanted = wanted.where(columns.room == room)
    found = await tx.select(wanted.order_by(columns.starts_at, columns.id))
    return [Appointment(**record) for record in found]
