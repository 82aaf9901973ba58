"""The audit: valid AuditEvents, read by coordinators and nobody else."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fhir.resources.R4B.auditevent import AuditEvent

from tests.conftest import MakeDatabase
from tests.support.toy import Base, Toy, run_toy

NOTES = "/fhir/Communication"
PATIENT = "0191d4b2-7a70-7000-8000-00000000000a"


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    toy = await run_toy(await make_database(Base.metadata))
    about = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    made = await toy.as_("family-practice").post(NOTES, json=about)
    await toy.as_("family-practice").get(f"{NOTES}/{made.json()['id']}")
    await toy.as_("family-practice").get(NOTES, params={"subject": PATIENT})
    await toy.as_("second-practice").get(f"{NOTES}/{made.json()['id']}")
    yield toy


async def read(toy: Toy, **params: Any) -> dict[str, Any]:
    answer = await toy.as_("coordinator").get("/fhir/AuditEvent", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def events(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["resource"] for one in bundle.get("entry", ())]


class TestAuditEvents:
    async def test_are_valid_and_name_the_balp_pattern(self, toy: Toy) -> None:
        found = events(await read(toy))
        for event in found:
            AuditEvent.model_validate_json(json.dumps(event))
        patterns = [event.get("meta", {}).get("profile", ["none"])[0].rpartition(".")[2] for event in found]
        assert patterns == ["none", "PatientQuery", "PatientRead", "PatientCreate"]

    async def test_tell_who_did_what_by_which_request(self, toy: Toy) -> None:
        (created,) = [one for one in events(await read(toy)) if one["action"] == "C"]
        assert [agent["who"] for agent in created["agent"] if agent["requestor"]] == [
            {"reference": "Organization/family-practice"}
        ]
        assert created["recorded"] == "2026-03-02T13:00:00.000Z"
        kinds = [entity["type"]["code"] for entity in created["entity"]]
        assert kinds == ["1", "2", "XrequestId"]

    async def test_of_refusals_tell_which(self, toy: Toy) -> None:
        refused = events(await read(toy))[0]
        assert (refused["outcome"], refused["outcomeDesc"]) == ("4", "NoSuchResource: not-found")

    async def test_are_found_by_patient_and_date(self, toy: Toy) -> None:
        assert (await read(toy, patient=f"Patient/{PATIENT}"))["total"] == 3
        assert (await read(toy, patient="somebody-else"))["total"] == 0
        assert (await read(toy, date="2026-03-02"))["total"] == 6
        assert (await read(toy, date="lt2026-03-02"))["total"] == 0
        assert (await read(toy, date="gt2026-03-02T13:00:00Z"))["total"] == 0
        beyond = await toy.as_("coordinator").get("/fhir/AuditEvent?date=9999-12-31")
        assert (beyond.status_code, beyond.json()["issue"][0]["expression"]) == (422, ["date"])

    async def test_come_in_pages(self, toy: Toy) -> None:
        first = await read(toy, _count="3")
        links = {link["relation"]: link["url"] for link in first["link"]}
        rest = await toy.as_("coordinator").get(links["next"].removeprefix("http://clinic.test/toy"))
        seen = [event["id"] for event in (*events(first), *events(rest.json()))]
        assert len(seen) == len(set(seen)) >= 4

    @pytest.mark.parametrize("party", ["family-practice", "workplace-insurer", "physiotherapist", "operator"])
    async def test_are_read_by_nobody_else(self, toy: Toy, party: str) -> None:
        assert (await toy.as_(party).get("/fhir/AuditEvent")).status_code == 403

    @pytest.mark.parametrize(
        "wrong", [{"colour": "red"}, {"date": "soon"}, {"_count": "-1"}, {"_after": "%%"}]
    )
    async def test_refuse_what_they_cannot_be_asked(self, toy: Toy, wrong: dict[str, str]) -> None:
        answer = await toy.as_("coordinator").get("/fhir/AuditEvent", params=wrong)
        assert answer.status_code in (400, 422)
