"""Booking a visit: for whom, which visit, the times that are free, and one of them booked or held."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.api.page import Page, form_page
from services.portal.calls import Answer, NotThere, resources
from services.portal.people import patients_of
from services.portal.reading import Resource, code_of, id_of, patient_of, shown, visits_of
from shared.clinic import Programme
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, PROGRAMME_SYSTEM, VISIT_TYPE_SYSTEM

_APPOINTMENT = "/scheduling/fhir/Appointment"
_PARTIES = ("coordinator", "clinician", "referrer")
_WEEKS = 4
_SHOWN = 24
_NARROWING = ("speaks", "same-clinician", "wheelchair")
_FARTHEST = timedelta(days=3650)
_FIRST = "first"
# What every programme calls by its kind; the other visits have names.
_ELEMENTS = {_FIRST: _FIRST, "sessions": "session"}


async def show(page: Page) -> Response:
    """Show for which referral, which visit, and the times at which it fits."""
    return await _shown(page)


async def send(page: Page) -> Response:
    """Book the time that was chosen, or hold it, and lead to the visit; a refusal stands above the times."""
    appointment = _appointment(page)
    if appointment is None:
        return await _shown(page.with_wrong([Wrong(name="time", text=labels.NEEDED)]), status=422)
    verb = "hold" if page.value("hold") else "book"
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "appointment-resource", "resource": appointment}],
    }
    answer = await page.calls.send("POST", f"{_APPOINTMENT}/${verb}", body, key=page.once)
    if not answer.is_good:
        return await _shown(page.refused(answer), status=409 if answer.status == 409 else 422)
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    there = f"/visits/{answer.body['id']}"
    if page.person.party == "referrer":
        there = f"/referrals/{page.query.get('referral', '')}"
    return page.go(there, done="hold-time" if verb == "hold" else "book")


ROUTES = (form_page("/book", show, send, parties=_PARTIES),)


async def _shown(page: Page, *, status: int = 200) -> Response:
    visits = await _visits_of_patient(page)
    referrals = _referrals(visits)
    wanted = page.query.get("referral") or (next(iter(referrals)) if len(referrals) == 1 else "")
    if wanted and wanted not in referrals:
        raise NotThere(wanted)
    patient = patient_of(visits[0]) if visits else {}
    programme = _programme(page, referrals.get(wanted, ""))
    found = await _find(page, wanted) if programme is not None and page.query.get("visit") else None
    if found is not None and not found.is_good:
        page = page.refused(found)
    times = _times(found) if found is not None and found.is_good else None
    begins = _begins(page)
    return page.render(
        "pages/book.html",
        status=status,
        patient=patient,
        patients=await patients_of(page.calls, [patient] if patient else []),
        referrals=[(one, _programme(page, programme_id)) for one, programme_id in referrals.items()],
        referral=wanted,
        choices=[] if programme is None else await _choices(page, programme.id),
        times=times,
        more=_more(page, times) if found is not None and times and "total" not in found.body else None,
        spoken=_spoken(page),
        narrowed="".join(f"&{name}={quote(page.query[name])}" for name in _NARROWING if page.query.get(name)),
        begins=begins,
        later=begins + timedelta(weeks=_WEEKS),
    )


async def _visits_of_patient(page: Page) -> Sequence[Resource]:
    """Read the visits by which a referral, or all of a patient's, are known to scheduling."""
    if referral := page.query.get("referral"):
        found = await page.calls.listed(_APPOINTMENT, based_on=f"ServiceRequest/{referral}", _count=100)
    elif patient := page.query.get("patient"):
        found = await page.calls.listed(_APPOINTMENT, patient=f"Patient/{patient}", _count=100)
    else:
        return []
    return resources(found, "Appointment") or []


def _referrals(visits: Sequence[Resource]) -> dict[str, str]:
    """Give the programme of each referral by its id."""
    return {
        id_of(visit["basedOn"][0]): code_of((visit.get("serviceType") or [{}])[0], PROGRAMME_SYSTEM)
        for visit in visits
        if visit.get("basedOn")
    }


def _programme(page: Page, programme_id: str) -> Programme | None:
    programmes = page.portal.runtime.clinic.programmes
    return next((one for one in programmes if one.id == programme_id), None)


