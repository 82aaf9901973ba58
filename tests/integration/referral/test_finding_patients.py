"""Patients are found by any part of a name, birth date, telephone and card; names stand in no address."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.referral.doors import located, send
from tests.support import referrals
from tests.support.clinic import TestClinic

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("finding patients")]

PATIENT = "/referral/fhir/Patient"
PEOPLE: dict[str, dict[str, Any]] = {
    "etienne": {
        "name": [
            {"use": "official", "family": "O'Brien-Gagné", "given": ["Étienne", "Luc"]},
            {"use": "maiden", "family": "Łukasiewicz"},
        ],
        "telecom": [{"system": "phone", "value": "+1 (416) 555-0101"}],
        "birthDate": "1992-05-03",
    },
    "etiennette": {"name": [{"text": "Étiennette Roy"}], "birthDate": "1992-05-21"},
    "year": {"name": [{"family": "Tienne", "given": ["Mei-Ling"]}], "birthDate": "1993"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(services=("referral",)) as running:
        for name, described in PEOPLE.items():
            sent = referrals.bundle(health_card=f"card-{name}")
            referrals.resource(sent, "Patient").update(described)
            assert located(await send(running, sent))
        other = referrals.bundle(family="Étiennebourg")
        answer = await running.as_("second-practice").post("/referral/fhir", json=other)
        assert answer.status_code == 200, answer.text
        yield running


async def _found(clinic: TestClinic, asked: dict[str, str], *, by: str = "coordinator") -> list[str]:
    answer = await clinic.as_(by).post(f"{PATIENT}/_search", data=asked)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert bundle["total"] == len(bundle.get("entry", []))
    return [_name(entry["resource"]) for entry in bundle.get("entry", [])]


def _name(patient: dict[str, Any]) -> str:
    return str(patient["identifier"][0]["value"]).removeprefix("card-")


class TestByName:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("luc", {"etienne"}),
            ("LUKAS", {"etienne"}),
            ("gagne", {"etienne"}),
            ("obrien", {"etienne"}),
            ("o'brien", {"etienne"}),
            ("O\u2019Brien-Gagn\u00e9", {"etienne"}),
            ("etienne gagne", {"etienne"}),
            ("e gagne", {"etienne"}),
            ("roy etien", {"etiennette"}),
            ("ling", {"year"}),
            ("meiling", {"year"}),
            ("tienne", {"year"}),
            ("etienne,ling", {"etienne", "etiennette", "year"}),
            ("etienne roy luc", set()),
            ("zz", set()),
        ],
    )
    async def test_the_beginning_of_any_part_is_enough(
        self, clinic: TestClinic, text: str, found: set[str]
    ) -> None:
        assert set(await _found(clinic, {"name": text}, by="family-practice")) == found

    async def test_a_whole_part_stands_before_the_beginning_of_one(self, clinic: TestClinic) -> None:
        assert (await _found(clinic, {"name": "etienne"}))[0] == "etienne"
        assert len(await _found(clinic, {"name": "etienne"})) == 3

    @pytest.mark.parametrize("text", ["e", "é", "- -", "1", "e o"])
    async def test_less_than_two_letters_are_refused(self, clinic: TestClinic, text: str) -> None:
        answer = await clinic.as_("coordinator").post(f"{PATIENT}/_search", data={"name": text})
        assert answer.status_code in (400, 422)
        (issue,) = answer.json()["issue"]
        assert (issue["expression"], "two letters" in issue["details"]["text"]) == (["name"], True)

    async def test_pages_hold_each_once_in_the_order_of_the_whole_and_no_link_says_a_name(
        self, clinic: TestClinic
    ) -> None:
        asked, seen = {"name": "etienne", "_count": "1"}, []
        address = f"{PATIENT}/_search"
        for _ in range(3):
            page = (await clinic.as_("coordinator").post(address, data=asked)).json()
            assert "etienne" not in str(page["link"]).lower()
            seen += [_name(entry["resource"]) for entry in page["entry"]]
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            address = following[0].removeprefix("http://clinic.test") if following else ""
        assert seen == await _found(clinic, {"name": "etienne"})
        assert address == ""

    async def test_nobody_elses_patients_are_found(self, clinic: TestClinic) -> None:
        assert len(await _found(clinic, {"name": "etienne"}, by="family-practice")) == 2
        assert len(await _found(clinic, {"name": "etienne"}, by="second-practice")) == 1
        assert await _found(clinic, {"name": "etienne"}, by="physiatrist") == []
        assert (await clinic.as_("workplace-insurer").get(f"{PATIENT}?name=etienne")).status_code == 403


class TestByBirthDate:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("1992-05-03", {"etienne"}),
            ("1992-05", {"etienne", "etiennette"}),
            ("1992", {"etienne", "etiennette"}),
            ("1993", {"year"}),
            ("1993-01-01", set()),
            ("ge1992-05-21", {"etiennette", "year"}),
            ("gt1992", {"year"}),
            ("lt1992-05-21", {"etienne"}),
            ("le1992-05-21", {"etienne", "etiennette"}),
            ("1992-05-03,1993", {"etienne", "year"}),
        ],
    )
    async def test_a_day_a_month_a_year_or_a_bound(
        self, clinic: TestClinic, text: str, found: set[str]
    ) -> None:
        names = {name for name in await _found(clinic, {"birthdate": text}) if name in PEOPLE}
        assert names == found

    async def test_what_is_no_date_is_refused(self, clinic: TestClinic) -> None:
        answer = await clinic.as_("coordinator").get(f"{PATIENT}?birthdate=1992-13-01")
        assert answer.json()["issue"][0]["expression"] == ["birthdate"]
        assert answer.status_code in (400, 422)


class TestByNumber:
    @pytest.mark.parametrize("text", ["416 555 0101", "+14165550101", "1-416-555-0101", "phone|4165550101"])
    async def test_a_telephone_number_is_found_however_it_is_written(
        self, clinic: TestClinic, text: str
    ) -> None:
        assert await _found(clinic, {"phone": text}) == ["etienne"]

    @pytest.mark.parametrize("text", ["416", "email|4165550101", "none"])
    async def test_what_is_no_telephone_number_is_refused(self, clinic: TestClinic, text: str) -> None:
        answer = await clinic.as_("coordinator").post(f"{PATIENT}/_search", data={"phone": text})
        assert answer.status_code in (400, 422)
        assert answer.json()["issue"][0]["expression"] == ["phone"]

    @pytest.mark.parametrize("text", ["card-year", f"{referrals.HEALTH_CARD}|card-year"])
    async def test_a_card_is_found_with_and_without_its_system(self, clinic: TestClinic, text: str) -> None:
        assert await _found(clinic, {"identifier": text}) == ["year"]
        assert await _found(clinic, {"identifier": f"https://other.example|{text}"}) == []


async def test_a_correction_is_found_and_what_it_replaced_is_not() -> None:
    async with TestClinic(services=("referral",)) as clinic:
        located(await send(clinic, referrals.bundle(family="Before")))
        coordinator = clinic.as_("coordinator")
        (entry,) = (await coordinator.get(f"{PATIENT}?name=before")).json()["entry"]
        patient = entry["resource"] | {"name": [{"family": "Afterwards", "given": ["Noor"]}]}
        corrected = await coordinator.put(
            f"{PATIENT}/{patient['id']}", json=patient, headers={"If-Match": 'W/"1"'}
        )
        assert corrected.status_code == 200, corrected.text
        assert (await coordinator.get(f"{PATIENT}?name=after")).json()["total"] == 1
        assert (await coordinator.get(f"{PATIENT}?name=before")).json()["total"] == 0
        # The sender still reads what it said itself.
        sender = clinic.as_("family-practice")
        assert (await sender.get(f"{PATIENT}?name=before&birthdate=1980-05-17")).json()["total"] == 1


async def test_the_statement_names_what_patients_are_searched_by(clinic: TestClinic) -> None:
    statement = (await clinic.anonymous().get("/referral/fhir/metadata")).json()
    (patient,) = [one for one in statement["rest"][0]["resource"] if one["type"] == "Patient"]
    named = {param["name"]: param["type"] for param in patient["searchParam"]}
    assert named == {
        "identifier": "token",
        "family": "string",
        "given": "string",
        "name": "string",
        "birthdate": "date",
        "phone": "token",
    }
