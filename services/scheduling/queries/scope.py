"""Row scopes as SQL: a coordinator's site, a clinician's teams and own visits, a referrer's own referrals, a
patient's own visits.

An insurer and an operator see nothing here.
"""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlmodel import col

from services.scheduling.models.tables import AppointmentTable, GuaranteeTable, ReferralTable, SeriesTable
from services.scheduling.models.task_tables import ReplanTaskTable, TellingTaskTable
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.db.models import Resource
from shared.fhir.search_values import as_uuid

Row = TypeVar("Row", bound=Resource)

APPOINTMENT_ROWS = (
    "a coordinator's site, a clinician's teams and own visits, a referrer's own referrals; nobody else any"
)
CHANGE_ROWS = "a coordinator's site, a clinician's own visits; what else a clinician sees is refused"
SERIES_ROWS = "as appointments; a clinician also those with a session of their own"
GUARANTEE_ROWS = "as appointments; a clinician also those of patients with a visit of their own"
REPLAN_ROWS = "the Tasks of the coordinator's site"
ROSTER_ROWS = "the roster of the coordinator's site"
TASK_ROWS = f"{GUARANTEE_ROWS}; those of a site its coordinators, calls to patients the clinic alone"


async def find(
    tx: Transaction,
    row: type[Row],
    row_id: UUID | str,
    *,
    table: type[Resource],
    visible: ColumnElement[bool],
    lock: bool = False,
) -> Row | None:
    """Find a row inside a scope, and lock it where that is wanted; what is no id of ours finds none."""
    key, columns = as_uuid(row_id), core.columns(table)
    if key is None:
        return None
    wanted = select(*columns).where(columns.id == key, visible)
    found = await tx.select(wanted.with_for_update() if lock else wanted)
    return row(**found[0]) if found else None


def patients_of_site(site: str) -> Select[Any]:
    """Select the ids of a site's patients: whose AuditEvents its coordinators read."""
    return select(col(ReferralTable.patient_id)).where(col(ReferralTable.site) == site)


def appointments(principal: Principal) -> ColumnElement[bool]:
    """The appointments that a caller may see."""
    return _scope(principal, table=AppointmentTable, own=_is_own(principal))


def referrals(principal: Principal) -> ColumnElement[bool]:
    """The referrals of which a caller sees the visits; a clinician also those with a visit of their own."""
    own = exists().where(col(AppointmentTable.referral_id) == col(ReferralTable.id), _is_own(principal))
    if principal.party == "clinician" and principal.practitioner is not None:
        return or_(own, col(ReferralTable.team).contains([principal.practitioner]))
    return _scope(principal, table=ReferralTable, own=own)


def series(principal: Principal) -> ColumnElement[bool]:
    """The series that a caller may see; a clinician also those with a session of their own."""
    own = exists().where(col(AppointmentTable.series_id) == col(SeriesTable.id), _is_own(principal))
    return _scope(principal, table=SeriesTable, own=own)


def guarantees(principal: Principal) -> ColumnElement[bool]:
    """The guarantees that a caller may see; a clinician also those of patients with a visit of their own."""
    own = exists().where(
        col(AppointmentTable.referral_id) == col(GuaranteeTable.referral_id), _is_own(principal)
    )
    return _scope(principal, table=GuaranteeTable, own=own)


def tasks(principal: Principal, *, table: Any) -> ColumnElement[bool]:
    """The Tasks that a caller may see, of whatever table; those of a site its coordinators."""
    own = exists().where(col(AppointmentTable.referral_id) == table.referral_id, _is_own(principal))
    return _scope(principal, table=table, own=own)


def telling_tasks(principal: Principal) -> ColumnElement[bool]:
    """The Tasks to telephone a patient: the clinic's own, with what the patient wrote to it."""
    if principal.party not in ("coordinator", "clinician"):
        return false()
    return tasks(principal, table=TellingTaskTable)


def replan_tasks(principal: Principal) -> ColumnElement[bool]:
    """The Tasks that name visits which no longer fit: a coordinator's site."""
    if principal.party != "coordinator":
        return false()
    return _scope(principal, table=ReplanTaskTable, own=false())


def _is_own(principal: Principal) -> ColumnElement[bool]:
    """The visits that a clinician leads, and the joint ones in which they are beside another."""
    colleagues = col(AppointmentTable.colleagues)
    return or_(
        col(AppointmentTable.practitioner) == principal.practitioner,
        and_(colleagues != [], colleagues.contains([principal.practitioner])),
    )


def _of_team(table: Any, practitioner: str) -> ColumnElement[bool]:
    """What belongs to referrals in whose care team this practitioner is."""
    mine = select(col(ReferralTable.id)).where(col(ReferralTable.team).contains([practitioner]))
    return col(table.referral_id).in_(mine)


def _scope(principal: Principal, *, table: Any, own: ColumnElement[bool]) -> ColumnElement[bool]:
    if principal.party == "coordinator" and principal.site is not None:
        return col(table.site) == principal.site
    if principal.party == "clinician" and principal.practitioner is not None:
        return or_(own, _of_team(table, principal.practitioner))
    if principal.party == "referrer" and principal.organization is not None:
        return col(table.requester) == principal.organization
    if principal.party == "patient" and principal.patient is not None:
        return col(table.patient_id) == principal.patient
    return false()
