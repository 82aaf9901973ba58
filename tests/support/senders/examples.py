"""Every example of a sender that the table of `docs/conformance.md` names, and the file that it follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support import referrals
from tests.support.samples import sample_resources
from tests.support.senders import bars, bser, erec, philippines, synthea

Resource = dict[str, Any]

_BSER = "HL7/bser input/fsh/instances"
_EREC = "CA:eReC guide, Messaging Events; Ontario MessageHeader-example"
_BARS = "NHSDigital/booking-and-referral-fhir-api specification/examples/process_message"
_PH = "UPM-NTHC/ph-ereferral Bundle-ExampleERefSubmissionBundle.json"
_SYNTHEA = "synthetichealth/synthea FhirR4.java"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What is sent: `after` others that must have come before, `follows` the published file."""

    sender: str
    name: str
    follows: str
    sent: Resource
    after: tuple[Resource, ...] = ()


def made() -> Iterator[Example]:
    """Give the examples that this project writes, where no file is stored."""
    yield Example(sender="BSeR", name="message I12", follows=_BSER, sent=bser.message())
    yield Example(sender="BSeR", name="transaction with Task", follows=_BSER, sent=bser.transaction())
    first = erec.message(number="r-1")
    yield Example(sender="CA:eReC", name="add", follows=_EREC, sent=first)
    for name, event in (
        ("update", "notify-update-service-request"),
        ("data correction", "notify-data-correction"),
        ("revoke", "revoke-service-request"),
    ):
        sent = erec.message(event, number="r-1", priority="urgent")
        yield Example(sender="CA:eReC", name=name, follows=_EREC, sent=sent, after=(first,))
    said = erec.communication(number="r-1", text="Fridays only")
    yield Example(sender="CA:eReC", name="communication", follows=_EREC, sent=said, after=(first,))
    grown = erec.message("notify-update-service-request", number="r-1", more=erec.echoed())
    yield Example(sender="Ocean", name="payload that has grown", follows=_EREC, sent=grown, after=(first,))
    for name, reason, status in (("update", "update", "active"), ("cancel", "update", "revoked")):
        sent = bars.message(reason=reason, status=status)
        yield Example(sender="NHS BaRS", name=name, follows=_BARS, sent=sent, after=(bars.message(),))
    yield Example(sender="NHS BaRS", name="new", follows=_BARS, sent=bars.message())
    yield Example(
        sender="Synthea", name="record with a referral", follows=_SYNTHEA, sent=synthea.transaction()
    )
    yield Example(
        sender="Philippine eReferral", name="submission", follows=_PH, sent=philippines.transaction()
    )


def stored() -> Iterator[Example]:
    """Give the stored examples of these senders as they are, and records also with a referral added."""
    for sender, folder in (("NHS BaRS", "nhs-bars/"), ("Synthea", "synthea/")):
        for name, bundle in sample_resources("Bundle"):
            if name.startswith(folder):
                yield Example(sender=sender, name=name, follows="stored", sent=bundle)
            if name.startswith(folder) and sender == "Synthea":
                with_one = synthea.referred(bundle, number=str(bundle["entry"][0]["resource"]["id"]))
                yield Example(
                    sender=sender, name=f"{name} and a ServiceRequest", follows="stored", sent=with_one
                )
    for name, request in sample_resources("ServiceRequest"):
        if name.startswith("hl7-us-core/"):
            yield Example(sender="US Core", name=name, follows="stored", sent=request)
            yield Example(
                sender="US Core", name=f"{name} in a Bundle", follows="stored", sent=_bundled(request)
            )


def _bundled(request: Resource) -> Resource:
    """Send a bare ServiceRequest with the Patient that it names, and nothing else changed."""
    bundle = referrals.bundle(kind=None)
    patient, *_ = bundle["entry"]
    reference = request["subject"]["reference"]
    patient["fullUrl"] = f"http://example.org/fhir/{reference}"
    patient["resource"]["id"] = reference.partition("/")[2]
    entry = {
        "fullUrl": f"http://example.org/fhir/ServiceRequest/{request['id']}",
        "resource": request,
        "request": {"method": "POST", "url": "ServiceRequest"},
    }
    return bundle | {"entry": [patient, entry]}
