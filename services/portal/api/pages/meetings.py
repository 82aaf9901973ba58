"""Case meetings: those to come and those that were, and one of them as it goes on, live for all in it."""

from collections.abc import Sequence

from starlette.responses import Response

from services.portal.act_forms import body_of
from services.portal.acts import Act, acts_of
from services.portal.api.page import Page, form_page, page
from services.portal.calls import resources, together
from services.portal.people import patients_of
from services.portal.reading import Resource, code_of, id_of, local
from services.portal.typed import rows_shown
from shared.fhir.codes import LUMBAR

STATE_EXTENSION = f"{LUMBAR}/StructureDefinition/meeting-state"
CASE_STATUS = f"{LUMBAR}/CodeSystem/case-status"
_DECIDED = ("decided", "carried-over", "dropped")


async def show_list(page: Page) -> Response:
    """Show the meetings of the person, the next one first, then those that were."""
    found = await page.calls.listed("/careteam/fhir/Appointment", _sort="-date", _count=50)
    meetings = resources(found)
    now = page.now.isoformat()
    later = [one for one in meetings or () if one.get("end", "") >= now]
    return page.render(
        "pages/meetings.html",
        is_readable=meetings is not None,
        to_come=[(one, state_of(one)) for one in reversed(later)],
        past=[(one, state_of(one)) for one in meetings or () if one not in later],
    )


async def show_one(page: Page) -> Response:
    """Show a meeting: its agenda, the case that is looked at, who is there."""
    return await _shown(page)


async def decide(page: Page) -> Response:
    """Decide the case that is looked at, and go on to the next one."""
    if page.value("more"):
        return await _shown(page)
    address = f"/careteam/fhir/Appointment/{page.param('id')}"
    acts = acts_of((await page.calls.must_get(f"{address}/$available-actions")).body)
    act = next((one for one in acts if one.name == "decide"), None)
    if act is None:
        return page.render("pages/refused.html", status=403)
    body, wrong = body_of(act, page.typed, current=None, zone=page.zone)
    if wrong:
        return await _shown(page.with_wrong(wrong), status=422)
    answer = await page.calls.send("POST", act.path, body, key=page.once)
    if not answer.is_good:
        return await _shown(page.refused(answer), status=answer.status if answer.status == 409 else 422)
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    return page.go(page.path, done="decide")


ROUTES = (
    page("/meetings", show_list, parties=("clinician", "coordinator")),
    form_page("/meetings/{id}", show_one, decide, parties=("clinician", "coordinator")),
)


def state_of(meeting: Resource) -> str:
    """Give the state of a meeting, which is finer than FHIR's status."""
    for extension in meeting.get("extension", ()):
        if extension.get("url") == STATE_EXTENSION:
            return str(extension.get("valueCode", ""))
    return ""


async def _shown(page: Page, *, status: int = 200) -> Response:
    address = f"/careteam/fhir/Appointment/{page.param('id')}"
    meeting = (await page.calls.must_get(address)).body
    more = await together(
        tasks=page.calls.get("/careteam/fhir/Task", _count=200, _sort="-authored-on"),
        acts=page.calls.get(f"{address}/$available-actions"),
    )
    tasks = resources(more["tasks"])
    cases = _cases(tasks, meeting)
    chosen = _chosen(page, cases)
    acts = acts_of(more["acts"].body) if more["acts"].is_good else None
    return page.render(
        "pages/meeting.html",
        status=status,
        meeting=meeting,
        stands=state_of(meeting),
        cases=None if tasks is None else [(case, case_status(case)) for case in cases],
        chosen=chosen,
        chosen_status=case_status(chosen) if chosen else "",
        patients=await patients_of(page.calls, [case.get("for") for case in cases]),
        actions=_actions(tasks, chosen),
        acts=acts,
        decide=_decide(acts),
        rows=rows_shown(page.typed, "action", least=1, most=10),
        live=" ".join([page.param("id"), *(id_of(case.get("for")) for case in cases)]),
    )


def case_status(case: Resource) -> str:
    """Give where a case stands."""
    return code_of(case.get("businessStatus"), CASE_STATUS)


def _cases(tasks: Sequence[Resource] | None, meeting: Resource) -> list[Resource]:
    """Give the cases of a meeting in the order of its agenda."""
    mine = [
        task
        for task in tasks or ()
        if code_of(task.get("code")) == "agenda-item" and _meeting_of(task) == meeting["id"]
    ]
    return sorted(mine, key=lambda task: (_position(task), task.get("authoredOn", "")))


def _meeting_of(task: Resource) -> str:
    inputs = (one.get("valueReference") for one in task.get("input", ()))
    return next((id_of(one) for one in inputs if one and local(one).startswith("Appointment/")), "")


def _position(task: Resource) -> int:
    """Give the place of a case on its agenda; one without a place stands behind the others."""
    for one in task.get("input", ()):
        if one.get("type", {}).get("text") == "position":
            return int(one["valuePositiveInt"])
    return 10_000


def _chosen(page: Page, cases: Sequence[Resource]) -> Resource | None:
    """Give the case that is looked at: the one that was picked, else the first that is not decided."""
    wanted = page.value("case").rpartition("/")[2] or page.query.get("case", "")
    picked = next((case for case in cases if case["id"] == wanted), None)
    undecided = next((case for case in cases if case_status(case) not in _DECIDED), None)
    return picked or undecided or next(iter(cases), None)


def _actions(tasks: Sequence[Resource] | None, case: Resource | None) -> list[Resource]:
    """Give the open actions for the patient of a case, and those that it led to."""
    if case is None:
        return []
    patient = id_of(case.get("for"))
    actions = [task for task in tasks or () if code_of(task.get("code")) == "action"]
    return [task for task in actions if id_of(task.get("for")) == patient and _matters(task, case)]


def _matters(action: Resource, case: Resource) -> bool:
    is_open = action["status"] not in ("completed", "cancelled")
    return is_open or any(id_of(one) == case["id"] for one in action.get("partOf", ()))


def _decide(acts: Sequence[Act] | None) -> Act | None:
    return next((act for act in acts or () if act.name == "decide" and act.is_available), None)
