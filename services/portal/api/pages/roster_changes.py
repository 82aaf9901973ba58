"""What is changed of a roster beside absences: a person, their hours and when they take new visits, a room.

Each form shows first whom the change concerns; a second button makes it, by one call.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.responses import Response

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.api.page import Page, form_page
from services.portal.api.pages.roster import preview_of, recorded
from services.portal.calls import Answer, NotThere
from services.portal.reading import visits_of
from services.portal.typed import rows_shown, whole_number
from shared.fhir.codes import (
    DISCIPLINE_SYSTEM,
    HOURS_FOR_EXTENSION,
    HOURS_KEPT_EXTENSION,
    RELEASE_EXTENSION,
    ROOM_KIND_SYSTEM,
)

_BASE = "/scheduling/fhir"
_TYPES = {
    "people": "Practitioner",
    "hours": "PractitionerRole",
    "schedules": "Schedule",
    "rooms": "Location",
    "programmes": "HealthcareService",
}
# Of these there are none new; each stands beside something else.
_ONLY_CHANGED = ("hours", "schedules", "programmes")
_ROWS_MOST = 12
_COORDINATOR = ("coordinator",)


async def show(page: Page) -> Response:
    """Show the form of a person, their hours or a room, as they stand or empty for a new one."""
    return _shown(page, await _current(page))


async def send(page: Page) -> Response:
    """Show whom the change concerns, or make it where that was seen."""
    current = await _current(page)
    if page.value("more"):
        return _shown(page, current)
    body, wrong = _body(page, {} if current is None else current.body)
    if wrong:
        return _shown(page.with_wrong(wrong), current, status=422)
    kind = _TYPES[_what(page)]
    if not page.value("confirmed"):
        said = await page.calls.send("POST", f"{_BASE}/{kind}/$preview", body)
        if not said.is_good:
            return await _refused(page, said)
        return _shown(page, current, preview=preview_of(said.body))
    answer = await _sent(page, kind, body)
    if not answer.is_good:
        return await _refused(page, answer)
    return await recorded(page, done="change-roster")


ROUTES = (
    form_page("/roster/new/{what}", show, send, parties=_COORDINATOR),
    form_page("/roster/change/{what}/{id}", show, send, parties=_COORDINATOR),
)


def _what(page: Page) -> str:
    what = page.param("what")
    is_new = "id" not in page.request.path_params
    if what not in _TYPES or (is_new and what in _ONLY_CHANGED):
        raise NotThere(what)
    return what


async def _current(page: Page) -> Answer | None:
    """Read what is changed, None for something new."""
    what, id = _what(page), page.request.path_params.get("id")
    return None if id is None else await page.calls.must_get(f"{_BASE}/{_TYPES[what]}/{id}")


async def _sent(page: Page, kind: str, body: Mapping[str, Any]) -> Answer:
    if "id" in body:
        return await page.calls.send(
            "PUT", f"{_BASE}/{kind}/{body['id']}", body, version=page.value("version")
        )
    return await page.calls.send("POST", f"{_BASE}/{kind}", body, key=page.once)


async def _refused(page: Page, answer: Answer) -> Response:
    """Show the form again, beside what stands by now."""
    status = answer.status if answer.status in (409, 412) else 422
    return _shown(page.refused(answer), await _current(page), status=status)


def _shown(
    page: Page, current: Answer | None, *, status: int = 200, preview: Mapping[str, Any] | None = None
) -> Response:
    what = _what(page)
    stands = {} if current is None else current.body
    parts = [_row(part) for part in stands.get("availableTime", ())]
    return page.render(
        "pages/roster_change.html",
        status=status,
        what=what,
        stands=stands,
        name=_name(stands),
        kind=_code(stands, "type"),
        parts_of_week=parts,
        rows=rows_shown(page.typed, "hours", least=len(parts) + 1, most=_ROWS_MOST),
        intensive=[one for one in page.portal.runtime.clinic.programmes if one.is_intensive],
        version="" if current is None else page.value("version") or current.etag or "",
        preview=preview,
        visits=visits_of(stands),
        disciplines=_said(page, labels.DISCIPLINES),
        room_kinds=_said(page, labels.ROOM_KINDS),
    )


def _said(page: Page, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give the choices of a field in the reader's language."""
    return [(code, page.language.say(text)) for code, text in words.items()]


