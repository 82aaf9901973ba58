"""Read, history and search of everything that careteam owns, inside the row scope."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import col

from services.careteam.models.tables import (
    AnswersTable,
    CareTaskTable,
    DecisionTable,
    GoalTable,
    MeetingTable,
    MessageTable,
    MinutesTable,
    OutcomeTable,
    PlanTable,
    TeamTable,
)
from services.careteam.queries import scope
from shared.fhir.search import SearchParam
from shared.http.resources import add_reads

router = APIRouter()
_TEAMS = "a clinician's own teams; a coordinator's site"
_TASKS = "a clinician's own teams and the cases of meetings they chair; a coordinator's site"
_MESSAGES = "messages of the clinician's own teams"
_MEETINGS = "meetings that a clinician takes part in; a coordinator's site"
_MINUTES = "minutes of meetings that a clinician chaired or attended; a coordinator's site"


def _reference(column: object, *types: str) -> SearchParam:
    return SearchParam(kind="reference", column=column, types=types)


def _token(column: object) -> SearchParam:
    return SearchParam(kind="token", column=column)


def _date(column: object) -> SearchParam:
    return SearchParam(kind="date", column=column)


def _patient(table: Any) -> dict[str, SearchParam]:
    by_patient = _reference(col(table.patient_id), "Patient")
    return {"patient": by_patient, "subject": by_patient}


def _patient_and_referral(table: Any) -> dict[str, SearchParam]:
    return _patient(table) | {"based-on": _reference(col(table.referral_id), "ServiceRequest")}


_PARAMS: dict[Any, dict[str, SearchParam]] = {
    TeamTable: _patient(TeamTable)
    | {
        "status": _token(col(TeamTable.status)),
        "identifier": SearchParam(kind="tokens", column=col(TeamTable.identifiers)),
    },
    PlanTable: _patient_and_referral(PlanTable)
    | {
        "status": _token(col(PlanTable.status)),
        "care-team": _reference(col(PlanTable.team_id), "CareTeam"),
    },
    GoalTable: _patient(GoalTable) | {"lifecycle-status": _token(col(GoalTable.lifecycle_status))},
    OutcomeTable: _patient_and_referral(OutcomeTable)
    | {"code": _token(col(OutcomeTable.code)), "date": _date(col(OutcomeTable.effective_at))},
    AnswersTable: _patient_and_referral(AnswersTable) | {"authored": _date(col(AnswersTable.authored_at))},
    CareTaskTable: _patient_and_referral(CareTaskTable)
    | {
        "owner": _reference(col(CareTaskTable.owner), "Practitioner"),
        "status": _token(col(CareTaskTable.status)),
        "business-status": _token(col(CareTaskTable.state)),
        "code": _token(col(CareTaskTable.code)),
        "authored-on": _date(col(CareTaskTable.authored_at)),
    },
    MessageTable: _patient_and_referral(MessageTable)
    | {
        "sender": _reference(col(MessageTable.sender), "Practitioner"),
        "sent": _date(col(MessageTable.sent_at)),
    },
    MeetingTable: {"status": _token(col(MeetingTable.status)), "date": _date(col(MeetingTable.starts_at))},
    MinutesTable: {"status": _token(col(MinutesTable.status)), "date": _date(col(MinutesTable.dated_at))},
    DecisionTable: {
        "target": _reference(col(DecisionTable.target), "Task", "Composition"),
        "recorded": _date(col(DecisionTable.recorded_at)),
    },
}

for resource_type, table, visible, rows in (
    ("CareTeam", TeamTable, scope.team, _TEAMS),
    ("CarePlan", PlanTable, scope.plan, _TEAMS),
    ("Goal", GoalTable, scope.goal, _TEAMS),
    ("Observation", OutcomeTable, scope.outcome, _TEAMS),
    ("QuestionnaireResponse", AnswersTable, scope.answers, _TEAMS),
    ("Task", CareTaskTable, scope.task, _TASKS),
    ("Communication", MessageTable, scope.message, _MESSAGES),
    ("Appointment", MeetingTable, scope.meeting, _MEETINGS),
    ("Composition", MinutesTable, scope.minutes, _MINUTES),
    ("Provenance", DecisionTable, scope.decision, _TEAMS),
):
    add_reads(
        router, resource_type=resource_type, model=table, visible=visible, rows=rows, params=_PARAMS[table]
    )