async def _choices(page: Page, programme_id: str) -> list[tuple[str, str]]:
    """Name the visits that a programme has now, which the roster may say differently from clinic.yaml."""
    found = await page.calls.get(f"/scheduling/fhir/HealthcareService/{programme_id}")
    visits = [visit["parts"] for visit in visits_of(found.body)] if found.is_good else []
    if page.person.party == "referrer":
        visits = [parts for parts in visits if parts["element"] == _FIRST]
    own = [_ELEMENTS[parts["element"]] for parts in visits if parts["element"] in _ELEMENTS]
    named = [(parts["id"], parts["name"]) for parts in visits if parts["element"] not in _ELEMENTS]
    return [*((name, page.language.say(labels.VISITS[name])) for name in own), *named]


async def _find(page: Page, referral: str) -> Answer:
    begins = datetime.combine(_begins(page), time(), tzinfo=page.zone)
    start, end = max(begins, page.now, _after(page) or begins), begins + timedelta(weeks=_WEEKS)
    asked: list[dict[str, Any]] = [
        {"name": "start", "valueDateTime": start.isoformat()},
        {"name": "end", "valueDateTime": end.isoformat()},
        {"name": "visit-type", "valueCode": page.query["visit"]},
        {"name": "referral", "valueReference": {"reference": f"ServiceRequest/{referral}"}},
        {"name": "_count", "valueInteger": _SHOWN},
    ]
    asked += [
        {"name": name, "valueBoolean": True}
        for name in ("same-clinician", "wheelchair")
        if page.query.get(name)
    ]
    if language := page.query.get("speaks", "").strip():
        asked.append({"name": "language", "valueCode": language})
    body = {"resourceType": "Parameters", "parameter": asked}
    return await page.calls.send("POST", f"{_APPOINTMENT}/$find", body)


def _begins(page: Page) -> date:
    """Give the day from which on times are looked for; today for what is no day, or is past or far away."""
    try:
        day = date.fromisoformat(page.query.get("from", ""))
    except ValueError:
        return page.today
    return day if timedelta() <= day - page.today <= _FARTHEST else page.today


def _after(page: Page) -> datetime | None:
    """Give the moment behind which the times of a page before lie; None for what is none."""
    try:
        moment = datetime.fromisoformat(page.query.get("after", ""))
    except ValueError:
        return None
    is_near = moment.tzinfo is not None and abs(moment - page.now) <= _FARTHEST
    return moment if is_near else None


def _more(page: Page, times: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Say from where on the next page goes on: with the last time of this one."""
    last = datetime.fromisoformat(times[-1]["start"])
    return {"from": last.astimezone(page.zone).date().isoformat(), "after": times[-1]["start"]}


def _spoken(page: Page) -> list[tuple[str, str]]:
    """Name the languages that clinicians speak, in the reader's own."""
    codes = {code for person in page.portal.runtime.clinic.people for code in person.languages}
    return [(code, page.language.locale.languages.get(code, code)) for code in sorted(codes)]


def _times(found: Answer) -> list[Mapping[str, Any]]:
    return [
        {
            "value": _written(one),
            "start": one["start"],
            "end": one["end"],
            "with": [shown(actor) for actor in _actors(one, "Practitioner")],
            "room": next((shown(actor) for actor in _actors(one, "Location")), ""),
        }
        for one in resources(found, "Appointment") or ()
    ]


def _actors(appointment: Resource, resource_type: str) -> list[Mapping[str, Any]]:
    named = [one.get("actor", {}) for one in appointment.get("participant", ())]
    return [actor for actor in named if f"{resource_type}/" in actor.get("reference", "")]


def _written(appointment: Resource) -> str:
    """Write what is chosen of a time: its start and end, who, and where."""
    people = ",".join(id_of(actor) for actor in _actors(appointment, "Practitioner"))
    rooms = ",".join(id_of(actor) for actor in _actors(appointment, "Location"))
    return "|".join((appointment["start"], appointment["end"], people, rooms))


def _appointment(page: Page) -> dict[str, Any] | None:
    """Make the Appointment that is asked for from the time that was chosen; None where none was."""
    parts = page.value("time").split("|")
    visit = page.query.get("visit", "")
    if len(parts) != 4 or not visit:
        return None
    start, end, people, rooms = parts
    named = [f"Practitioner/{one}" for one in people.split(",") if one]
    named += [f"Location/{one}" for one in rooms.split(",") if one]
    kind = {"appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": visit}]}}
    typed = {"serviceType": [{"coding": [{"system": VISIT_TYPE_SYSTEM, "code": visit}]}]}
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        **(kind if visit in _ELEMENTS.values() else typed),
        "start": start,
        "end": end,
        "basedOn": [{"reference": f"ServiceRequest/{page.value('referral')}"}],
        "participant": [{"actor": {"reference": one}, "status": "needs-action"} for one in named],
    }