def _body(page: Page, stands: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    """Make what is sent out of what stands and what was typed, and say what is missing or wrong."""
    made = {"people": _person, "hours": _hours, "rooms": _room, "programmes": _visits, "schedules": _schedule}
    return made[_what(page)](page, stands)


def _schedule(page: Page, stands: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    """Make a Schedule of what was typed: whether, and between which days, new visits are booked."""
    days = {name: page.value(name).strip() for name in ("start", "end")}
    wrong = [
        Wrong(name=name, text=labels.DAY_AS) for name, text in days.items() if text and not _is_day(text)
    ]
    if not wrong and days["start"] and days["end"] and days["end"] < days["start"]:
        wrong.append(Wrong(name="end", text=labels.ENDS_BEFORE))
    kept = {name: value for name, value in stands.items() if name != "planningHorizon"}
    horizon = {name: text for name, text in days.items() if text}
    made = kept | {"active": not page.value("gone")} | ({"planningHorizon": horizon} if horizon else {})
    return made, wrong


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _person(page: Page, stands: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    wanted = ("given", "family") if stands else ("given", "family", "email", "discipline")
    wrong = _missing(page, *wanted)
    body: dict[str, Any] = {
        **(stands or {"resourceType": "Practitioner"}),
        "active": not page.value("gone"),
        "name": [{"family": page.value("family").strip(), "given": [page.value("given").strip()]}],
    }
    if email := page.value("email").strip():
        body["telecom"] = [{"system": "email", "value": email}]
    if not stands:
        body["qualification"] = [{"code": _coded(DISCIPLINE_SYSTEM, page.value("discipline"))}]
    return body, wrong


def _room(page: Page, stands: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    site = {"reference": f"Location/{page.value('site')}"}
    return {
        **(stands or {"resourceType": "Location", "partOf": site}),
        "status": "inactive" if page.value("gone") else "active",
        "name": page.value("name").strip(),
        "type": [_coded(ROOM_KIND_SYSTEM, page.value("kind"))],
    }, _missing(page, "name", "kind")


def _hours(page: Page, stands: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    parts, wrong = [], []
    for row in range(rows_shown(page.typed, "hours", least=0, most=_ROWS_MOST)):
        days, begins, ends = _typed(page, row)
        if not days and not begins and not ends:
            continue
        for name, given in (("days", days), ("from", begins), ("to", ends)):
            if not given:
                wrong.append(Wrong(name=f"hours.{row}.{name}", text=labels.NEEDED))
        purposes = page.values(f"hours.{row}.for")
        is_for_all = len(purposes) in (0, len(labels.HOURS_FOR))
        said: list[dict[str, Any]] = []
        if not is_for_all:
            said += [{"url": HOURS_FOR_EXTENSION, "valueCode": one} for one in purposes]
        programmes = page.values(f"hours.{row}.programmes")
        said += [{"url": HOURS_KEPT_EXTENSION, "valueCode": one} for one in programmes]
        released = whole_number(page.value(f"hours.{row}.released").strip())
        if released is not None:
            said.append({"url": RELEASE_EXTENSION, "valueInteger": released})
        parts.append(
            {
                **({"extension": said} if said else {}),
                "daysOfWeek": list(days),
                "availableStartTime": f"{begins}:00"[:8],
                "availableEndTime": f"{ends}:00"[:8],
            }
        )
    kept = {name: value for name, value in stands.items() if name != "availableTime"}
    return kept | ({"availableTime": parts} if parts else {}), wrong


def _visits(page: Page, stands: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    """Put the numbers that were typed into the visits of a programme; all else of them stays."""
    wrong: list[Wrong] = []
    changed = []
    for place, extension in enumerate(stands.get("extension", ())):
        parts = []
        for part in extension.get("extension", ()):
            name = f"visit.{place}.{part['url']}"
            if part["url"] in labels.VISIT_NUMBERS and name in page.typed:
                number = whole_number(page.value(name).strip())
                wrong += [] if number is not None else [Wrong(name=name, text=labels.NEEDED)]
                part = {"url": part["url"], "valueInteger": number}
            parts.append(part)
        changed.append({**extension, "extension": parts} if parts else extension)
    return {**stands, "extension": changed}, wrong


def _typed(page: Page, row: int) -> tuple[list[str], str, str]:
    named = f"hours.{row}"
    days = [day for day in page.values(f"{named}.days") if day in labels.WEEKDAYS]
    return days, page.value(f"{named}.from").strip(), page.value(f"{named}.to").strip()


def _missing(page: Page, *names: str) -> list[Wrong]:
    return [Wrong(name=name, text=labels.NEEDED) for name in names if not page.value(name).strip()]


def _row(part: Mapping[str, Any]) -> dict[str, Any]:
    said = [one["valueCode"] for one in part.get("extension", ()) if one["url"] == HOURS_FOR_EXTENSION]
    extensions = part.get("extension", ())
    released = [one["valueInteger"] for one in extensions if one["url"] == RELEASE_EXTENSION]
    return {
        "days": part["daysOfWeek"],
        "from": part["availableStartTime"][:5],
        "to": part["availableEndTime"][:5],
        "for": said or list(labels.HOURS_FOR),
        "programmes": [one["valueCode"] for one in extensions if one["url"] == HOURS_KEPT_EXTENSION],
        "released": released[-1] if released else "",
    }


def _name(stands: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the parts of a person's name, and nothing for what is no person."""
    names = stands.get("name")
    return names[0] if isinstance(names, list) and names else {}


def _code(stands: Mapping[str, Any], member: str) -> str:
    codings = (coding for concept in stands.get(member, ()) for coding in concept.get("coding", ()))
    return next((str(coding["code"]) for coding in codings), "")


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
