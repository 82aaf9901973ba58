"""What events say of a patient that services keep: name, birth date, language, and how to reach them."""

from collections.abc import Iterator
from typing import Any

from shared.events.catalog.reading import Resource
from shared.fhir import people
from shared.fhir.codes import CHANNEL_CONSENT_EXTENSION
from shared.fhir.values import value_of
from shared.people import ChannelConsent, ContactPoint, KnownPerson

_LAST = 1_000_000


def person(patient: Resource) -> KnownPerson:
    """Read who a Patient is."""
    family, given = people.names(patient)
    birth_date = patient.get("birthDate")
    return KnownPerson(family=family, given=given, birth_date=birth_date, language=people.language(patient))


def resource(patient_id: str, known: KnownPerson) -> dict[str, Any]:
    """Render who a patient is, and nothing else, as a Patient."""
    name = {"family": known.family, "given": [known.given] if known.given else None}
    patient: dict[str, Any] = {"resourceType": "Patient", "id": patient_id}
    patient["name"] = [{member: value for member, value in name.items() if value}]
    if known.birth_date is not None:
        patient["birthDate"] = known.birth_date
    if known.language is not None:
        patient["communication"] = [{"language": {"text": known.language}}]
    return patient


def contact_points(patient: Resource) -> list[ContactPoint]:
    """Read the addresses of a Patient that are not `old`, those with a rank first; the order stays else."""
    stated = [point for point in patient.get("telecom", []) if point.get("use") != "old"]
    return [
        ContactPoint(
            system=str(point.get("system", "other")),
            value=str(point["value"]),
            use=point.get("use"),
            rank=point.get("rank"),
            start=point.get("period", {}).get("start"),
            end=point.get("period", {}).get("end"),
        )
        for point in sorted(stated, key=lambda point: int(point.get("rank", _LAST)))
        if point.get("value")
    ]


def channel_consents(patient: Resource) -> list[ChannelConsent]:
    """Read what stands in a Patient about channels; of a Patient of ours it is what the clinic recorded."""
    return [ChannelConsent(**said) for said in _channels(patient)]


def _channels(patient: Resource) -> Iterator[dict[str, Any]]:
    names = ("channel", "permitted", "date")
    for extension in patient.get("extension", []):
        if extension.get("url") == CHANNEL_CONSENT_EXTENSION:
            parts = {part["url"]: value_of(part) for part in extension.get("extension", [])}
            if parts.keys() >= set(names):
                yield {name: parts[name] for name in names}
