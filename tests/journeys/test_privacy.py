"""A patient's name, planted wherever a sender can put it, is nowhere but in the patient's own record."""

import json
from typing import Any

from deploy.demo.bundles import example
from tests.support.clinic import TestClinic
from tests.support.mailbox import open_mailbox
from tests.support.redaction import watching

NAME = "Featherstonehaugh"
FHIR = {"content-type": "application/fhir+json"}
# What a clinic says when it starts, whatever is sent to it.
FROM_THE_START = ("meeting.scheduled", "directory.changed", "roster.changed")


def _planted(clinic: TestClinic) -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(example("04-workplace-insurer.json", at=clinic.clock.now()))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"family": NAME, "given": [NAME]}]
            resource["identifier"][0]["value"] = f"{NAME}-1"
        if resource["resourceType"] == "ServiceRequest":
            resource["identifier"][0]["value"] = f"{NAME}-2"
            resource["code"]["text"] = f"Back pain of {NAME}"
            resource["reasonCode"][0]["text"] = f"{NAME} cannot sit"
    return bundle


def _poison() -> dict[str, Any]:
    """An event that nobody can handle, so that something is said in the log."""
    return {
        "resourceType": "ServiceRequest",
        "id": "7",
        "subject": {"reference": "Patient/7", "display": NAME},
        "note": [{"text": NAME}],
    }


async def test_a_planted_name_is_in_no_log_trace_metric_key_or_mail() -> None:
    with watching() as told:
        async with open_mailbox() as mailbox, TestClinic(smtp_url=mailbox.url) as clinic:
            sender = clinic.as_("family-practice")
            headers = FHIR | {"x-request-id": NAME, "idempotency-key": f"key-of-{NAME}", "x-patient": NAME}
            answer = await sender.post("/referral/fhir", json=_planted(clinic), headers=headers)
            assert answer.status_code == 200, answer.text
            await sender.get("/referral/fhir/Patient", params={"identifier": f"x|{NAME}-1", "family": NAME})
            await sender.get("/referral/fhir/Task", params={"nothing": NAME})
            await sender.get(f"/referral/fhir/Patient/{NAME}")
            await sender.get(f"/{NAME}")
            broken = _planted(clinic)
            broken["entry"][0]["resource"]["gender"] = NAME
            refused = await sender.post("/referral/fhir", json=broken, headers=FHIR)
            assert refused.status_code == 422
            await clinic.anonymous().get("/referral/fhir/Patient", params={"family": NAME})
            await clinic.days(3)
            assert await clinic.events("appointment.booked")
            await clinic.publish("referral.accepted", focus=_poison(), version=0)
            await clinic.settle()
            await told.read(clinic.databases.values(), clinic.workers)
    told.must_not_hold(NAME)
    assert told.log
    assert told.spans.get_finished_spans()
    assert told.events
    assert mailbox.letters
    assert not [letter for letter in mailbox.letters if NAME in letter.as_string()]


async def test_one_trace_leads_from_the_referral_to_the_last_notification() -> None:
    with watching() as told:
        async with TestClinic() as clinic:
            body = example("01-rapid-access-routine.json", at=clinic.clock.now())
            answer = await clinic.as_("family-practice").post("/referral/fhir", content=body, headers=FHIR)
            assert answer.status_code == 200, answer.text
            await clinic.settle()
            events = await clinic.events()
    spans = told.spans.get_finished_spans()
    door = next(span for span in spans if " POST " in span.name)
    trace = format(door.context.trace_id, "032x")
    caused = [event for event in events if event.type not in FROM_THE_START]
    assert {event.type for event in caused} >= {"referral.received", "appointment.booked", "careteam.formed"}
    astray = [event.type for event in caused if trace not in str(event.traceparent)]
    assert astray == []
    assert any(event.type.startswith("notification.") for event in caused)
