"""The row scope: which rows a caller may see, as SQL, and the same for every read, search and command.

- A clinician: what belongs to teams where they are a member now, or were until the team's own end; who left
  before sees nothing of it from that moment on. Meetings they take part in, and the cases of meetings they
  chair. Minutes of meetings that they chaired or attended.
- A coordinator: what belongs to their site, without the team's messages.
- Everybody else: nothing, which answers 404 and is in no total.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlmodel import col

from services.careteam.models import (
    Answers,
    CareTask,
    Decision,
    Goal,
    Meeting,
    MeetingParticipant,
    Message,
    Minutes,
    Outcome,
    Plan,
    Team,
    TeamMember,
)
from shared.auth.principal import Principal
from shared.fhir.codes import TaskCode


def team(principal: Principal) -> ColumnElement[bool]:
    """Teams that the caller may see."""
    return _in_teams(col(Team.id), principal)


def plan(principal: Principal) -> ColumnElement[bool]:
    """Plans of those teams."""
    return _in_teams(col(Plan.team_id), principal)


def goal(principal: Principal) -> ColumnElement[bool]:
    """Goals of those teams' plans."""
    return _in_teams(col(Goal.team_id), principal)


def outcome(principal: Principal) -> ColumnElement[bool]:
    """Scored outcomes of those teams' patients."""
    return _in_teams(col(Outcome.team_id), principal)


def answers(principal: Principal) -> ColumnElement[bool]:
    """Questionnaires that those teams' patients answered."""
    return _in_teams(col(Answers.team_id), principal)


def message(principal: Principal) -> ColumnElement[bool]:
    """Messages of teams that the caller is a member of; a coordinator is of none."""
    if principal.party != "clinician":
        return false()
    return _in_teams(col(Message.team_id), principal)


def task(principal: Principal) -> ColumnElement[bool]:
    """Cases and actions of those teams, and the cases of meetings that the caller chairs."""
    of_teams = _in_teams(col(CareTask.team_id), principal)
    if principal.party != "clinician":
        return of_teams
    chaired = select(col(Meeting.id)).where(col(Meeting.chair) == principal.practitioner)
    return or_(
        of_teams,
        and_(col(CareTask.code) == TaskCode.AGENDA_ITEM, col(CareTask.meeting_id).in_(chaired)),
    )


def meeting(principal: Principal) -> ColumnElement[bool]:
    """Meetings that a clinician takes part in, or those of a coordinator's site."""
    if principal.party == "clinician":
        return col(Meeting.id).in_(_meetings_of(principal, attended=False))
    return _of_site(col(Meeting.site), principal)


def minutes(principal: Principal) -> ColumnElement[bool]:
    """Minutes of meetings that a clinician chaired or attended, or those of a coordinator's site."""
    if principal.party == "clinician":
        return col(Minutes.meeting_id).in_(_meetings_of(principal, attended=True))
    return _of_site(col(Minutes.site), principal)


def decision(principal: Principal) -> ColumnElement[bool]:
    """Provenance of what the caller may see."""
    about_patients = _in_teams(col(Decision.team_id), principal)
    if principal.party == "clinician":
        meetings: Any = _meetings_of(principal, attended=True)
    else:
        meetings = select(col(Meeting.id)).where(_of_site(col(Meeting.site), principal))
    about_meetings = and_(col(Decision.team_id).is_(None), col(Decision.meeting_id).in_(meetings))
    return or_(about_patients, about_meetings)


def _in_teams(column: Any, principal: Principal) -> ColumnElement[bool]:
    if principal.party == "clinician" and principal.practitioner is not None:
        mine = select(col(TeamMember.team_id)).where(
            col(TeamMember.practitioner) == principal.practitioner, col(TeamMember.left_at).is_(None)
        )
        return _is_in(column, mine)
    if principal.party == "coordinator" and principal.site is not None:
        return _is_in(column, select(col(Team.id)).where(col(Team.site) == principal.site))
    return false()


def _meetings_of(principal: Principal, *, attended: bool) -> Any:
    chaired = select(col(Meeting.id)).where(col(Meeting.chair) == principal.practitioner)
    invited = select(col(MeetingParticipant.meeting_id)).where(
        col(MeetingParticipant.practitioner) == principal.practitioner
    )
    if attended:
        invited = invited.where(col(MeetingParticipant.attended))
    return chaired.union(invited)


def _of_site(column: Any, principal: Principal) -> ColumnElement[bool]:
    if principal.party != "coordinator" or principal.site is None:
        return false()
    matches: ColumnElement[bool] = column == principal.site
    return matches


def _is_in(column: Any, ids: Select[Any]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_(ids)
    return found
