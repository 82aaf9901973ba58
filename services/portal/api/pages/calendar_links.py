"""Links by which a person's calendar program reads the calendar of a clinician or a room."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.api.page import Page, form_page

_LINKS = "/scheduling/calendar-links"


async def show(page: Page) -> Response:
    """Show the links that stand, and the form that makes one."""
    return await _show(page)


async def send(page: Page) -> Response:
    """Make a link and show its address this once, or revoke one."""
    if revoked := page.value("revoke"):
        answer = await page.calls.send("POST", f"{_LINKS}/{revoked}/$revoke", key=page.once)
        if answer.is_good:
            return page.go("/calendar/links", done="revoke-link")
        return await _show(page.refused(answer), status=404)
    kind, _, id = _whose(page).partition("/")
    if not id:
        wrong = [Wrong(name="whose", text=labels.NEEDED)]
        return await _show(page.with_wrong(wrong), status=422)
    name = "practitioner" if kind == "people" else "location"
    path = f"{_LINKS}?{name}={id}&language={page.language.code}"
    answer = await page.calls.send("POST", path, key=page.once)
    if not answer.is_good:
        return await _show(page.refused(answer), status=422)
    return await _show(page, made=answer.body)


ROUTES = (form_page("/calendar/links", show, send, parties=("coordinator", "clinician")),)


async def _show(page: Page, *, status: int = 200, made: Mapping[str, Any] | None = None) -> Response:
    found = await page.calls.get(_LINKS)
    links: Sequence[Mapping[str, Any]] | None = found.body["rows"] if found.is_good else None
    roster = await page.calls.get("/scheduling/roster") if page.person.party == "coordinator" else None
    return page.render(
        "pages/calendar_links.html",
        status=status,
        links=links,
        roster=roster.body if roster is not None and roster.is_good else None,
        made=made,
    )


def _whose(page: Page) -> str:
    """Say whose calendar is to be shared: a clinician's own, or the one that a coordinator chose."""
    if page.person.party == "clinician":
        return f"people/{str(page.person.fhir_user).rpartition('/')[2]}"
    return page.value("whose")
