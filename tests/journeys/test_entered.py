"""What the clinic entered is told to its sender; what a patient asked for themselves, to the coordinator."""

from tests.integration.referral.test_entered_by_the_clinic import allowing, by_the_patient, faxed
from tests.support.clinic import TestClinic
from tests.support.sql import sql


async def told_of(clinic: TestClinic, event: str) -> set[str]:
    await clinic.settle()
    async with clinic.databases["notifications"].transaction() as tx:
        rows = await sql(tx, "SELECT recipient FROM notification WHERE event_type = :event", event=event)
        return {row.recipient for row in rows}


async def test_its_sender_is_told_by_e_mail_and_of_the_visit_too() -> None:
    async with TestClinic() as clinic:
        answer = await clinic.as_("coordinator").post("/referral/fhir", json=faxed())
        assert answer.status_code == 200, answer.text
        assert await told_of(clinic, "referral.entered") == {"Organization/family-practice"}
        assert await told_of(clinic, "appointment.booked") >= {"Organization/family-practice"}
        visits = await clinic.as_("family-practice").get("/scheduling/fhir/Appointment")
        assert visits.json()["total"] == 1


async def test_a_fax_of_last_week_breaks_its_promise_four_weeks_after_it_came() -> None:
    async with TestClinic() as clinic:
        sent = faxed(arrived={"valueDate": "2026-02-23"})
        assert (await clinic.as_("coordinator").post("/referral/fhir", json=sent)).status_code == 200
        await clinic.settle()
        answer = await clinic.as_("coordinator").get("/scheduling/fhir/Task?code=guarantee")
        [guarantee] = [entry["resource"] for entry in answer.json()["entry"]]
        assert guarantee["restriction"]["period"]["end"].startswith("2026-03-24T04:00")


async def test_of_a_self_referral_the_coordinator_is_told_what_a_referrer_would_be() -> None:
    async with TestClinic(clinic=allowing("rapid-access")) as clinic:
        answer = await clinic.as_("coordinator").post("/referral/fhir", json=by_the_patient())
        assert answer.status_code == 200, answer.text
        for event in ("referral.entered", "referral.accepted"):
            assert await told_of(clinic, event) == {"Device/coordinator"}, event
        async with clinic.databases["notifications"].transaction() as tx:
            undelivered = await sql(
                tx, "SELECT reason FROM notification WHERE recipient LIKE 'Organization/%'"
            )
            assert list(undelivered) == []
        visits = await clinic.as_("family-practice").get("/scheduling/fhir/Appointment")
        assert visits.json()["total"] == 0
