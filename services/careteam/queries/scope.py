"""The row scope: which rows a caller may see, as SQL, and the same for every read, search and command.

- A clinician: what belongs to teams where they are a member now, or were until the team's own end; who left
  before sees nothing of it from that moment on. Meetings they take part in, and the cases of meetings they
  chair. Minutes of meetings that they chaired or attended.
- A coordinator: what belongs to their site, the messages of its teams too.
- Everybody else: nothing, which answers 404 and is in no total.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel, col

from services.careteam.models.tables import (
    AnswersTable,
    CareTaskTable,
    DecisionTable,
    GoalTable,
    MeetingParticipantTable,
    MeetingTable,
    MessageTable,
    MinutesTable,
    OutcomeTable,
    PlanTable,
    TeamMemberTable,
    TeamTable,
)
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.fhir.codes import TaskCode

TEAM_ROWS = "a clinician's own teams; a coordinator's site"
TASK_ROWS = "a clinician's own teams and the cases of meetings they chair; a coordinator's site"
MEETING_ROWS = "meetings that a clinician takes part in; a coordinator's site"
MINUTES_ROWS = "minutes of meetings that a clinician chaired or attended; a coordinator's site"

Row = TypeVar("Row", bound=SQLModel)
RowRule = Callable[[Principal], ColumnElement[bool]]


async def row(
    tx: Transaction,
    model: type[Row],
    table: type[SQLModel],
    row_id: UUID,
    *,
    within: ColumnElement[bool],
    lock: bool = False,
) -> Row | None:
    """Read or lock the row with this id inside a row scope, None where there is none or it is outside."""
    columns = core.columns(table)
    wanted = select(*columns).where(columns.id == row_id, within)
    found = await tx.select(wanted.with_for_update() if lock else wanted)
    return model(**found[0]) if found else None


def patients_of_site(site: str) -> Select[Any]:
    """Select the ids of a site's patients: whose AuditEvents its coordinators read."""
    return select(col(TeamTable.patient_id)).where(col(TeamTable.site) == site)


def team(principal: Principal) -> ColumnElement[bool]:
    """Teams that the caller may see."""
    return _in_teams(col(TeamTable.id), principal)


def _belonging_to_teams(table: Any) -> RowRule:
    def visible(principal: Principal) -> ColumnElement[bool]:
        return _in_teams(col(table.team_id), principal)

    return visible


# What belongs to those teams' patients.
plan = _belonging_to_teams(PlanTable)
goal = _belonging_to_teams(GoalTable)
outcome = _belonging_to_teams(OutcomeTable)
message = _belonging_to_teams(MessageTable)
answers = _belonging_to_teams(AnswersTable)


def task(principal: Principal) -> ColumnElement[bool]:
    """Cases and actions of those teams, and the cases of meetings that the caller chairs."""
    of_teams = _in_teams(col(CareTaskTable.team_id), principal)
    if principal.party != "clinician":
        return of_teams
    chaired = select(col(MeetingTable.id)).where(col(MeetingTable.chair) == principal.practitioner)
    return or_(
        of_teams,
        and_(col(CareTaskTable.code) == TaskCode.AGENDA_ITEM, col(CareTaskTable.meeting_id).in_(chaired)),
    )


def meeting(principal: Principal) -> ColumnElement[bool]:
    """Meetings that a clinician takes part in, or those of a coordinator's site."""
    if principal.party == "clinician":
        return col(MeetingTable.id).in_(_meetings_of(principal, attended=False))
    return _of_site(col(MeetingTable.site), principal)


def minutes(principal: Principal) -> ColumnElement[bool]:
    """Minutes of meetings that a clinician chaired or attended, or those of a coordinator's site."""
    if principal.party == "clinician":
        return col(MinutesTable.meeting_id).in_(_meetings_of(principal, attended=True))
    return _of_site(col(MinutesTable.site), principal)


def decision(principal: Principal) -> ColumnElement[bool]:
    """Provenance of what the caller may see."""
    about_patients = _in_teams(col(DecisionTable.team_id), principal)
    if principal.party == "clinician":
        meetings: Any = _meetings_of(principal, attended=True)
    else:
        meetings = select(col(MeetingTable.id)).where(_of_site(col(MeetingTable.site), principal))
    about_meetings = and_(col(DecisionTable.team_id).is_(None), col(DecisionTable.meeting_id).in_(meetings))
    return or_(about_patients, about_meetings)


def _in_teams(column: Mapped[Any], principal: Principal) -> ColumnElement[bool]:
    if principal.party == "clinician" and principal.practitioner is not None:
        mine = select(col(TeamMemberTable.team_id)).where(
            col(TeamMemberTable.practitioner) == principal.practitioner,
            col(TeamMemberTable.left_at).is_(None),
        )
        return column.in_(mine)
    if principal.party == "coordinator" and principal.site is not None:
        return column.in_(select(col(TeamTable.id)).where(col(TeamTable.site) == principal.site))
    return false()


def _meetings_of(principal: Principal, *, attended: bool) -> Any:
    chaired = select(col(MeetingTable.id)).where(col(MeetingTable.chair) == principal.practitioner)
    invited = select(col(MeetingParticipantTable.meeting_id)).where(
        col(MeetingParticipantTable.practitioner) == principal.practitioner
    )
    if attended:
        invited = invited.where(col(MeetingParticipantTable.attended))
    return chaired.union(invited)


def _of_site(column: Mapped[str], principal: Principal) -> ColumnElement[bool]:
    if principal.party != "coordinator" or principal.site is None:
        return false()
    return column == principal.site
