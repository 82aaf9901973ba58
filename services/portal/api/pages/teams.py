"""What a member does for a patient of their team: a message, a case for the next meeting, a score."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.portal import labels
from services.portal.acts import Wrong, acts_of
from services.portal.api.page import Page, form_page
from services.portal.api.security import safe_path
from services.portal.calls import NotThere
from services.portal.questionnaires import Group, answered, groups_of
from services.portal.reading import Resource
from services.portal.typed import whole_number
from shared.fhir.codes import LOINC, LUMBAR

_PAIN = {"system": LOINC, "code": "72514-3"}
_ITEM = {"system": f"{LUMBAR}/CodeSystem/task-code", "code": "agenda-item"}
_PATHS = {
    "write": "/careteam/fhir/Communication",
    "bring-case": "/careteam/fhir/Task",
    "record-rating": "/careteam/fhir/Observation",
    "record-answers": "/careteam/fhir/QuestionnaireResponse",
}
_QUESTIONNAIRES = ("oswestry", "start-back")


async def show(page: Page) -> Response:
    """Show the form of what is done."""
    return await _shown(page)


async def send(page: Page) -> Response:
    """Do it by one call, and lead back to the patient."""
    name = page.param("act")
    team, groups = await _team(page), await _groups(page)
    body, wrong = _body(page, name, team, groups)
    if wrong:
        return await _shown(page.with_wrong(wrong), status=422)
    answer = await page.calls.send("POST", _PATHS[name], body, key=page.once)
    if not answer.is_good:
        return await _shown(page.refused(answer), status=422)
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    return page.go(_back(page), done=name)


ROUTES = (form_page("/teams/{id}/{act}", show, send, parties=("clinician",)),)


async def _shown(page: Page, *, status: int = 200) -> Response:
    name, team = page.param("act"), await _team(page)
    address = f"/careteam/fhir/CareTeam/{page.param('id')}"
    offered = await page.calls.get(f"{address}/$available-actions")
    acts = {one.name: one for one in acts_of(offered.body)} if offered.is_good else {}
    return page.render(
        "pages/team_act.html",
        status=status,
        name=name,
        act=acts.get(name),
        team=team,
        groups=await _groups(page),
        questionnaire=_questionnaire(page),
        questionnaires=_QUESTIONNAIRES,
        back=_back(page),
    )


async def _team(page: Page) -> Resource:
    if page.param("act") not in _PATHS:
        raise NotThere(page.param("act"))
    team: Resource = (await page.calls.must_get(f"/careteam/fhir/CareTeam/{page.param('id')}")).body
    return team


def _questionnaire(page: Page) -> str:
    wanted = page.value("questionnaire") or page.query.get("questionnaire", "")
    return wanted if wanted in _QUESTIONNAIRES else _QUESTIONNAIRES[0]


async def _groups(page: Page) -> list[Group]:
    if page.param("act") != "record-answers":
        return []
    answer = await page.calls.must_get(f"/careteam/fhir/Questionnaire/{_questionnaire(page)}")
    return groups_of(answer.body)


def _body(page: Page, name: str, team: Resource, groups: list[Group]) -> tuple[dict[str, Any], list[Wrong]]:
    """Make what is sent, and what in the form is missing or wrong."""
    if name == "record-answers":
        return _answers(page, team, groups)
    return {"write": _message, "bring-case": _case, "record-rating": _rating}[name](page, team)


def _answers(page: Page, team: Resource, groups: list[Group]) -> tuple[dict[str, Any], list[Wrong]]:
    items, wrong = answered(groups, page.typed)
    made = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{LUMBAR}/Questionnaire/{_questionnaire(page)}",
        "status": "completed",
        "authored": page.now.isoformat(timespec="seconds"),
        "item": items,
    }
    return made | _about(team), wrong


def _rating(page: Page, team: Resource) -> tuple[dict[str, Any], list[Wrong]]:
    score = whole_number(page.value("score").strip())
    made = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [_PAIN]},
        "effectiveDateTime": page.now.isoformat(timespec="seconds"),
    }
    if score is None or score > 10:
        return {}, [Wrong(name="score", text=labels.PAIN_SCORE)]
    return made | {"valueInteger": score} | _about(team), []


def _message(page: Page, team: Resource) -> tuple[dict[str, Any], list[Wrong]]:
    text = page.value("text").strip()
    recipients = [{"reference": one} for one in page.values("recipient")]
    made: dict[str, Any] = {
        "resourceType": "Communication",
        "status": "completed",
        "payload": [{"contentString": text}],
        **({"recipient": recipients} if recipients else {}),
    }
    return made | _about(team), _needed(text)


def _case(page: Page, team: Resource) -> tuple[dict[str, Any], list[Wrong]]:
    text = page.value("text").strip()
    made = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "plan",
        "code": {"coding": [_ITEM]},
        "for": team["subject"],
        "basedOn": [_referral(team)],
        "reasonCode": {"text": text},
    }
    return made, _needed(text)


def _needed(text: str) -> list[Wrong]:
    return [] if text else [Wrong(name="text", text=labels.NEEDED)]


def _about(team: Resource) -> dict[str, Any]:
    return {"subject": team["subject"], "basedOn": [_referral(team)]}


def _referral(team: Resource) -> Mapping[str, Any]:
    """Name the referral that a team is for."""
    value = next((one["value"] for one in team.get("identifier", ()) if one.get("value")), "")
    return {"reference": f"ServiceRequest/{value}"}


def _back(page: Page) -> str:
    return safe_path(page.value("back") or page.query.get("back"), otherwise="/patients")
