"""A referral that came by fax: the coordinator enters it with its scan, and the practice sees it as its own.

What is missing the practice says by telephone, and the patient's new number is corrected in the clinic's
record.
"""

from deploy.demo.acts import business_status, expect_told, process_task
from deploy.demo.bundles import example
from deploy.demo.care import patient_of, see_first
from deploy.demo.stories.s16_mri_report import report_pdf
from deploy.demo.story import Resource, StepMissed, Story, location_of
from shared.fhir.codes import CHANNEL_CONSENT_EXTENSION

TITLE = "Came by fax"
_LINES = ("Elm Street Family Practice", "Referral for assessment of low back pain, by fax.")


async def play(story: Story) -> None:
    """Enter a fax, add its scan, answer by telephone what it lacks, and correct the patient's number."""
    await story.until(7, "10:00")
    answer = await story.send("coordinator", "17-came-by-fax.json")
    referral, patient = location_of(answer, "ServiceRequest"), location_of(answer, "Patient")
    await _add_scan(story, referral, patient)
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect("the practice sees what is missing", business_status(task) == "information-requested", task)
    scans = await story.find("family-practice", f"/referral/fhir/DocumentReference?patient={patient}")
    story.expect("the practice sees the scan", len(scans) == 1, len(scans))
    await expect_told(story, referral, "referral.entered", "family-practice")
    await story.act("second-practice", "GET", f"/referral/fhir/ServiceRequest/{referral}", status=404)

    await story.until(7, "14:00")
    await story.act(
        "coordinator",
        "POST",
        f"/referral/fhir/ServiceRequest/{referral}/$provide-information",
        body=example("17-came-by-fax-answers.json", at=story.clock.now()),
    )
    story.note("coordinator", "writes down what the practice says", "$provide-information")
    await story.settled()
    task = await process_task(story, "family-practice", referral)
    story.expect("it is accepted and booked", business_status(task) == "booked", business_status(task))

    await _correct(story, referral)
    await see_first(story, referral)


async def _add_scan(story: Story, referral: str, patient: str) -> None:
    client = await story.parties("coordinator")
    scan = report_pdf(_LINES)
    kept = await client.post(
        "/referral/fhir/Binary", content=scan, headers={"content-type": "application/pdf"}
    )
    if kept.status_code != 201:
        raise StepMissed(f"the upload answered {kept.status_code}: {kept.text[:600]}")
    body: Resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": "The fax"},
        "subject": {"reference": f"Patient/{patient}"},
        "content": [{"attachment": {"contentType": "application/pdf", "url": f"Binary/{kept.json()['id']}"}}],
        "context": {"related": [{"reference": f"ServiceRequest/{referral}"}]},
    }
    await story.act("coordinator", "POST", "/referral/fhir/DocumentReference", body=body)
    story.note("coordinator", "adds the scan of the fax", "POST DocumentReference")


async def _correct(story: Story, referral: str) -> None:
    """Correct the patient's telephone, with their consent to text messages."""
    path = f"/referral/fhir/{await patient_of(story, referral)}"
    before = await story.read("coordinator", path)
    number = [{"system": "phone", "value": "+1-416-555-9021", "use": "mobile", "rank": 1}]
    ended = [point | {"use": "old"} for point in before["telecom"]]
    today = story.clock.now().astimezone(story.zone).date().isoformat()
    said = [{"url": "channel", "valueCode": "sms"}, {"url": "permitted", "valueBoolean": True}]
    consent = {"url": CHANNEL_CONSENT_EXTENSION, "extension": [*said, {"url": "date", "valueDate": today}]}
    body = before | {"telecom": [*number, *ended], "extension": [consent]}
    version = int(before["meta"]["versionId"])
    await story.act("coordinator", "PUT", path, body=body, version=version)
    story.note("coordinator", "corrects the patient's telephone", "PUT Patient")
    await story.act("coordinator", "PUT", path, body=body, version=version, status=412)
    await story.settled()
    own = await story.read("family-practice", path)
    story.expect("the practice reads what it said", own["telecom"] == before["telecom"], own["telecom"])
