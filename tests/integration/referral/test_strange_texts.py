"""Whatever text a referral, an answer or an operation holds: stored whole or refused by name, never a 5xx."""

from copy import deepcopy
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.referral.models.questions import URGENT_FLAGS
from tests.integration.referral.doors import located, response, task_of
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.strange_texts import TEXTS, encoded, refused_by_name

Steps = tuple[Any, ...]
BASE = "/referral/fhir"
JSON = {"Content-Type": "application/fhir+json"}
# What makes the rules leave a referral to a person.
LOOKED_AT = {next(iter(URGENT_FLAGS)): "UNK"}
_ANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
# Where a text stands in the sending: resource type and steps; each ends in a column or in the bytes.
PLACES: list[tuple[str, Steps]] = [
    ("Patient", ("identifier", 0, "value")),
    ("Patient", ("identifier", 0, "system")),
    ("Patient", ("name", 0, "family")),
    ("Patient", ("name", 0, "given", 0)),
    ("Patient", ("birthDate",)),
    ("ServiceRequest", ("identifier", 0, "value")),
    ("ServiceRequest", ("identifier", 0, "system")),
    ("ServiceRequest", ("code", "text")),
    ("ServiceRequest", ("reasonCode", 0, "text")),
    ("ServiceRequest", ("priority",)),
    ("ServiceRequest", ("authoredOn",)),
    ("Coverage", ("subscriberId",)),
    ("Coverage", ("payor", 0, "display")),
    ("Organization", ("identifier", 0, "value")),
    ("Organization", ("identifier", 0, "system")),
    ("Organization", ("name",)),
    ("DocumentReference", ("status",)),
    ("DocumentReference", ("identifier", 0, "value")),
    ("DocumentReference", ("content", 0, "attachment", "title")),
]
_MORE: list[dict[str, Any]] = [
    {"resourceType": "Organization", "identifier": [{"system": "urn:o", "value": "1"}], "name": "Elm Street"},
    {
        "resourceType": "DocumentReference",
        "status": "current",
        "identifier": [{"system": "urn:d", "value": "1"}],
        "content": [{"attachment": {"title": "Letter"}}],
    },
]


def sending() -> dict[str, Any]:
    sent = referrals.bundle()
    for resource in _MORE:
        request = {"method": "POST", "url": resource["resourceType"]}
        sent["entry"].append(
            {"fullUrl": f"urn:uuid:{uuid4()}", "resource": deepcopy(resource), "request": request}
        )
    return sent


def put_in(sent: dict[str, Any], kind: str, steps: Steps, text: str) -> None:
    place: Any = referrals.resource(sent, kind)
    *way, last = steps
    for step in way:
        place = place[step]
    place[last] = text


def text_at(resource: Any, steps: Steps) -> str:
    for step in steps:
        resource = resource[step]
    return str(resource)


@pytest.mark.parametrize("door", ["", "/ServiceRequest/$validate"])
@_ANY
@given(place=st.sampled_from(PLACES), text=TEXTS)
async def test_in_a_sending(clinic: TestClinic, door: str, place: tuple[str, Steps], text: str) -> None:
    kind, steps = place
    sent = sending()
    put_in(sent, kind, steps, text)
    client = clinic.as_("family-practice")
    answer = await client.post(f"{BASE}{door}", content=encoded(sent), headers=JSON)
    if answer.status_code == 409:
        assert (kind, steps[0]) == ("ServiceRequest", "identifier"), "this came before, for another patient"
    elif answer.status_code != 200:
        last = next(step for step in reversed(steps) if isinstance(step, str))
        assert refused_by_name(answer, last, f"{last}[0]"), (place, answer.text)
    elif not door:
        stored = await client.get(f"{BASE}/{kind}/{located(answer, kind)}")
        assert text_at(stored.json(), steps) == text


@_ANY
@given(operation=st.sampled_from(["request-information", "decline", "close"]), text=TEXTS)
async def test_in_the_reason_of_an_operation(clinic: TestClinic, operation: str, text: str) -> None:
    sent = await clinic.as_("family-practice").post(BASE, json=referrals.bundle(answers=LOOKED_AT))
    referral, words = located(sent), {"name": "reason", "valueString": text}
    answer = await clinic.as_("coordinator").post(
        f"{BASE}/ServiceRequest/{referral}/${operation}",
        content=encoded({"resourceType": "Parameters", "parameter": [words]}),
        headers=JSON,
    )
    if answer.status_code == 200:
        task = await task_of(clinic, referral)
        assert text.strip() in str(task["statusReason"]["text"])
    else:
        assert refused_by_name(answer, "parameter[0].value.ofType(string)", "where(name='reason')"), (
            answer.text
        )


@_ANY
@given(text=TEXTS)
async def test_in_what_a_sender_says_with_an_acknowledgement(clinic: TestClinic, text: str) -> None:
    client = clinic.as_("family-practice")
    emergency = referrals.bundle(answers={"saddle-anaesthesia": "Y"})
    referral = located(await client.post(BASE, json=emergency))
    body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": text}]}
    path = f"{BASE}/ServiceRequest/{referral}/$acknowledge"
    answer = await client.post(path, content=encoded(body), headers=JSON)
    if answer.status_code != 200:
        assert refused_by_name(answer, "parameter[0].value.ofType(string)", "where(name='reason')"), (
            answer.text
        )


