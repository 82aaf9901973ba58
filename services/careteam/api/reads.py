"""Read, history and search of everything that careteam owns, inside the row scope."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import col

from services.careteam.fhir.elements import CASE_STATUS_SYSTEM
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
from shared.fhir.codes import LOINC, TASK_CODE_SYSTEM
from shared.fhir.search import Include, SearchParam
from shared.fhir.status_systems import STATUS_SYSTEMS
from shared.http.resources import add_reads

router = APIRouter()


def _reference(column: object, *types: str) -> SearchParam:
    return SearchParam(kind="reference", column=column, types=types)


def _token(column: object, *, system: str) -> SearchParam:
    return SearchParam(kind="token", column=column, system=system)


def _coding(column: object, *, system: str) -> SearchParam:
    return SearchParam(kind="coding", column=column, system=system)


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
        "status": _token(col(TeamTable.status), system=STATUS_SYSTEMS["CareTeam"]),
        "identifier": SearchParam(kind="tokens", column=col(TeamTable.identifiers)),
    },
    PlanTable: _patient_and_referral(PlanTable)
    | {
        "status": _token(col(PlanTable.status), system=STATUS_SYSTEMS["CarePlan"]),
        "care-team": _reference(col(PlanTable.team_id), "CareTeam"),
    },
    GoalTable: _patient(GoalTable)
    | {"lifecycle-status": _token(col(GoalTable.lifecycle_status), system=STATUS_SYSTEMS["Goal"])},
    OutcomeTable: _patient_and_referral(OutcomeTable)
    | {"code": _coding(col(OutcomeTable.code), system=LOINC), "date": _date(col(OutcomeTable.effective_at))},
    AnswersTable: _patient_and_referral(AnswersTable) | {"authored": _date(col(AnswersTable.authored_at))},
    CareTaskTable: _patient_and_referral(CareTaskTable)
    | {
        "owner": _reference(col(CareTaskTable.owner), "Practitioner"),
        "status": _token(col(CareTaskTable.status), system=STATUS_SYSTEMS["Task"]),
        "business-status": _coding(col(CareTaskTable.state), system=CASE_STATUS_SYSTEM),
        "code": _coding(col(CareTaskTable.code), system=TASK_CODE_SYSTEM),
        "authored-on": _date(col(CareTaskTable.authored_at)),
    },
    MessageTable: _patient_and_referral(MessageTable)
    | {
        "sender": _reference(col(MessageTable.sender), "Practitioner"),
        "sent": _date(col(MessageTable.sent_at)),
    },
    MeetingTable: {
        "status": _token(col(MeetingTable.status), system=STATUS_SYSTEMS["Appointment"]),
        "date": _date(col(MeetingTable.starts_at)),
    },
    MinutesTable: {
        "status": _token(col(MinutesTable.status), system=STATUS_SYSTEMS["Composition"]),
        "date": _date(col(MinutesTable.dated_at)),
    },
    DecisionTable: {
        "target": _reference(col(DecisionTable.target), "Task", "Composition", "CarePlan"),
        "recorded": _date(col(DecisionTable.recorded_at)),
    },
}

_INCLUDES: dict[Any, dict[str, Include]] = {
    PlanTable: {
        "CarePlan:care-team": Include(
            resource_type="CareTeam", model=TeamTable, column=col(PlanTable.team_id), visible=scope.team
        )
    },
    DecisionTable: {
        f"Provenance:target:{target}": Include(
            resource_type=target, model=table, column=col(DecisionTable.target), visible=visible
        )
        for target, table, visible in (
            ("Task", CareTaskTable, scope.task),
            ("Composition", MinutesTable, scope.minutes),
            ("CarePlan", PlanTable, scope.plan),
        )
    },
}

for resource_type, table, visible, rows in (
    ("CareTeam", TeamTable, scope.team, scope.TEAM_ROWS),
    ("CarePlan", PlanTable, scope.plan, scope.TEAM_ROWS),
    ("Goal", GoalTable, scope.goal, scope.TEAM_ROWS),
    ("Observation", OutcomeTable, scope.outcome, scope.TEAM_ROWS),
    ("QuestionnaireResponse", AnswersTable, scope.answers, scope.TEAM_ROWS),
    ("Task", CareTaskTable, scope.task, scope.TASK_ROWS),
    ("Communication", MessageTable, scope.message, scope.TEAM_ROWS),
    ("Appointment", MeetingTable, scope.meeting, scope.MEETING_ROWS),
    ("Composition", MinutesTable, scope.minutes, scope.MINUTES_ROWS),
    ("Provenance", DecisionTable, scope.decision, scope.TEAM_ROWS),
):
    add_reads(
        router,
        resource_type=resource_type,
        model=table,
        visible=visible,
        rows=rows,
        params=_PARAMS[table],
        includes=_INCLUDES.get(table, {}),
    )
