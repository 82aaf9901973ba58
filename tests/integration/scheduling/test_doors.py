"""Scheduling through its doors: HTTP, the event log and the timers, with the example clinic."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.fhir.codes import PROGRAMME_SYSTEM
from shared.ids import new_text_id
from tests.support.booking import accepted
from tests.support.clinic import TestClinic
from tests.support.context import earliest_clinic

APPOINTMENT = "/scheduling/fhir/Appointment"
PAT = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """Open the example as a clinic that gives the earliest time: what is full shows at once."""
    async with TestClinic(services=("scheduling",), clinic=earliest_clinic()) as running:
        yield running


async def refer(
    clinic: TestClinic, *, programme: str = "rapid-access", practice: str = "family-practice", **said: Any
) -> str:
    """Let `referral` say that it accepted a referral, and wait until all is done."""
    referral = new_text_id()
    event = accepted(referral, at=clinic.clock.now(), **said)
    task = event.carried("Task")[0]
    for one in task["input"]:
        if "valueCoding" in one:
            one["valueCoding"] = {"system": PROGRAMME_SYSTEM, "code": programme}
        if "valueReference" in one:
            one["valueReference"] = {"reference": f"Organization/{practice}"}
    await clinic.publish("referral.accepted", focus=event.focus, carries=[task])
    await clinic.settle()
    return referral


async def search(clinic: TestClinic, who: str, query: str) -> list[dict[str, Any]]:
    answer = await clinic.as_(who).get(f"/scheduling/fhir/{query}")
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


async def first_of(clinic: TestClinic, referral: str, who: str = "coordinator") -> dict[str, Any]:
    found = await search(clinic, who, f"Appointment?based-on=ServiceRequest/{referral}&_sort=_lastUpdated")
    return found[-1]


async def put(clinic: TestClinic, who: str, resource: dict[str, Any], version: str | None = None) -> Any:
    version = version or resource["meta"]["versionId"]
    return await clinic.as_(who).put(
        f"{APPOINTMENT}/{resource['id']}", json=resource, headers={"If-Match": f'W/"{version}"'}
    )


class TestReading:
    async def test_the_referrer_sees_the_booking_of_its_referral_and_nobody_elses(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic)
        found = await first_of(clinic, referral, "family-practice")
        assert found["status"] == "booked"
        assert found["participant"][0]["actor"]["reference"].startswith(
            "http://clinic.test/referral/fhir/Patient/"
        )
        assert await search(clinic, "second-practice", "Appointment") == []
        foreign = await clinic.as_("second-practice").get(f"{APPOINTMENT}/{found['id']}")
        assert foreign.status_code == 404

    async def test_a_clinician_sees_only_own_visits_while_there_is_no_team(self, clinic: TestClinic) -> None:
        await refer(clinic)
        assert len(await search(clinic, "physiotherapist", "Appointment?status=booked")) == 1
        assert await search(clinic, "psychologist", "Appointment") == []

    async def test_an_insurer_and_an_operator_see_nothing(self, clinic: TestClinic) -> None:
        await refer(clinic)
        for who in ("workplace-insurer", "operator"):
            assert (await clinic.as_(who).get(APPOINTMENT)).status_code == 403

    async def test_the_coordinator_sees_the_guarantee_of_each_referral(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        answer = await clinic.as_("coordinator").get("/scheduling/guarantee?status=on-track")
        assert answer.status_code == 200
        (row,) = answer.json()["rows"]
        assert (row["referral"], row["status"], row["raw_days"]) == (referral, "on-track", 1)
        assert row["first_appointment"]["status"] == "booked"
        assert (await clinic.as_("coordinator").get("/scheduling/guarantee?status=odd")).status_code == 400
        assert (await clinic.as_("family-practice").get("/scheduling/guarantee")).status_code == 403

    async def test_the_guarantee_is_a_task(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        (task,) = await search(clinic, "family-practice", f"Task?focus=ServiceRequest/{referral}")
        assert task["businessStatus"]["coding"][0]["code"] == "on-track"

    async def test_free_time_is_computed(self, clinic: TestClinic) -> None:
        query = (
            "Slot?schedule=Schedule/physiotherapist&start=ge2026-03-03T00:00:00Z&start=lt2026-03-04T00:00:00Z"
        )
        (before,) = await search(clinic, "coordinator", query)
        assert (before["start"], before["end"]) == ("2026-03-03T13:00:00Z", "2026-03-03T21:00:00Z")
        await refer(clinic)
        (after,) = await search(clinic, "coordinator", query)
        assert after["start"] == "2026-03-03T14:00:00Z"
        slot = await clinic.as_("coordinator").get(f"/scheduling/fhir/Slot/{after['id']}")
        assert slot.json()["status"] == "free"
        schedules = await search(clinic, "physiatrist", "Schedule?actor=Practitioner/psychologist")
        assert [one["id"] for one in schedules] == ["psychologist"]

    async def test_no_time_is_looked_for_that_is_not_free(self, clinic: TestClinic) -> None:
        assert await search(clinic, "coordinator", "Slot?status=busy") == []
        assert await search(clinic, "coordinator", "Slot?status=busy,free")
        empty = await clinic.as_("coordinator").get("/scheduling/fhir/Slot?status=busy")
        assert "entry" not in empty.json(), "FHIR knows no empty array"

    @pytest.mark.parametrize(
        "query",
        [
            "Slot?start=ge9999-12-31",
            "Slot?start=ge0001-01-01&start=lt0001-02-01",
            "Slot?start=lt0001-01-01T00:00:00%2B14:00",
            "Slot?start=gesoon",
            "Slot?start=2026-03-03",
            "Slot?start=ge2026-01-01&start=lt2027-01-01",
            "Slot?colour=red",
            "Schedule?colour=red",
            "Slot/physiatrist.99991231T2300Z",
            "Slot/physiatrist.00010101T0000Z",
        ],
    )
    async def test_a_look_that_cannot_be_taken_is_refused_with_its_place(
        self, clinic: TestClinic, query: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"/scheduling/fhir/{query}")
        assert answer.status_code in (400, 404), answer.text
        (issue,) = answer.json()["issue"]
        named = query.partition("?")[2].partition("=")[0]
        assert issue.get("expression", []) == ([named] if named else [])

    async def test_an_unknown_filter_of_the_guarantees_is_refused(self, clinic: TestClinic) -> None:
        answer = await clinic.as_("coordinator").get("/scheduling/guarantee?colour=red")
        assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, ["colour"])


class TestChanging:
    async def test_the_id_in_the_body_is_the_one_in_the_address(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        for wrong in (first | {"id": "another"}, {k: v for k, v in first.items() if k != "id"}):
            answer = await clinic.as_("coordinator").put(
                f"{APPOINTMENT}/{first['id']}", json=wrong, headers={"If-Match": 'W/"1"'}
            )
            assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (422, ["Appointment.id"])

    async def test_needs_the_version_that_it_changes(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        answer = await clinic.as_("coordinator").put(f"{APPOINTMENT}/{first['id']}", json=first)
        assert answer.status_code == 422
        assert (await put(clinic, "coordinator", first, version="7")).status_code == 412

    async def test_a_clinician_records_an_own_visit(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        early = await put(clinic, "physiotherapist", first | {"status": "fulfilled"})
        assert early.status_code == 409
        await clinic.days(2)
        assert (await put(clinic, "psychologist", first | {"status": "fulfilled"})).status_code == 404
        seen = await put(clinic, "physiotherapist", first | {"status": "fulfilled"})
        assert seen.status_code == 200, seen.text
        assert seen.headers["ETag"] == 'W/"2"'
        await clinic.settle()
        assert len(await clinic.events("guarantee.met")) == 1

    async def test_a_correction_may_name_the_version_that_it_corrects(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        await clinic.days(2)
        assert (await put(clinic, "coordinator", first | {"status": "arrived"})).status_code == 200
        address = f"{APPOINTMENT}/{first['id']}/$correct-status"
        said = [{"name": "status", "valueCode": "booked"}, {"name": "reason", "valueString": "Another."}]
        body = {"resourceType": "Parameters", "parameter": said}
        client = clinic.as_("coordinator")
        stale = await client.post(address, json=body, headers={"If-Match": 'W/"1"'})
        assert stale.status_code == 412, stale.text
        assert (await first_of(clinic, first["basedOn"][0]["reference"].split("/")[-1]))[
            "status"
        ] == "arrived"
        right = await client.post(address, json=body, headers={"If-Match": 'W/"2"'})
        assert (right.status_code, right.json()["status"]) == (200, "booked"), right.text
        unseen = f"{APPOINTMENT}/{first['id']}/$leave-unseen"
        stale = await client.post(unseen, json={"resourceType": "Parameters"}, headers={"If-Match": 'W/"2"'})
        assert stale.status_code == 412, stale.text

    async def test_a_visit_that_became_anothers_is_not_answered_again(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        await clinic.days(2)
        sent = {"If-Match": 'W/"1"', "Idempotency-Key": "one"}
        client, address = clinic.as_("physiotherapist"), f"{APPOINTMENT}/{first['id']}"
        for expected in (200, 200, 404):
            answer = await client.put(address, json=first | {"status": "arrived"}, headers=sent)
            assert answer.status_code == expected, answer.text
            async with clinic.databases["scheduling"].transaction() as tx:
                if answer.headers.get("idempotent-replayed"):
                    await tx.run("UPDATE appointment SET practitioner = 'physiotherapist-2'")

    async def test_a_missed_visit_is_booked_again(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        first = await first_of(clinic, referral)
        await clinic.days(2)
        assert (await put(clinic, "coordinator", first | {"status": "noshow"})).status_code == 200
        await clinic.settle()
        again = await first_of(clinic, referral)
        assert (again["status"], again["id"] != first["id"]) == ("booked", True)
        told = [event.type for event in await clinic.events()]
        assert told[-2:] == ["appointment.missed", "appointment.booked"]

    async def test_a_referrer_may_not_change_it(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic), "family-practice")
        assert (await put(clinic, "family-practice", first)).status_code == 403

    async def test_what_may_not_change_is_named(self, clinic: TestClinic) -> None:
        first = await first_of(clinic, await refer(clinic))
        answer = await put(clinic, "coordinator", first | {"participant": first["participant"][:1]})
        assert answer.status_code == 422
        assert answer.json()["issue"][0]["expression"] == ["Appointment.participant"]

    async def test_the_time_freed_by_one_goes_to_the_next(self, clinic: TestClinic) -> None:
        referrals = [await refer(clinic, programme="chronic-pain") for _ in range(5)]
        waiting = await first_of(clinic, referrals[-1])
        assert waiting["status"] == "waitlist"
        freed = await first_of(clinic, referrals[1])
        await clinic.publish(
            "referral.revoked", focus=(await _request(clinic, referrals[1], freed)), carries=[]
        )
        await clinic.settle()
        booked = await first_of(clinic, referrals[-1])
        assert (booked["status"], booked["start"]) == ("booked", freed["start"])


class TestTimers:
    async def test_at_risk_and_breached_come_by_themselves(self, clinic: TestClinic) -> None:
        referrals = [await refer(clinic, programme="chronic-pain") for _ in range(5)]
        assert len(await clinic.events("guarantee.at-risk")) == 1
        await clinic.at(clinic.clock.now() + timedelta(days=29))
        breached = await clinic.events("guarantee.breached")
        assert [event.focus["focus"]["reference"].rpartition("/")[2] for event in breached] == [referrals[-1]]
        assert (await first_of(clinic, referrals[-1]))["status"] == "booked"


async def _request(clinic: TestClinic, referral: str, first: dict[str, Any]) -> dict[str, Any]:
    patient = first["participant"][0]["actor"]["reference"].rpartition("/")[2]
    return {
        "resourceType": "ServiceRequest",
        "id": referral,
        "status": "revoked",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
    }


@pytest.mark.parametrize("path", ["Appointment/none", "List/none", "Task/none", "Slot/none", "Schedule/none"])
async def test_what_is_not_there_is_404(clinic: TestClinic, path: str) -> None:
    assert (await clinic.as_("coordinator").get(f"/scheduling/fhir/{path}")).status_code == 404