@_ANY
@given(text=TEXTS, place=st.sampled_from(["text", "system", "code"]))
async def test_in_the_reason_of_a_task_that_is_handed_back(clinic: TestClinic, text: str, place: str) -> None:
    await clinic.as_("family-practice").post(BASE, json=referrals.bundle(answers=LOOKED_AT))
    query = "code=review-referral&_sort=-_lastUpdated&_count=1"
    task = (await clinic.as_("coordinator").get(f"{BASE}/Task?{query}")).json()["entry"][0]["resource"]
    coding = {"system": "urn:why", "code": "x"}
    why = {"coding": [coding], "text": "Not for us"}
    (why if place == "text" else coding)[place] = text
    answer = await clinic.as_("coordinator").put(
        f"{BASE}/Task/{task['id']}",
        content=encoded(task | {"status": "rejected", "statusReason": why}),
        headers=JSON | {"If-Match": f'W/"{task["meta"]["versionId"]}"'},
    )
    if answer.status_code == 200:
        kept = answer.json()["statusReason"]
        assert (kept if place == "text" else kept["coding"][0])[place].strip() == text.strip()
    else:
        assert refused_by_name(answer, place), answer.text


@_ANY
@given(text=TEXTS, place=st.sampled_from(["value", "title"]))
async def test_in_what_is_added_to_a_referral(clinic: TestClinic, text: str, place: str) -> None:
    client = clinic.as_("family-practice")
    sent = await client.post(BASE, json=referrals.bundle())
    added = deepcopy(_MORE[1]) | {"subject": {"reference": f"Patient/{located(sent, 'Patient')}"}}
    part = added["identifier"][0] if place == "value" else added["content"][0]["attachment"]
    part[place] = text
    body = {"resourceType": "Parameters", "parameter": [{"name": "answers", "resource": added}]}
    path = f"{BASE}/ServiceRequest/{located(sent)}/$provide-information"
    answer = await client.post(path, content=encoded(body), headers=JSON)
    assert answer.status_code == 200 or refused_by_name(answer, place), answer.text


@_ANY
@given(member=st.sampled_from(["disposition", "preAuthRef"]), text=TEXTS)
async def test_in_an_insurers_answer(clinic: TestClinic, member: str, text: str) -> None:
    practice, insurer = clinic.as_("family-practice"), clinic.as_("workplace-insurer")
    located(await practice.post(BASE, json=referrals.bundle(payer="workplace-insurer")))
    claims = await insurer.get(f"{BASE}/Claim?_sort=-_lastUpdated&_count=1")
    body = response(claims.json()["entry"][0]["resource"], "A1", **{member: text})
    answer = await insurer.post(f"{BASE}/ClaimResponse", content=encoded(body), headers=JSON)
    if answer.status_code == 201:
        assert answer.json()[member] == text
    else:
        assert refused_by_name(answer, member), answer.text


@_ANY
@given(text=TEXTS)
async def test_in_what_is_asked(clinic: TestClinic, text: str) -> None:
    # No HTTP client sends a longer address.
    typed = text.encode("utf-8", "replace").decode()[:3_000]
    for client, address, name in (
        ("coordinator", "Patient", "identifier"),
        ("coordinator", "Patient", "family"),
        ("coordinator", "Task", "patient"),
        ("coordinator", "AuditEvent", "patient"),
        ("coordinator", "Task", "_sort"),
        ("coordinator", "Task", "_after"),
    ):
        for form in (False, True):
            if form and address == "AuditEvent":
                continue
            http, path = clinic.as_(client), f"{BASE}/{address}"
            answer = (
                await http.post(f"{path}/_search", data={name: typed})
                if form
                else await http.get(path, params={name: typed})
            )
            assert answer.status_code == 200 or refused_by_name(answer, name), (address, name, answer.text)


@_ANY
@given(text=TEXTS, name=st.sampled_from(["Idempotency-Key", "If-None-Exist"]))
async def test_in_a_header(clinic: TestClinic, text: str, name: str) -> None:
    typed = text.encode("utf-8", "replace").decode("latin-1")
    if name == "If-None-Exist":
        typed = f"identifier={quote(f'urn:x|{typed}')}"
    request = referrals.resource(referrals.bundle(), "ServiceRequest")
    patient = referrals.a_patient() | {"id": "p"}
    body = request | {"subject": {"reference": "#p"}, "contained": [patient]}
    answer = await clinic.as_("family-practice").post(
        f"{BASE}/ServiceRequest", json=body, headers={name: typed.encode("latin-1", "replace")}
    )
    # A text that is tried twice is a key or a condition that is there already.
    known = answer.status_code == 200 or "came before" in answer.text
    assert answer.status_code == 201 or known or refused_by_name(answer, name), answer.text
