"""The calendar of a site, by clinician and by room: a table made by the server, a week at a time.

A free time in it leads to booking a visit then, with that clinician or in that room; where somebody looks for
a time for a patient, it takes the patient along.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from services.portal.api.page import Page, page
from services.portal.people import patients_of
from services.portal.picked import address, for_whom

_FARTHEST = timedelta(days=3650)
_KINDS = ("absences", "meetings", "appointments", "free")


async def show(page: Page) -> Response:
    """Show a week (`?week=2026-11-30`, any day of it), by clinician or by room."""
    begins = _week(page)
    ends = begins + timedelta(days=6)
    by = "room" if page.query.get("by") == "room" else "clinician"
    found = await page.calls.listed(
        "/scheduling/calendar",
        **{"from": begins.isoformat(), "to": ends.isoformat()},
        practitioner=page.person.fhir_user if page.person.party == "clinician" else None,
    )
    body = found.body if found.is_good else {}
    rows = body.get("people" if by == "clinician" else "rooms", []) if found.is_good else None
    days = [begins + timedelta(days=number) for number in range(7)]
    whom = for_whom(page.query)
    patients = await patients_of(page.calls, [whom["patient"]] if "patient" in whom else [])
    return page.render(
        "pages/calendar.html",
        days=[day for day in days if day.weekday() < 5 or _is_used(rows, day)],
        rows=None if rows is None else _with_places([{**row, "by_day": _by_day(row)} for row in rows]),
        begins=begins,
        earlier=begins - timedelta(days=7),
        later=begins + timedelta(days=7),
        by=by,
        whom=whom,
        patient=patients.get(whom.get("patient", "")),
        to=lambda path, **more: address(path, whom, **more),
    )


ROUTES = (page("/calendar", show, parties=("coordinator", "clinician")),)


def _week(page: Page) -> date:
    """Give the Monday of the week that is asked for; this week for what is no day or decades away."""
    try:
        day = date.fromisoformat(page.query.get("week", ""))
    except ValueError:
        day = page.today
    if abs(day - page.today) > _FARTHEST:
        day = page.today
    return day - timedelta(days=day.weekday())


def _by_day(row: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Give what stands on each day, by the time at which it begins; `kind` says what it is."""
    return {day["date"]: sorted(_entries(day), key=lambda one: str(one["start"])) for day in row["days"]}


def _entries(day: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in _KINDS:
        for one in day.get(kind) or ():
            yield {**one, "entry": kind}


def _is_used(rows: Any, day: date) -> bool:
    """Whether anything stands on a day of the weekend."""
    return any(_by_day(row).get(day.isoformat()) for row in rows or ())


def _with_places(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Let each visit have one place on the page that an address leads to, though it may stand in two rows."""
    seen = set[str]()
    for row in rows:
        for one in (one for entries in row["by_day"].values() for one in entries):
            if one["entry"] == "appointments" and one["id"] not in seen:
                seen.add(one["id"])
                one["place"] = f"visit-{one['id']}"
    return rows
