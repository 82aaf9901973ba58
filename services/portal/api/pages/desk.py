"""The desk: the visits of a day, and what is recorded of each by one key or one press.

What needs no word is recorded at once: arrived, in the room, took place. A miss, leaving without being seen
and a correction have a page of their own, which leads back here.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.portal.acts import Act
from services.portal.api.page import Page, form_page
from services.portal.worklists import act_of

# The key of each act, as the list of keys and the buttons name it.
KEYS: Mapping[str, str] = {
    "arrive": "a",
    "check-in": "r",
    "fulfil": "s",
    "miss": "m",
    "leave-unseen": "l",
    "correct-status": "u",
}
_AT_ONCE = {"arrive": "arrived", "check-in": "checked-in", "fulfil": "fulfilled"}
_HERE = ("arrived", "checked-in")


async def show(page: Page) -> Response:
    """Show the visits of today, or of another day (`?day=2026-03-02`)."""
    return await _shown(page)


async def record(page: Page) -> Response:
    """Record what became of a visit, unless somebody was faster, and come back to it."""
    act, visit = page.value("act"), page.value("visit")
    status = _AT_ONCE.get(act)
    if status is None:
        return await _shown(page)
    address = f"/scheduling/fhir/Appointment/{visit}"
    stands = await page.calls.must_get(address)
    version = f'W/"{page.value("version")}"'
    answer = await page.calls.send("PUT", address, {**stands.body, "status": status}, version=version)
    if not answer.is_good:
        return await _shown(
            page.refused(answer), status=answer.status if answer.status in (409, 412) else 422
        )
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    return page.go(back_to(page.day, visit), done=act)


def back_to(day: date, visit: str) -> str:
    """Give the address of a visit on the desk's page of a day."""
    return f"/desk?{urlencode({'day': day.isoformat()})}#visit-{visit}"


ROUTES = (form_page("/desk", show, record, parties=("coordinator",)),)


async def _shown(page: Page, *, status: int = 200) -> Response:
    day = page.day
    found = await page.calls.listed("/scheduling/desk", day=day.isoformat())
    visits = found.body["visits"] if found.is_good else None
    return page.render(
        "pages/desk.html",
        status=status,
        day=day,
        earlier=day - timedelta(days=1),
        later=day + timedelta(days=1),
        visits=visits,
        present=sum(one["status"] in _HERE for one in visits or ()),
        acts={one["id"]: _acts(one) for one in visits or ()},
        keys=KEYS,
        at_once=_AT_ONCE,
        back_to=back_to,
    )


def _acts(visit: Mapping[str, Any]) -> list[Act]:
    """Give what may be recorded of a visit now."""
    return [act_of(one) for one in visit["actions"]]
