"""Read, history and search of everything that careteam owns, inside the row scope."""

from fastapi import APIRouter
from sqlmodel import col

from services.careteam.models import (
    Answers,
    CareTask,
    Decision,
    Goal,
    Meeting,
    Message,
    Minutes,
    Outcome,
    Plan,
    Team,
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
    model=Team,
    visible=scope.team,
    rows=_TEAMS,
    params={
        **_patient(col(Team.patient_id)),
        "status": _token(col(Team.status)),
        "identifier": SearchParam(kind="tokens", column=col(Team.identifiers)),
    },
)
add_reads(
    router,
    resource_type="CarePlan",
    model=Plan,
    visible=scope.plan,
    rows=_TEAMS,
    params={
        **_patient(col(Plan.patient_id)),
        **_referral(col(Plan.referral_id)),
        "status": _token(col(Plan.status)),
        "care-team": SearchParam(kind="reference", column=col(Plan.team_id), types=("CareTeam",)),
    },
)
add_reads(
    router,
    resource_type="Goal",
    model=Goal,
    visible=scope.goal,
    rows=_TEAMS,
    params={
        **_patient(col(Goal.patient_id)),
        "lifecycle-status": _token(col(Goal.lifecycle_status)),
    },
)
add_reads(
    router,
    resource_type="Observation",
    model=Outcome,
    visible=scope.outcome,
    rows=_TEAMS,
    params={
        **_patient(col(Outcome.patient_id)),
        **_referral(col(Outcome.referral_id)),
        "code": _token(col(Outcome.code)),
        "date": _date(col(Outcome.effective_at)),
    },
)
add_reads(
    router,
    resource_type="QuestionnaireResponse",
    model=Answers,
    visible=scope.answers,
    rows=_TEAMS,
    params={
        **_patient(col(Answers.patient_id)),
        **_referral(col(Answers.referral_id)),
        "authored": _date(col(Answers.authored_at)),
    },
)
add_reads(
    router,
    resource_type="Task",
    model=CareTask,
    visible=scope.task,
    rows="a clinician's own teams and the cases of meetings they chair; a coordinator's site",
    params={
        **_patient(col(CareTask.patient_id)),
        **_referral(col(CareTask.referral_id)),
        "owner": _person(col(CareTask.owner)),
        "status": _token(col(CareTask.status)),
        "business-status": _token(col(CareTask.state)),
        "code": _token(col(CareTask.code)),
        "authored-on": _date(col(CareTask.authored_at)),
    },
)
add_reads(
    router,
    resource_type="Communication",
    model=Message,
    visible=scope.message,
    rows="messages of the clinician's own teams",
    params={
        **_patient(col(Message.patient_id)),
        **_referral(col(Message.referral_id)),
        "sender": _person(col(Message.sender)),
        "sent": _date(col(Message.sent_at)),
    },
)
add_reads(
    router,
    resource_type="Appointment",
    model=Meeting,
    visible=scope.meeting,
    rows="meetings that a clinician takes part in; a coordinator's site",
    params={"status": _token(col(Meeting.status)), "date": _date(col(Meeting.starts_at))},
)
add_reads(
    router,
    resource_type="Composition",
    model=Minutes,
    visible=scope.minutes,
    rows="minutes of meetings that a clinician chaired or attended; a coordinator's site",
    params={"status": _token(col(Minutes.status)), "date": _date(col(Minutes.dated_at))},
)
add_reads(
    router,
    resource_type="Provenance",
    model=Decision,
    visible=scope.decision,
    rows=_TEAMS,
    params={
        "target": SearchParam(kind="reference", column=col(Decision.target), types=("Task", "Composition")),
        "recorded": _date(col(Decision.recorded_at)),
    },
)
