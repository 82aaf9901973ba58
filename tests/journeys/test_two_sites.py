"""A clinic of two sites: a referral concerns the site of its programme, from the first event on."""

from datetime import UTC, datetime

import msgspec

from services.referral.models.questions import URGENT_FLAGS
from shared.clinic import load_clinic
from shared.events.topics import FEED
from shared.events.transport import event_log
from tests.integration.referral.doors import located, operate, send, task_of
from tests.support import referrals
from tests.support.clinic import EXAMPLE, TestClinic


async def test_the_coordinator_of_the_second_site_hears_of_its_referral() -> None:
    described = load_clinic(EXAMPLE)
    first = described.sites[0].model_copy(update={"id": "ottawa", "name": "Harbour Spine Ottawa"})
    of_toronto = next(one for one in described.clients if one.party == "coordinator")
    of_ottawa = of_toronto.model_copy(update={"id": "ottawa-desk", "site": "ottawa"})
    changes = {"sites": (first, *described.sites), "clients": (*described.clients, of_ottawa)}
    services = ("referral", "notifications")
    async with TestClinic(services=services, clinic=described.model_copy(update=changes)) as clinic:
        answer = await send(clinic, referrals.bundle(answers={next(iter(URGENT_FLAGS)): "Y"}))
        assert answer.status_code == 200, answer.text
        await clinic.settle(timeout=120)
        entries = await event_log.read(clinic.databases["notifications"], FEED, offset=0, limit=100)
        told = [msgspec.json.decode(entry.value) for entry in entries]
        assert [entry["type"] for entry in told][:2] == ["referral.received", "referral.triaged"]
        assert {entry["site"] for entry in told} == {"toronto"}
        assert "Device/coordinator" in await _messages(clinic, "coordinator")
        assert await _messages(clinic, "ottawa-desk") == []


async def _messages(clinic: TestClinic, client: str) -> list[str]:
    answer = await clinic.as_(client).get("/notifications/fhir/Communication")
    assert answer.status_code == 200, answer.text
    return [entry["resource"]["recipient"][0]["reference"] for entry in answer.json().get("entry", [])]


async def test_what_a_person_accepts_is_due_by_the_day_of_its_programmes_site() -> None:
    described = load_clinic(EXAMPLE)
    west = described.sites[0].model_copy(
        update={"id": "vancouver", "name": "Harbour Spine Vancouver", "time_zone": "America/Vancouver"}
    )
    programmes = tuple(
        programme.model_copy(update={"site": "vancouver"}) if programme.id == "chronic-pain" else programme
        for programme in described.programmes
    )
    changes = {"sites": (*described.sites, west), "programmes": programmes}
    start = datetime(2026, 3, 3, 6, tzinfo=UTC)
    described = described.model_copy(update=changes)
    async with TestClinic(services=("referral",), clinic=described, start=start) as clinic:
        answer = await send(clinic, referrals.bundle(answers={next(iter(URGENT_FLAGS)): "Y"}))
        words = {"reason": "looked at", "programme": "chronic-pain"}
        accepted = await operate(clinic, "physiotherapist", located(answer), "accept", **words)
        assert accepted.status_code == 200, accepted.text
        task = await task_of(clinic, located(answer))
        inputs = {given["type"]["coding"][0]["code"]: given for given in task["input"]}
        assert inputs["site"]["valueString"] == "vancouver"
        assert inputs["due-on"]["valueDate"] == "2026-03-07", "in Vancouver it was still the second of March"


async def test_a_coordinator_reads_who_saw_what_of_its_site_alone_and_a_privacy_officer_of_both() -> None:
    described = load_clinic(EXAMPLE)
    first = described.sites[0].model_copy(update={"id": "ottawa", "name": "Harbour Spine Ottawa"})
    of_toronto = next(one for one in described.clients if one.party == "coordinator")
    of_ottawa = of_toronto.model_copy(update={"id": "ottawa-desk", "site": "ottawa"})
    programmes = tuple(
        programme.model_copy(update={"site": "ottawa"}) if programme.id == "chronic-pain" else programme
        for programme in described.programmes
    )
    people = tuple(
        person.model_copy(update={"site": "ottawa"}) if person.id == "pain-physician" else person
        for person in described.people
    )
    changes = {
        "sites": (*described.sites, first),
        "clients": (*described.clients, of_ottawa),
        "programmes": programmes,
        "people": people,
    }
    async with TestClinic(clinic=described.model_copy(update=changes)) as clinic:
        patients = {}
        for site, programme in (("toronto", "rapid-access"), ("ottawa", "chronic-pain")):
            sent = referrals.bundle(programme=programme, family=site)
            answer = await send(clinic, sent)
            patients[site] = located(answer, "Patient")
        await clinic.settle(timeout=120)
        practice = clinic.as_("family-practice")
        for path in ("referral/fhir/Task", "referral/fhir/Patient", "scheduling/fhir/Appointment"):
            assert (await practice.get(f"/{path}")).status_code == 200
        for service in ("referral", "scheduling"):
            whole = await _named(clinic, "privacy-officer", service)
            assert whole == set(patients.values()), service
            assert await _named(clinic, "coordinator", service) == {patients["toronto"]}, service
            assert await _named(clinic, "ottawa-desk", service) == {patients["ottawa"]}, service
        for service in ("careteam", "notifications"):
            assert (await clinic.as_("ottawa-desk").get(f"/{service}/fhir/AuditEvent")).status_code == 200


async def _named(clinic: TestClinic, client: str, service: str) -> set[str]:
    """Name the patients of whom a client reads in AuditEvents."""
    answer = await clinic.as_(client).get(f"/{service}/fhir/AuditEvent?_count=200")
    assert answer.status_code == 200, answer.text
    found = [entity for entry in answer.json()["entry"] for entity in entry["resource"]["entity"]]
    named = {str(entity.get("what", {}).get("reference", "")) for entity in found}
    return {name.removeprefix("Patient/") for name in named if name.startswith("Patient/")}
