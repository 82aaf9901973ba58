"""Booking a visit: for whom, which visit, the times that are free, and one of them booked or held.

Who comes from a free time of the calendar brings it along, and goes back to the day of the calendar.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from services.portal import bookable, free_times, labels
from services.portal.acts import Wrong
from services.portal.api.page import Page, form_page
from services.portal.bookable import BookableVisit, PickedPlace
from services.portal.calls import Answer, NotThere, resources
from services.portal.people import criteria_of, patients_found, patients_of
from services.portal.picked import Picked, address, for_whom
from services.portal.reading import Resource, code_of, id_of, patient_of, visits_of
from shared.clinic import Programme
from shared.fhir.codes import PROGRAMME_SYSTEM

_APPOINTMENT = "/scheduling/fhir/Appointment"
_PARTIES = ("coordinator", "clinician", "referrer")
_WEEKS = 4
_SHOWN = 24
_NARROWING = ("speaks", "same-clinician", "wheelchair")
_FARTHEST = timedelta(days=3650)


async def show(page: Page) -> Response:
    """Show for which referral, which visit, and the times at which it fits."""
    return await _shown(page)


async def send(page: Page) -> Response:
    """Find a patient, or book the time that was chosen, or hold it; a refusal stands above the times."""
    if "q" in page.typed:
        return await _shown(page)
    appointment = free_times.appointment(
        page.value("time"), visit=_asked(page), referral=page.value("referral")
    )
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
    return page.go(_leads_to(page, answer.body), done="hold-time" if verb == "hold" else "book")


ROUTES = (form_page("/book", show, send, parties=_PARTIES),)


def _leads_to(page: Page, booked: Resource) -> str:
    """Say where a person goes on: back to the day of the calendar, or to the visit."""
    if page.person.party == "referrer":
        return f"/referrals/{page.query.get('referral', '')}"
    by = Picked.of(page.query, now=page.now).by
    if not by or booked["status"] != "booked":
        return f"/visits/{booked['id']}"
    day = datetime.fromisoformat(booked["start"]).astimezone(page.zone).date()
    return f"{address('/calendar', {}, week=day.isoformat(), by=by)}#visit-{booked['id']}"


async def _shown(page: Page, *, status: int = 200) -> Response:
    picked = Picked.of(page.query, now=page.now)
    visits, place = await _visits_of_patient(page), await _place(page, picked)
    referrals = _referrals(visits)
    wanted = page.query.get("referral") or (next(iter(referrals)) if len(referrals) == 1 else "")
    if wanted and wanted not in referrals:
        raise NotThere(wanted)
    patient = patient_of(visits[0]) if visits else {}
    programme = _programme(page, referrals.get(wanted, ""))
    choices = [] if programme is None else await _choices(page, programme.id, place)
    visit = _visit(page, choices, picked)
    found = await _find(page, wanted, visit, picked) if visit else None
    if found is not None and not found.is_good:
        page = page.refused(found)
    times = free_times.listed(found) if found is not None and found.is_good else None
    more = _more(page, times) if found is not None and times and "total" not in found.body else {}
    text = page.value("q").strip()
    return page.render(
        "pages/book.html",
        status=status,
        patient=patient,
        patients=await patients_of(page.calls, [patient] if patient else []),
        is_asked=bool(page.query.get("patient") or page.query.get("referral")),
        text=text,
        is_short=bool(text) and not criteria_of(text),
        people=await patients_found(page.calls, text) if text else [],
        referrals=[(one, _programme(page, programme_id)) for one, programme_id in referrals.items()],
        referral=wanted,
        choices=choices,
        visit=visit,
        times=times,
        more=_again(page, wanted, visit, more) if more else None,
        later=_again(page, wanted, visit, {"from": (_begins(page) + timedelta(weeks=_WEEKS)).isoformat()}),
        spoken=_spoken(page),
        begins=_begins(page),
        picked=picked,
        place=place,
        all_the_same=_all_the_same(page, picked, next((one for one in choices if one.name == visit), None)),
        to=lambda path, **more: address(path, for_whom(page.query) | picked.carried, **more),
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


async def _place(page: Page, picked: Picked) -> PickedPlace | None:
    """Read what the clinician or the room is called, and what they are for; None where none was picked."""
    if picked.clinician:
        role = await page.calls.must_get(f"/scheduling/fhir/PractitionerRole/{picked.clinician}")
        return PickedPlace.of_clinician(role.body)
    if picked.room:
        room = await page.calls.must_get(f"/scheduling/fhir/Location/{picked.room}")
        return PickedPlace.of_room(room.body)
    return None


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


async def _choices(page: Page, programme_id: str, place: PickedPlace | None) -> list[BookableVisit]:
    """Name the visits that a programme has now, which the roster may say differently from clinic.yaml.

    Of these only what can be with the clinician or in the room that was picked.
    """
    found = await page.calls.get(f"/scheduling/fhir/HealthcareService/{programme_id}")
    able = [one for one in (visits_of(found.body) if found.is_good else ()) if not place or place.takes(one)]
    visits = [bookable.named(one, language=page.language) for one in able]
    if page.person.party == "referrer":
        visits = [one for one in visits if one.name == free_times.FIRST]
    return sorted(visits, key=lambda one: one.name not in free_times.ELEMENTS.values())


def _visit(page: Page, choices: Sequence[BookableVisit], picked: Picked) -> str:
    """Give the visit that is wanted: the one that was chosen, or the only one that a picked time is for."""
    asked = _asked(page)
    if picked.at is None or asked in {one.name for one in choices}:
        return asked
    return choices[0].name if len(choices) == 1 else ""


def _asked(page: Page) -> str:
    return page.value("visit") or page.query.get("visit", "")


async def _find(page: Page, referral: str, visit: str, picked: Picked) -> Answer:
    begins = datetime.combine(_begins(page), time(), tzinfo=page.zone)
    body = free_times.wanted(
        start=max(picked.at or begins, page.now, _after(page) or begins),
        end=picked.until or begins + timedelta(weeks=_WEEKS),
        visit=visit,
        referral=referral,
        picked=picked,
        narrowed=_narrowed(page),
        at_most=_SHOWN,
    )
    return await page.calls.send("POST", f"{_APPOINTMENT}/$find", body)


def _narrowed(page: Page) -> dict[str, str]:
    return {name: text for name in _NARROWING if (text := page.query.get(name, "").strip())}


def _all_the_same(page: Page, picked: Picked, visit: BookableVisit | None) -> dict[str, Any] | None:
    """Give the picked time of a clinician itself, to be booked though it was not found free for the visit.

    What stands in the way is said by the refusal; where it is only what the patient had said, nothing does.
    """
    start = picked.first_start(page.now)
    if visit is None or start is None or picked.until is None or not picked.clinician:
        return None
    end = start + timedelta(minutes=visit.minutes)
    value = free_times.value_of(start.isoformat(), end.isoformat(), picked.clinician, "")
    return {"value": value, "start": start}


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


def _again(page: Page, referral: str, visit: str, begins: Mapping[str, str]) -> str:
    """Write the address of this search from another time on."""
    carried = Picked.of(page.query, now=page.now).carried
    return address("/book", carried | _narrowed(page), referral=referral, visit=visit, **begins)


def _spoken(page: Page) -> list[tuple[str, str]]:
    """Name the languages that clinicians speak, in the reader's own."""
    codes = {code for person in page.portal.runtime.clinic.people for code in person.languages}
    return [(code, page.language.locale.languages.get(code, code)) for code in sorted(codes)]
