"""The roster of a site: who works when and is away, rooms, closed days, and the visits to be planned anew.

A change shows first whom it concerns; what was typed is sent as it stands there only by a second button.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.api.page import Page, form_page, page
from services.portal.calls import Answer, NotThere
from services.portal.reading import many, parameters_of

_SLOT = "/scheduling/fhir/Slot"
_COORDINATOR = ("coordinator",)


async def show(page: Page) -> Response:
    """Show people with hours and absences, rooms and closed days."""
    found = await page.calls.get("/scheduling/roster")
    roster = _with_days(page, found.body) if found.is_good else None
    return page.render("pages/roster.html", roster=roster)


async def show_absence(page: Page) -> Response:
    """Show the form that says that somebody is away or the site is closed."""
    return await _absence(page)


async def send_absence(page: Page) -> Response:
    """Show whom it concerns, or record it where that was seen."""
    slot, wrong = _slot(page)
    if wrong:
        return await _absence(page.with_wrong(wrong), status=422)
    if not page.value("confirmed"):
        said = await page.calls.send("POST", f"{_SLOT}/$preview", slot)
        return await _previewed(page, said)
    answer = await page.calls.send("POST", _SLOT, slot, key=page.once)
    if not answer.is_good:
        return await _absence(page.refused(answer), status=409 if answer.status == 409 else 422)
    return await recorded(page, done="record-absence")


async def show_back(page: Page) -> Response:
    """Show an absence that may be taken back."""
    return await _back(page)


async def send_back(page: Page) -> Response:
    """Take an absence back as entered in error."""
    address = f"{_SLOT}/{page.param('id')}"
    current = await page.calls.must_get(address)
    body = current.body | {"status": "entered-in-error"}
    answer = await page.calls.send("PUT", address, body, version=page.value("version"))
    if answer.is_good:
        return page.go("/roster", done="take-back")
    return await _back(page.refused(answer), status=answer.status if answer.status in (409, 412) else 422)


async def show_replanning(page: Page) -> Response:
    """Show the visits to be planned anew, with times that are free for each."""
    return await _replanning(page)


async def send_replanning(page: Page) -> Response:
    """Give a visit the time that was chosen for it."""
    address = f"/scheduling/fhir/Appointment/{page.value('visit')}"
    visit = (await page.calls.must_get(address)).body
    start, _, end = page.value("time").partition("/")
    answer = await page.calls.send(
        "PUT", address, visit | {"start": start, "end": end}, version=page.value("version")
    )
    if answer.is_good:
        return page.go("/replanning", done="move")
    return await _replanning(page.refused(answer), status=409)


ROUTES = (
    page("/roster", show, parties=_COORDINATOR),
    form_page("/roster/absence", show_absence, send_absence, parties=_COORDINATOR),
    form_page("/roster/absences/{id}", show_back, send_back, parties=_COORDINATOR),
    form_page("/replanning", show_replanning, send_replanning, parties=_COORDINATOR),
)


async def _absence(page: Page, *, status: int = 200, preview: Mapping[str, Any] | None = None) -> Response:
    found = await page.calls.get("/scheduling/roster")
    roster = found.body if found.is_good else None
    whose = page.value("whose") or page.query.get("of", "")
    return page.render("pages/absence.html", status=status, roster=roster, whose=whose, preview=preview)


async def _previewed(page: Page, said: Answer) -> Response:
    if not said.is_good:
        return await _absence(page.refused(said), status=422)
    return await _absence(page, preview=preview_of(said.body))


async def _back(page: Page, *, status: int = 200) -> Response:
    absence = await page.calls.must_get(f"{_SLOT}/{page.param('id')}")
    if absence.body.get("status") != "busy-unavailable":
        raise NotThere(page.param("id"))
    return page.render(
        "pages/absence_back.html", status=status, absence=absence.body, version=absence.etag or ""
    )


async def _replanning(page: Page, *, status: int = 200) -> Response:
    found = await page.calls.get("/scheduling/replanning")
    return page.render(
        "pages/replanning.html", status=status, rows=found.body["rows"] if found.is_good else None
    )


def _with_days(page: Page, roster: Mapping[str, Any]) -> dict[str, Any]:
    """Give the roster with the first and the last day of what lasts whole days."""
    people = [
        {**person, "absences": [_days_of(page, one) for one in person["absences"]]}
        for person in roster["people"]
    ]
    return {**roster, "people": people, "closed": [_days_of(page, one) for one in roster["closed"]]}


def _days_of(page: Page, away: Mapping[str, Any]) -> Mapping[str, Any]:
    begins, ends = (datetime.fromisoformat(away[name]).astimezone(page.zone) for name in ("start", "end"))
    if begins.time() != time(0) or ends.time() != time(0):
        return away
    return {**away, "first_day": begins.date(), "last_day": ends.date() - timedelta(days=1)}


async def recorded(page: Page, *, done: str) -> Response:
    """Lead on once a change is made: to the visits that are to be asked about, else back to the roster."""
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    asked = page.value("asked") not in ("", "0")
    return page.go("/replanning" if asked else "/roster", done=done)


def preview_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a change would do: how many visits it keeps at their time, asks about, and each of them."""
    found = parameters_of(parameters)
    return found | {"visits": many(found.get("visit"))}


def _slot(page: Page) -> tuple[dict[str, Any], list[Wrong]]:
    """Make the Slot that the form asks for, and say what is missing or wrong in it."""
    whose = page.value("whose").strip()
    begins, ends = _day(page, "from"), _day(page, "to")
    at, until = _time(page, "from-time"), _time(page, "to-time")
    wrong = [one for one in (begins, ends, at, until) if isinstance(one, Wrong)]
    if not whose:
        wrong.insert(0, Wrong(name="whose", text=labels.NEEDED))
    if wrong or isinstance(begins, Wrong) or isinstance(ends, Wrong):
        return {}, wrong
    start = datetime.combine(begins, at if isinstance(at, time) else time(0), tzinfo=page.zone)
    last = ends if isinstance(until, time) else ends + timedelta(days=1)
    end = datetime.combine(last, until if isinstance(until, time) else time(0), tzinfo=page.zone)
    if start >= end:
        return {}, [Wrong(name="to", text=labels.ENDS_BEFORE)]
    comment = page.value("comment").strip()
    return {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{whose}"},
        "status": "busy-unavailable",
        "start": start.isoformat(),
        "end": end.isoformat(),
        **({"comment": comment} if comment else {}),
    }, []


def _day(page: Page, name: str) -> date | Wrong:
    text = page.value(name).strip()
    if not text:
        return Wrong(name=name, text=labels.NEEDED)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return Wrong(name=name, text=labels.DAY_AS)
    return day if day.year < 9000 else Wrong(name=name, text=labels.DAY_AS)


def _time(page: Page, name: str) -> time | Wrong | None:
    text = page.value(name).strip()
    if not text:
        return None
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return Wrong(name=name, text=labels.CLOCK_AS)
