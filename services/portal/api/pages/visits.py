"""One visit: when, with whom, where, and what may be done with it."""

from starlette.responses import Response

from services.portal.acts import acts_of
from services.portal.api.page import Page, page
from services.portal.people import patients_of
from services.portal.reading import patient_of


async def show(page: Page) -> Response:
    """Show a visit and its acts; one that the person may not see is not there."""
    address = f"/scheduling/fhir/Appointment/{page.param('id')}"
    visit = (await page.calls.must_get(address)).body
    patient = patient_of(visit)
    offered = await page.calls.get(f"{address}/$available-actions")
    return page.render(
        "pages/visit.html",
        visit=visit,
        patient=patient,
        patients=await patients_of(page.calls, [patient]),
        acts=acts_of(offered.body, status=visit["status"]) if offered.is_good else None,
    )


ROUTES = (page("/visits/{id}", show, parties=("coordinator", "clinician")),)
