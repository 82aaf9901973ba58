"""The family doctor's MRI report: sent as the PDF that it is, and read by the team before the first visit."""

import zlib

from deploy.demo.care import see_first, team_of
from deploy.demo.story import Resource, StepMissed, Story, location_of

TITLE = "An MRI report"
_BINARY = "/referral/fhir/Binary"
_LINES = ("MRI of the lumbar spine", "L4/L5: small central disc protrusion, no nerve root contact.")
_MRI = {"coding": [{"system": "http://loinc.org", "code": "24968-0"}], "text": "MRI of the lumbar spine"}


async def play(story: Story) -> None:
    """Send a referral, upload the report, name it in a DocumentReference, and read it as a clinician."""
    await story.until(6, "09:30")
    referral = location_of(await story.send("family-practice", "16-mri-report.json"), "ServiceRequest")
    await story.settled()
    report = report_pdf(_LINES)
    binary = await _upload(story, report)
    request = await story.read("family-practice", f"/referral/fhir/ServiceRequest/{referral}")
    body: Resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": _MRI,
        "subject": request["subject"],
        "content": [
            {"attachment": {"contentType": "application/pdf", "url": f"Binary/{binary}", "size": len(report)}}
        ],
        "context": {"related": [{"reference": f"ServiceRequest/{referral}"}]},
    }
    await story.act("family-practice", "POST", "/referral/fhir/DocumentReference", body=body)
    story.note("family-practice", "sends the MRI report", "POST DocumentReference")
    await story.settled()
    team = await team_of(story, "coordinator", referral)
    members = [one["member"]["reference"].rpartition("/")[2] for one in team["participant"]]
    patient = request["subject"]["reference"]
    found = await story.find(members[0], f"/referral/fhir/DocumentReference?patient={patient}")
    urls = [part["attachment"]["url"] for one in found for part in one["content"]]
    story.expect("a clinician of the team finds the report", f"Binary/{binary}" in urls, urls)
    content = (await story.act(members[0], "GET", f"{_BINARY}/{binary}")).content
    story.expect("it is the report byte by byte", content == report, len(content))
    story.note(members[0], "reads the MRI report", "GET Binary")
    refused = await story.act("second-practice", "GET", f"{_BINARY}/{binary}", status=404)
    story.expect("another practice does not see that there is one", refused.status_code == 404)
    await see_first(story, referral)


async def _upload(story: Story, report: bytes) -> str:
    client = await story.parties("family-practice")
    answer = await client.post(_BINARY, content=report, headers={"content-type": "application/pdf"})
    if answer.status_code != 201:
        raise StepMissed(f"the upload answered {answer.status_code}: {answer.text[:600]}")
    story.note("family-practice", "uploads a PDF", "POST Binary")
    return str(answer.json()["id"])


def report_pdf(lines: tuple[str, ...]) -> bytes:
    """Write a PDF of one page with these lines of text."""
    text = "\n".join(f"({line}) Tj T*" for line in lines)
    page = zlib.compress(f"BT /F1 12 Tf 72 720 Td 16 TL\n{text}\nET".encode("ascii"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(made))
    return bytes(made + head + table + trailer)
