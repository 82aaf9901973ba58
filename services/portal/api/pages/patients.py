"""Patients: whom a person cares for, whom they look for, and all that a team needs of one of them on a page.

What people search by is sent in a form and stands in no address.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from services.portal.acts import Act, acts_of
from services.portal.api.page import Page, form_page, page
from services.portal.calls import Answer, NotThere, by_id, resources, together
from services.portal.claims import newest, status_of
from services.portal.people import criteria_of, patients_found, patients_of
from services.portal.reading import Resource, code_of, id_of, many, moment_of, parameters_of, person_name
from services.portal.trends import Trend
from shared.fhir import intake

_PARTIES = ("clinician", "coordinator")
_PAGE = 100


async def show_list(page: Page) -> Response:
    """Show the patients of the person's teams (a coordinator: those whose care goes on), by name."""
    teams = await page.calls.listed("/careteam/fhir/CareTeam", status="active", _count=_PAGE)
    found = resources(teams)
    patients = await patients_of(page.calls, [team.get("subject") for team in found or ()])
    rows = [(patients.get(id_of(team.get("subject"))), team) for team in found or ()]
    return page.render(
        "pages/patients.html",
        rows=None if found is None else sorted(rows, key=lambda row: _sort_name(row[0])),
        found=None,
    )


async def search(page: Page) -> Response:
    """Find patients by any part of a name, birth date, telephone or card."""
    text = page.value("q").strip()
    if not criteria_of(text):
        return page.render("pages/patients.html", rows=None, found=[], text=text, is_short=True)
    found = await patients_found(page.calls, text)
    return page.render("pages/patients.html", rows=None, found=found, text=text)


async def show_one(page: Page) -> Response:
    """Show one patient: plan, team, how they get on, what is to be done, visits, messages, units left."""
    patient_id = page.param("id")
    answers = await together(
        patient=page.calls.must_get(
            "/referral/fhir/Patient", _id=patient_id, _revinclude="ServiceRequest:patient"
        ),
        summary=page.calls.get(f"/careteam/fhir/Patient/{patient_id}/$summary"),
        visits=page.calls.get("/scheduling/fhir/Appointment", patient=patient_id, _sort="date", _count=100),
        series=page.calls.get("/scheduling/fhir/List", patient=patient_id, _count=20),
        claims=page.calls.get(
            "/referral/fhir/Claim", patient=patient_id, _revinclude="ClaimResponse:request", _count=20
        ),
    )
    patient = by_id(answers["patient"], "Patient").get(patient_id)
    if patient is None:
        raise NotThere(patient_id)
    cares, actions, messages = _summary(answers["summary"])
    return page.render(
        "pages/patient.html",
        patient=patient,
        is_readable=answers["summary"].is_good,
        cares=cares,
        actions=actions,
        messages=messages,
        acts=await _acts(page, cares),
        visits=resources(answers["visits"]),
        series=resources(answers["series"], "List"),
        next_visit=_next_visit(page, resources(answers["visits"])),
        referrals=resources(answers["patient"], "ServiceRequest"),
        claims=_claims(answers),
        live=" ".join([patient_id, *(care["team"]["id"] for care in cares if care.get("team"))]),
    )


async def show_sent(page: Page) -> Response:
    """Show what was sent to a patient, by which channel, and whether it arrived."""
    patient_id = page.param("id")
    answers = await together(
        patient=page.calls.must_get("/referral/fhir/Patient", _id=patient_id),
        sent=page.calls.get(
            "/notifications/fhir/Communication",
            recipient=f"Patient/{patient_id}",
            _sort="-_lastUpdated",
            _count=50,
        ),
    )
    patient = by_id(answers["patient"], "Patient").get(patient_id)
    if patient is None:
        raise NotThere(patient_id)
    return page.render("pages/sent.html", patient=patient, sent=resources(answers["sent"]))


ROUTES = (
    form_page("/patients", show_list, search, parties=_PARTIES),
    page("/patients/{id}", show_one, parties=_PARTIES),
    page("/patients/{id}/sent", show_sent, parties=("coordinator",)),
)


def _sort_name(patient: Resource | None) -> tuple[bool, str]:
    return patient is None, person_name(patient).casefold()


def _summary(answer: Answer) -> tuple[list[dict[str, Any]], list[Resource], list[Resource]]:
    """Read what careteam says of a patient: the care of each team, open actions, the last messages."""
    said = parameters_of(answer.body) if answer.is_good else {}
    cares = [_care(one) for one in many(said.get("care"))]
    return cares, many(said.get("action")), many(said.get("message"))


def _care(said: Mapping[str, Any]) -> dict[str, Any]:
    trends = [Trend.of(one) for one in many(said.get("trend"))]
    forms = [intake.answered(one) for one in many(said.get("intake"))]
    return {**said, "goals": many(said.get("goal")), "trends": trends, "intake": forms}


async def _acts(page: Page, cares: Sequence[Mapping[str, Any]]) -> dict[str, list[Act]]:
    """Ask what may be done with each team and plan, by its id."""
    about = [care[part] for care in cares for part in ("team", "plan") if care.get(part)]
    addresses = {one["id"]: f"/careteam/fhir/{one['resourceType']}/{one['id']}" for one in about}
    calls = {known: page.calls.get(f"{address}/$available-actions") for known, address in addresses.items()}
    answers = await together(**calls)
    return {one: acts_of(answer.body) for one, answer in answers.items() if answer.is_good}


def _next_visit(page: Page, visits: Sequence[Resource] | None) -> Resource | None:
    coming = [
        one
        for one in visits or ()
        if one["status"] in ("booked", "arrived", "checked-in") and one.get("start")
    ]
    return next((one for one in coming if (moment_of(one["start"]) or page.now) >= page.now), None)


def _claims(answers: Mapping[str, Answer]) -> list[dict[str, Any]] | None:
    claims = resources(answers["claims"], "Claim")
    if claims is None:
        return None
    decisions = resources(answers["claims"], "ClaimResponse") or ()
    found = []
    for claim in claims:
        answer = newest([one for one in decisions if id_of(one.get("request")) == claim["id"]])
        asked = [
            (item["quantity"]["value"], code_of(item.get("productOrService")))
            for item in claim.get("item", ())
        ]
        found.append({"claim": claim, "status": status_of(claim, answer), "asked": asked})
    return found
