"""Work on a care plan.

Two who edit at once do not write over each other: the later one sees what changed and by whom, with their own
words still in the form, and decides.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from services.portal import labels, plan_form
from services.portal.acts import Wrong, acts_of
from services.portal.api.page import Page, form_page
from services.portal.calls import NotThere, by_id, resources, together
from services.portal.people import patients_of
from services.portal.reading import Resource, id_of, shown

# The status that each act gives, in the order in which the buttons stand.
_STATUSES = {"draft": "draft", "activate": "active", "revise": "active", "complete": "completed"}


async def show(page: Page) -> Response:
    """Show the plan's form."""
    return await _shown(page)


async def save(page: Page) -> Response:
    """Save the plan by the act whose button was pressed."""
    act = next((name for name in _STATUSES if page.value("act") == name), None)
    if act is None:
        raise NotThere(page.value("act"))
    if act == "complete" and not page.value("note").strip():
        return await _shown(page.with_wrong([Wrong(name="note", text=labels.NEEDED)]), status=422)
    address = f"/careteam/fhir/CarePlan/{page.param('id')}"
    current = await page.calls.must_get(address)
    body = plan_form.plan_of(current.body, page.typed, status=_STATUSES[act])
    answer = await page.calls.send("PUT", address, body, version=page.value("version"))
    if answer.is_good:
        await page.portal.sessions.forget_draft(page.person, path=page.path)
        return page.go(f"/patients/{id_of(current.body.get('subject'))}", done=act)
    if answer.status == 412:
        return await _shown(page, status=412, overtaken=True)
    return await _shown(page.refused(answer), status=422)


ROUTES = (form_page("/plans/{id}", show, save, parties=("clinician",)),)


async def _shown(page: Page, *, status: int = 200, overtaken: bool = False) -> Response:
    address = f"/careteam/fhir/CarePlan/{page.param('id')}"
    current = await page.calls.must_get(address)
    patient_id = id_of(current.body.get("subject"))
    more = await together(
        goals=page.calls.get("/careteam/fhir/Goal", patient=patient_id, _count=100),
        acts=page.calls.get(f"{address}/$available-actions"),
    )
    acts = acts_of(more["acts"].body) if more["acts"].is_good else []
    filled = page if page.typed else replace(page, typed=plan_form.written(current.body))
    # Who was overtaken has now seen what stands there: the next save is on top of it.
    version = current.etag if overtaken or not page.value("version") else page.value("version")
    return filled.render(
        "pages/plan.html",
        status=status,
        plan=current.body,
        version=version,
        goals=by_id(more["goals"], "Goal"),
        acts=[one for one in acts if one.is_available and one.name in _STATUSES],
        patient=(await patients_of(page.calls, [patient_id])).get(patient_id),
        change=await _change(page, current.body) if overtaken else None,
    )


async def _change(page: Page, plan: Resource) -> Mapping[str, Any]:
    """Say what stands in a plan now, since when, and who wrote it."""
    found = await page.calls.get(
        "/careteam/fhir/Provenance", target=f"CarePlan/{plan['id']}", _sort="-recorded", _count=1
    )
    newest = next(iter(resources(found) or ()), {})
    agents = (one.get("who", {}) for one in newest.get("agent", ()))
    return {
        "who": next((name for name in map(shown, agents) if name), ""),
        "at": plan.get("meta", {}).get("lastUpdated"),
        "description": plan.get("description", ""),
        "activities": plan_form.activities_of(plan),
    }
