"""The clinic's directory beside what senders sent of the same types: read and searched, each in scope."""

from typing import Any
from uuid import uuid4

import httpx

from tests.integration.referral.doors import located, send
from tests.support.clinic import TestClinic
from tests.support.referrals import bundle

BASE = "/referral/fhir"


def with_people(body: dict[str, Any]) -> dict[str, Any]:
    """Send a doctor with her role and her practice along."""
    doctor, practice = f"urn:uuid:{uuid4()}", f"urn:uuid:{uuid4()}"
    sent: list[tuple[str, dict[str, Any]]] = [
        (
            doctor,
            {
                "resourceType": "Practitioner",
                "active": True,
                "identifier": [{"system": "https://doctors.example/id", "value": "61234"}],
                "name": [{"family": "Okafor-Smith", "given": ["Ada"]}],
            },
        ),
        (practice, {"resourceType": "Organization", "name": "Harbour Road Practice"}),
        (
            f"urn:uuid:{uuid4()}",
            {
                "resourceType": "PractitionerRole",
                "practitioner": {"reference": doctor},
                "organization": {"reference": practice},
            },
        ),
    ]
    for url, resource in sent:
        request = {"method": "POST", "url": resource["resourceType"]}
        body["entry"].append({"fullUrl": url, "resource": resource, "request": request})
    return body


def ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    found = answer.json()
    matches = [one for one in found.get("entry", []) if one["search"]["mode"] == "match"]
    assert found["total"] == len(matches)
    return {one["resource"]["id"] for one in matches}


async def test_a_search_finds_the_clinics_and_those_of_ones_own_referrals() -> None:
    async with TestClinic() as clinic:
        sent = await send(clinic, with_people(bundle()))
        await clinic.settle()
        doctor, practice, role = (
            located(sent, kind) for kind in ("Practitioner", "Organization", "PractitionerRole")
        )
        own, other = clinic.as_("family-practice"), clinic.as_("second-practice")

        assert ids(await own.get(f"{BASE}/Practitioner?family=okafor")) == {"physiatrist", doctor}
        assert ids(await other.get(f"{BASE}/Practitioner?family=okafor")) == {"physiatrist"}
        for reader in ("coordinator", "family-practice"):
            found = await clinic.as_(reader).get(f"{BASE}/Practitioner?name=okafor-s&active=true")
            assert ids(found) == {doctor}
        assert ids(await own.get(f"{BASE}/Practitioner?_id={doctor},psychologist")) == {
            doctor,
            "psychologist",
        }
        assert ids(await other.get(f"{BASE}/Practitioner?_id={doctor},psychologist")) == {"psychologist"}
        assert ids(await own.get(f"{BASE}/Practitioner?identifier=61234")) == {doctor}
        assert ids(await own.get(f"{BASE}/Organization?name=harbour")) == {"harbour-spine", practice}
        assert ids(await own.get(f"{BASE}/PractitionerRole?practitioner=Practitioner/{doctor}")) == {role}
        assert ids(await own.get(f"{BASE}/PractitionerRole?organization={practice}")) == {role}
        insurer = clinic.as_("workplace-insurer")
        assert ids(await insurer.get(f"{BASE}/Organization?name=harbour")) == {"harbour-spine"}


async def test_a_person_is_found_by_any_part_of_the_name_and_by_no_word_of_its_json() -> None:
    async with TestClinic() as clinic:
        doctor = located(await send(clinic, with_people(bundle())), "Practitioner")
        await clinic.settle()
        own = clinic.as_("family-practice")
        for name, expected in {
            "okafor": {"physiatrist", doctor},
            "ada": {"physiatrist", doctor},
            "ada okafor": {doctor},
            "adaeze okafor": {"physiatrist"},
        }.items():
            assert ids(await own.get(f"{BASE}/Practitioner?name={name}")) == expected
            for service in ("scheduling", "careteam", "notifications"):
                found = ids(await own.get(f"/{service}/fhir/Practitioner?name={name}"))
                assert found == expected - {doctor}
        assert ids(await own.get(f"{BASE}/Practitioner?name:exact=Okafor-Smith")) == {doctor}
        assert ids(await own.get(f"{BASE}/Practitioner?name:contains=family")) == set()


async def test_each_is_read_by_its_id_and_followed_by_includes() -> None:
    async with TestClinic() as clinic:
        sent = await send(clinic, with_people(bundle()))
        await clinic.settle()
        doctor, role = located(sent, "Practitioner"), located(sent, "PractitionerRole")
        own, other = clinic.as_("family-practice"), clinic.as_("second-practice")
        for what in ("", "/_history", "/_history/1"):
            assert (await own.get(f"{BASE}/Practitioner/{doctor}{what}")).status_code == 200
            assert (await other.get(f"{BASE}/Practitioner/{doctor}{what}")).status_code == 404
            for reader in (own, other):
                assert (await reader.get(f"{BASE}/Practitioner/physiatrist{what}")).status_code == 200
        page = (await own.get(f"{BASE}/PractitionerRole?_id={role}&_include=*")).json()
        added = {
            one["fullUrl"].rpartition("/fhir/")[2]
            for one in page["entry"]
            if one["search"]["mode"] == "include"
        }
        assert f"Practitioner/{doctor}" in added
        back = (
            await own.get(f"{BASE}/Practitioner?_id={doctor}&_revinclude=PractitionerRole:practitioner")
        ).json()
        assert role in {one["resource"]["id"] for one in back["entry"]}


async def test_pages_go_through_both() -> None:
    async with TestClinic() as clinic:
        sent = await send(clinic, with_people(bundle()))
        await clinic.settle()
        caller, seen = clinic.as_("family-practice"), list[str]()
        address = f"{BASE}/Practitioner?_count=2&_sort=family"
        while address:
            page = (await caller.get(address)).json()
            seen += [entry["resource"]["id"] for entry in page["entry"]]
            address = next((one["url"] for one in page["link"] if one["relation"] == "next"), "")
        assert len(seen) == len(set(seen)) == len(clinic.clinic.people) + 1
        assert located(sent, "Practitioner") in seen
