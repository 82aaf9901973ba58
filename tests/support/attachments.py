"""Attachments to send in tests: small files of each allowed form, and Bundles whose resources name them."""

from typing import Any
from uuid import uuid4

from tests.support.referrals import bundle

PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
CDA = b'<?xml version="1.0"?>\n<!-- a summary -->\n<ClinicalDocument xmlns="urn:hl7-org:v3"/>\n'
DICOM = bytes(128) + b"DICM" + bytes(64)
FILES = {
    "application/pdf": PDF,
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(60),
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "image/tiff": b"II*\0" + bytes(60),
    "application/dicom": DICOM,
    "application/rtf": rb"{\rtf1\ansi MRI of the lumbar spine}",
    "text/rtf": rb"{\rtf1\ansi MRI of the lumbar spine}",
    "text/xml": CDA,
    "application/xml": CDA,
    "text/plain": "Keine Fraktur. Ödem in L4/L5.\r\n".encode(),
    "text/plain; charset=iso-8859-1": "Ödem in L4/L5.\n".encode("latin-1"),
}


def document(patient: str, url: str, **attachment: Any) -> dict[str, Any]:
    """Make a DocumentReference whose attachment is at this url."""
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": patient},
        "content": [{"attachment": {"url": url, **attachment}}],
    }


def bundle_with(*resources: dict[str, Any], patient: str | None = None, **changed: Any) -> dict[str, Any]:
    """Make a referral with these resources beside it; `{patient}` in a reference is its patient."""
    made = bundle(**changed)
    subject = patient or made["entry"][0]["fullUrl"]
    for resource in resources:
        if resource.get("subject") == {"reference": "{patient}"}:
            resource = resource | {"subject": {"reference": subject}}
        url = resource.pop("_url", f"urn:uuid:{uuid4()}")
        request = {"method": "POST", "url": resource["resourceType"]}
        made["entry"].append({"fullUrl": url, "resource": resource, "request": request})
    return made
