"""Read, history and search of everything that careteam owns, inside the row scope."""

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


def _patient(column: object) -> dict[str, SearchParam]:
    by_patient = SearchParam(kind="reference", column=column, types=("Patient",))
    return {"patient": by_patient, "subject": by_patient}


def _referral(column: object) -> dict[str, SearchParam]:
    return {"based-on": SearchParam(kind="reference", column=column, types=("ServiceRequest",))}


def _token(column: object) -> SearchParam:
    return SearchParam(kind="token", column=column)


def _date(column: object) -> SearchParam:
    return SearchParam(kind="date", column=column)


def _person(column: object) -> SearchParam:
    return SearchParam(kind="reference", column=column, types=("Practitioner",))


add_reads(
    router,
    resource_type="CareTeam",
    model=TeamTable,
    visible=scope.team,
    rows=_TEAMS,
    params={
        **_patient(col(TeamTable.patient_id)),
        "status": _token(col(TeamTable.status)),
        "identifier": SearchParam(kind="tokens", column=col(TeamTable.identifiers)),
    },
)
add_reads(
    router,
    resource_type="CarePlan",
    model=PlanTable,
    visible=scope.plan,
    rows=_TEAMS,
    params={
        **_patient(col(PlanTable.patient_id)),
        **_referral(col(PlanTable.referral_id)),
        "status": _token(col(PlanTable.status)),
        "care-team": SearchParam(kind="reference", column=col(PlanTable.team_id), types=("CareTeam",)),
    },
)
add_reads(
    router,
    resource_type="Goal",
    model=GoalTable,
    visible=scope.goal,
    rows=_TEAMS,
    params={
        **_patient(col(GoalTable.patient_id)),
        "lifecycle-status": _token(col(GoalTable.lifecycle_status)),
    },
)
add_reads(
    router,
    resource_type="Observation",
    model=OutcomeTable,
    visible=scope.outcome,
    rows=_TEAMS,
    params={
        **_patient(col(OutcomeTable.patient_id)),
        **_referral(col(OutcomeTable.referral_id)),
        "code": _token(col(OutcomeTable.code)),
        "date": _date(col(OutcomeTable.effective_at)),
    },
)
add_reads(
    router,
    resource_type="QuestionnaireResponse",
    model=AnswersTable,
    visible=scope.answers,
    rows=_TEAMS,
    params={
        **_patient(col(AnswersTable.patient_id)),
        **_referral(col(AnswersTable.referral_id)),
        "authored": _date(col(AnswersTable.authored_at)),
    },
)
add_reads(
    router,
    resource_type="Task",
    model=CareTaskTable,
    visible=scope.task,
    rows="a clinician's own teams and the cases of meetings they chair; a coordinator's site",
    params={
        **_patient(col(CareTaskTable.patient_id)),
        **_referral(col(CareTaskTable.referral_id)),
        "owner": _person(col(CareTaskTable.owner)),
        "status": _token(col(CareTaskTable.status)),
        "business-status": _token(col(CareTaskTable.state)),
        "code": _token(col(CareTaskTable.code)),
        "authored-on": _date(col(CareTaskTable.authored_at)),
    },
)
add_reads(
    router,
    resource_type="Communication",
    model=MessageTable,
    visible=scope.message,
    rows="messages of the clinician's own teams",
    params={
        **_patient(col(MessageTable.patient_id)),
        **_referral(col(MessageTable.referral_id)),
        "sender": _person(col(MessageTable.sender)),
        "sent": _date(col(MessageTable.sent_at)),
    },
)
add_reads(
    router,
    resource_type="Appointment",
    model=MeetingTable,
    visible=scope.meeting,
    rows="meetings that a clinician takes part in; a coordinator's site",
    params={"status": _token(col(MeetingTable.status)), "date": _date(col(MeetingTable.starts_at))},
)
add_reads(
    router,
    resource_type="Composition",
    model=MinutesTable,
    visible=scope.minutes,
    rows="minutes of meetings that a clinician chaired or attended; a coordinator's site",
    params={"status": _token(col(MinutesTable.status)), "date": _date(col(MinutesTable.dated_at))},
)
add_reads(
    router,
    resource_type="Provenance",
    model=DecisionTable,
    visible=scope.decision,
    rows=_TEAMS,
    params={
        "target": SearchParam(
            kind="reference", column=col(DecisionTable.target), types=("Task", "Composition")
        ),
        "recorded": _date(col(DecisionTable.recorded_at)),
    },
)
