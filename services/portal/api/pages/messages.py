"""Messages: what the team wrote to each other, and for a coordinator what was written around referrals."""

from starlette.responses import Response

from services.portal.api.page import Page, page
from services.portal.calls import next_of, resources, together
from services.portal.people import patients_of


async def show(page: Page) -> Response:
    """Show messages, the newest first; for a coordinator also those that could not be delivered."""
    is_coordinator = page.person.party == "coordinator"
    calls = {
        "team": page.calls.listed(
            "/careteam/fhir/Communication", _sort="-sent", _count=50, _after=page.query.get("after")
        )
    }
    if is_coordinator:
        calls["asked"] = page.calls.get("/referral/fhir/Communication", _sort="-_lastUpdated", _count=50)
        calls["undelivered"] = page.calls.get(
            "/notifications/fhir/Communication", status="stopped", _sort="-_lastUpdated", _count=50
        )
    answers = await together(**calls)
    lists = {name: resources(answer) for name, answer in answers.items()}
    about = [one.get("subject") for many in lists.values() for one in many or ()]
    return page.render(
        "pages/messages.html",
        team=lists["team"],
        asked=lists.get("asked"),
        undelivered=lists.get("undelivered"),
        is_coordinator=is_coordinator,
        patients=await patients_of(page.calls, about),
        next=f"/messages?after={after}" if (after := next_of(answers["team"])) else None,
        first="/messages" if page.query.get("after") else None,
    )


ROUTES = (page("/messages", show, parties=("clinician", "coordinator")),)
