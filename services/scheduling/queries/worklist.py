"""What people of a site have to do around visits: which rows, in which order an index gives them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from services.scheduling.models.rows import Appointment, ReplanTask, Series, TellingTask
from services.scheduling.models.tables import AppointmentTable, GuaranteeTable, SeriesTable
from services.scheduling.models.task_tables import (
    OfferTable,
    ReplanTaskTable,
    TellingTaskTable,
    VisitTaskTable,
)
from services.scheduling.queries import scope
from services.scheduling.states import STANDING
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.fhir.worklists import Urgency, WorklistSource, fixed

_APPOINTMENTS = "SELECT * FROM appointment WHERE id = ANY($1::uuid[])"
_FIRSTS = """
SELECT * FROM appointment
WHERE referral_id = ANY($1::uuid[]) AND kind IN ('first', 'joint-first')
  AND held_until IS NULL ORDER BY id
"""
_TASKS = "SELECT * FROM replan_task WHERE id = ANY($1::uuid[])"
_SERIES = "SELECT * FROM series WHERE id = ANY($1::uuid[])"
_TELLING = "SELECT * FROM telling_task WHERE id = ANY($1::uuid[])"


def sources(principal: Principal, *, at: datetime, record_within: timedelta) -> list[WorklistSource]:
    """List the kinds that a caller has: a coordinator all of the site's, a clinician the own visits."""
    if principal.party == "clinician":
        own = col(AppointmentTable.practitioner) == principal.practitioner
        return [_unrecorded(own, at=at, record_within=record_within)]
    return [
        WorklistSource(
            kind="guarantee",
            resource_type="Task",
            urgency=Urgency.RISK,
            id=col(GuaranteeTable.id),
            since=col(GuaranteeTable.unbooked_since),
            due=col(GuaranteeTable.due_at),
            where=and_(scope.guarantees(principal), col(GuaranteeTable.unbooked_since).is_not(None)),
        ),
        WorklistSource(
            kind="waitlist",
            resource_type="Appointment",
            urgency=Urgency.WAITING,
            id=col(AppointmentTable.id),
            since=col(AppointmentTable.waits_since),
            due=col(AppointmentTable.due_at),
            where=and_(scope.appointments(principal), fixed(AppointmentTable.status, "waitlist")),
        ),
        _tasks("replan", ReplanTaskTable, visible=scope.replan_tasks(principal)),
        _tasks("tell", TellingTaskTable, visible=scope.telling_tasks(principal), due=TellingTaskTable.due_at),
        _tasks("offer", OfferTable, visible=scope.tasks(principal, table=OfferTable), due=OfferTable.due_at),
        WorklistSource(
            kind="series",
            resource_type="List",
            urgency=Urgency.TURN,
            id=col(SeriesTable.id),
            since=col(SeriesTable.short_since),
            where=and_(scope.series(principal), col(SeriesTable.short_since).is_not(None)),
        ),
        _tasks(
            "recall",
            VisitTaskTable,
            visible=and_(scope.tasks(principal, table=VisitTaskTable), fixed(VisitTaskTable.code, "recall")),
            due=VisitTaskTable.due_at,
        ),
        _unrecorded(scope.appointments(principal), at=at, record_within=record_within),
    ]


async def appointments(tx: Transaction, ids: Collection[UUID]) -> Sequence[Appointment]:
    """Read appointments by their ids, without a lock."""
    return await tx.rows(Appointment, _APPOINTMENTS, list(ids))


async def firsts_of(tx: Transaction, referral_ids: Collection[UUID]) -> Sequence[Appointment]:
    """Read every first appointment of these referrals, the oldest first, without a lock."""
    return await tx.rows(Appointment, _FIRSTS, list(referral_ids))


async def replan_tasks(tx: Transaction, ids: Collection[UUID]) -> Sequence[ReplanTask]:
    """Read Tasks that name visits which no longer fit, without a lock."""
    return await tx.rows(ReplanTask, _TASKS, list(ids))


async def series(tx: Transaction, ids: Collection[UUID]) -> Sequence[Series]:
    """Read series that somebody has to see to, without a lock."""
    return await tx.rows(Series, _SERIES, list(ids))


async def telling_tasks(tx: Transaction, ids: Collection[UUID]) -> Sequence[TellingTask]:
    """Read Tasks that ask to tell a patient a day, without a lock."""
    return await tx.rows(TellingTask, _TELLING, list(ids))


def _tasks(kind: str, table: Any, *, visible: ColumnElement[bool], due: Any = None) -> WorklistSource:
    """List the open Tasks of a table that a caller sees."""
    return WorklistSource(
        kind=kind,
        resource_type="Task",
        urgency=Urgency.TURN,
        id=col(table.id),
        since=col(table.opened_at),
        due=None if due is None else col(due),
        where=and_(visible, fixed(table.status, "requested")),
    )


def _unrecorded(visible: ColumnElement[bool], *, at: datetime, record_within: timedelta) -> WorklistSource:
    ends = col(AppointmentTable.ends_at)
    return WorklistSource(
        kind="unrecorded",
        resource_type="Appointment",
        urgency=Urgency.TURN,
        id=col(AppointmentTable.id),
        since=col(AppointmentTable.ends_at),
        due=col(AppointmentTable.ends_at),
        due_after=record_within,
        where=and_(visible, fixed(AppointmentTable.status, *STANDING), ends.is_not(None), ends <= at),
    )
