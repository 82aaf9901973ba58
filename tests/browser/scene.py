"""Some days at the clinic for browsers to look at, with a patient who means harm among them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support import referrals
from tests.support.clinic import TestClinic

EXAMPLE = Path(__file__).parents[2] / "examples" / "referral.json"
SCRIPT = "<script>document.title='stolen'</script>"
BREAKOUT = '"><img src=x onerror="document.title=\'stolen\'">'


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Referrals of the scene that tests name, by the ids of their ServiceRequests."""

    routine: str
    insured: str
    hostile: str


async def play(clinic: TestClinic) -> Scene:
    """Send referrals of four kinds, and a message with one of them."""
    routine = await _refer(
        clinic, referrals.bundle(identifier="R-1", family="Tanabe", health_card="1000000001")
    )
    insured = await _refer(clinic, EXAMPLE.read_bytes())
    await _refer(
        clinic,
        referrals.bundle(
            identifier="R-3",
            family="Wong",
            health_card="1000000003",
            answers=referrals.ANSWERS | {"saddle-anaesthesia": "Y"},
        ),
    )
    hostile = await _refer(clinic, _hostile())
    await clinic.settle()
    sender = clinic.as_("family-practice")
    said = {"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": SCRIPT + BREAKOUT}]}
    answer = await sender.post(f"/referral/fhir/ServiceRequest/{hostile}/$send-communication", json=said)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    return Scene(routine=routine, insured=insured, hostile=hostile)


async def hold_first_visit(clinic: TestClinic, referral: str) -> None:
    """Let the time of a referral's first visit come, and its clinician record that it took place."""
    found = await clinic.as_("coordinator").get(
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{referral}"
    )
    visit = found.json()["entry"][0]["resource"]
    actors = [one["actor"]["reference"] for one in visit["participant"]]
    clinician = next(one.removeprefix("Practitioner/") for one in actors if one.startswith("Practitioner/"))
    await clinic.at(datetime.fromisoformat(visit["end"]))
    answer = await clinic.as_(clinician).put(
        f"/scheduling/fhir/Appointment/{visit['id']}",
        json={**visit, "status": "fulfilled"},
        headers={"If-Match": f'W/"{visit["meta"]["versionId"]}"'},
    )
    assert answer.status_code == 200, answer.text
    await clinic.settle()


def _hostile() -> dict[str, Any]:
    bundle = referrals.bundle(identifier="R-4", family=SCRIPT, health_card="1000000004")
    referrals.resource(bundle, "ServiceRequest")["reasonCode"] = [{"text": BREAKOUT}]
    return bundle


async def _refer(clinic: TestClinic, bundle: dict[str, Any] | bytes) -> str:
    sender = clinic.as_("family-practice")
    is_bytes = isinstance(bundle, bytes)
    answer = await sender.post(
        "/referral/fhir", content=bundle if is_bytes else None, json=None if is_bytes else bundle
    )
    assert answer.status_code == 200, answer.text
    locations = [entry["response"]["location"] for entry in answer.json()["entry"] if "response" in entry]
    found = next(one for one in locations if one.startswith("ServiceRequest/") or "/ServiceRequest/" in one)
    return found.partition("ServiceRequest/")[2].partition("/")[0]
