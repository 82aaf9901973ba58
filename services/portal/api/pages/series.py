"""A series as one thing: its sessions with their dates, and what can be done with several of them at once.

The form shows first which sessions an act would change and to which dates; a second button does it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from services.portal import labels, series
from services.portal.acts import acts_of
from services.portal.api.page import Page, form_page
from services.portal.calls import Answer, resources
from services.portal.people import patients_of
from services.portal.reading import Resource, id_of

_BASE = "/scheduling/fhir"
_BY_SCOPE = (series.CANCEL, series.MOVE, series.HOLD)
_TYPED = ("scope", "session", "whose", "reason", "day", "time", "practitioner", "room", "from", "until")


async def show(page: Page) -> Response:
    """Show a series; one that the person may not see is not there."""
    return await _shown(page)


async def send(page: Page) -> Response:
    """Show which sessions an act would change, or do it where that was seen."""
    act = page.value("act")
    if act not in _BY_SCOPE:
        return await _shown(page, status=422)
    said, wrong = series.asked(act, {name: page.value(name).strip() for name in _TYPED}, zone=page.zone)
    if wrong:
        return await _shown(page.with_wrong(wrong), status=422)
    path = f"{_BASE}/List/{page.param('id')}"
    if not page.value("confirmed"):
        body = _parameters([{"name": "act", "valueCode": act}, *said])
        found = await page.calls.send("POST", f"{path}/$preview", body)
        if not found.is_good:
            return await _shown(page.refused(found), status=422)
        return await _shown(page, preview=series.preview_of(found.body))
    answer = await page.calls.send(
        "POST", f"{path}/${act}", _parameters(said), version=page.value("version"), key=page.once
    )
    if not answer.is_good:
        status = answer.status if answer.status in (409, 412) else 422
        return await _shown(page.refused(answer), status=status)
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    return page.go(f"/series/{page.param('id')}", done=act)


ROUTES = (form_page("/series/{id}", show, send, parties=("coordinator", "clinician")),)


async def _shown(
    page: Page, *, status: int = 200, preview: Sequence[Mapping[str, Any]] | None = None
) -> Response:
    path = f"{_BASE}/List/{page.param('id')}"
    found = await page.calls.must_get(path)
    row, patient = found.body, found.body["subject"]
    offered = await page.calls.get(f"{path}/$available-actions")
    sessions = await _sessions(page, row)
    claims = await page.calls.get("/referral/fhir/Claim", patient=f"Patient/{id_of(patient)}", _count=20)
    acts = acts_of(offered.body) if offered.is_good else None
    to_come = series.to_come(sessions or (), now=page.now)
    return page.render(
        "pages/series.html",
        status=status,
        series=row,
        version=found.etag,
        sessions=sessions,
        to_come=to_come,
        **await _whom(page, to_come),
        patient=patient,
        patients=await patients_of(page.calls, [patient]),
        acts=acts,
        open_acts=[
            (act.name, page.language.say(labels.SERIES_ACTS[act.name]))
            for act in acts or ()
            if act.is_available and act.name in labels.SERIES_ACTS
        ],
        scopes=[(scope, page.language.say(text)) for scope, text in labels.SCOPES.items()],
        preview=preview,
        units=_units(claims, referral=series.referral_of(row)),
    )


async def _sessions(page: Page, row: Resource) -> Sequence[Resource] | None:
    """Read the sessions of a series, the earliest first; None where they cannot be read."""
    ids = series.entries(row)
    if not ids:
        return []
    found = await page.calls.get(
        "/scheduling/fhir/Appointment", _id=",".join(ids), _sort="date", _count=len(ids)
    )
    return resources(found, "Appointment")


async def _whom(page: Page, to_come: Sequence[Resource]) -> dict[str, list[tuple[str, str]]]:
    """Name the clinicians and rooms that sessions can get; nobody where they cannot be read."""
    if not to_come:
        return {"clinicians": [], "rooms": []}
    roles = await page.calls.get(f"{_BASE}/PractitionerRole", active="true", _count=100)
    places = await page.calls.get(f"{_BASE}/Location", status="active", _count=100)
    return {
        "clinicians": series.who_else(
            to_come,
            resources(roles, "PractitionerRole") or [],
            discipline_of=lambda code: page.language.say(labels.DISCIPLINES[code]),
        ),
        "rooms": series.where_else(to_come, resources(places, "Location") or []),
    }


def _units(claims: Answer, *, referral: str) -> list[Mapping[str, Any]] | None:
    """Say how many units of each service the payer was asked for, and how many are used."""
    found = resources(claims, "Claim")
    if found is None:
        return None
    units: list[Mapping[str, Any]] = [
        unit for claim in found if id_of(claim.get("referral")) == referral for unit in series.units_of(claim)
    ]
    return units


def _parameters(said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(said)}
