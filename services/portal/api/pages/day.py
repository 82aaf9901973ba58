"""A clinician's day: visits, what is to be done, what waits for their decision, and the newest messages."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from services.portal import worklists
from services.portal.acts import Act, acts_of
from services.portal.api.page import Page, page
from services.portal.calls import Answer, resources, together
from services.portal.people import patients_of
from services.portal.reading import Resource, code_of, moment_of, patient_of

_OPEN = "requested,accepted,in-progress"
_ACTS_SHOWN = 12


async def show_day(page: Page) -> Response:
    """Show today, or another day (`?day=2026-03-02`)."""
    day = page.day
    begins = datetime.combine(day, time(), tzinfo=page.zone)
    ends = datetime.combine(day + timedelta(days=1), time(), tzinfo=page.zone)
    answers = await together(
        visits=page.calls.get(
            "/scheduling/fhir/Appointment",
            practitioner=page.person.fhir_user,
            date=[f"ge{begins.isoformat()}", f"lt{ends.isoformat()}"],
            _sort="date",
            _count=50,
        ),
        actions=_actions(page),
        triage=page.calls.get("/referral/fhir/Task", status="requested", _count=20),
        said=page.calls.get("/careteam/fhir/Communication", _sort="-sent", _count=5),
    )
    visits, actions = resources(answers["visits"]), resources(answers["actions"])
    triage, said = _triage(answers["triage"]), resources(answers["said"])
    about: list[Any] = [patient_of(visit) for visit in visits or ()]
    about += [one.get("for") for one in (*(actions or ()), *(triage or ()))]
    about += [one.get("subject") for one in said or ()]
    return page.render(
        "pages/day.html",
        day=day,
        earlier=day - timedelta(days=1),
        later=day + timedelta(days=1),
        visits=visits,
        patient_of=patient_of,
        acts=await _acts_of(page, visits or ()),
        actions=actions,
        is_late=lambda action: _is_late(page, action),
        triage=triage,
        said=said,
        patients=await patients_of(page.calls, about),
    )


async def show_actions(page: Page) -> Response:
    """Show the actions that the person owns, what is due first on top."""
    answers = await together(
        actions=page.calls.listed(
            "/careteam/fhir/Task",
            owner=page.person.fhir_user,
            code="action",
            _sort="-authored-on",
            _count=100,
        ),
        work=page.calls.get("/careteam/worklist", kind="action", _count=100),
    )
    actions, work = resources(answers["actions"]), worklists.read(answers["work"], "careteam")
    live = [one for one in actions or () if one["status"] in _OPEN.split(",")]
    return page.render(
        "pages/actions.html",
        is_readable=actions is not None,
        open=sorted(live, key=lambda one: _due(one) or "9999"),
        done=[one for one in actions or () if one not in live][:20],
        is_late=lambda action: _is_late(page, action),
        acts={row.resource.partition("/")[2]: row.acts for row in (work.rows if work else ())},
        patients=await patients_of(page.calls, [one.get("for") for one in actions or ()]),
    )


ROUTES = (
    page("/day", show_day, parties=("clinician",)),
    page("/actions", show_actions, parties=("clinician",)),
)


def _actions(page: Page) -> Any:
    return page.calls.get(
        "/careteam/fhir/Task", owner=page.person.fhir_user, code="action", status=_OPEN, _count=50
    )


def _triage(answer: Answer) -> list[dict[str, Any]] | None:
    tasks = resources(answer)
    wanted = ("review-referral", "urgent-triage")
    return None if tasks is None else [one for one in tasks if code_of(one.get("code")) in wanted]


def _due(action: Resource) -> str:
    return str(action.get("restriction", {}).get("period", {}).get("end", ""))


def _is_late(page: Page, action: Resource) -> bool:
    due = moment_of(_due(action))
    return due is not None and due < page.now


async def _acts_of(page: Page, visits: Sequence[Resource]) -> dict[str, list[Act]]:
    """Ask what may be done with each visit, side by side."""
    shown = {one["id"]: one["status"] for one in visits[:_ACTS_SHOWN]}
    address = "/scheduling/fhir/Appointment"
    answers = await together(
        **{visit_id: page.calls.get(f"{address}/{visit_id}/$available-actions") for visit_id in shown}
    )
    return {
        visit_id: acts_of(answer.body, status=shown[visit_id])
        for visit_id, answer in answers.items()
        if answer.is_good
    }
