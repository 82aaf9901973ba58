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
    ("CareTeam", TeamTable, scope.team, scope.TEAM_ROWS),
    ("CarePlan", PlanTable, scope.plan, scope.TEAM_ROWS),
    ("Goal", GoalTable, scope.goal, scope.TEAM_ROWS),
    ("Observation", OutcomeTable, scope.outcome, scope.TEAM_ROWS),
    ("QuestionnaireResponse", AnswersTable, scope.answers, scope.TEAM_ROWS),
    ("Task", CareTaskTable, scope.task, scope.TASK_ROWS),
    ("Communication", MessageTable, scope.message, scope.MESSAGE_ROWS),
    ("Appointment", MeetingTable, scope.meeting, scope.MEETING_ROWS),
    ("Composition", MinutesTable, scope.minutes, scope.MINUTES_ROWS),
    ("Provenance", DecisionTable, scope.decision, scope.TEAM_ROWS),
):
    add_reads(
        router, resource_type=resource_type, model=table, visible=visible, rows=rows, params=_PARAMS[table]
    )
