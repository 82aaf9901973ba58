"""Some days at the clinic for browsers to look at, with a patient who means harm among them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import referrals
from tests.support.clinic import TestClinic

EXAMPLE = Path(__file__).parents[2] / "examples" / "referral.json"
SCRIPT = "<script>document.title='stolen'</script>"
BREAKOUT = '"><img src=x onerror="document.title=\'stolen\'">'


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The referrals of the scene, by what they are: ids of their ServiceRequests."""

    clinic: TestClinic
    routine: str
    insured: str
    emergency: str
    hostile: str


async def play(clinic: TestClinic) -> Scene:
    """Send referrals of four kinds, let the first visits be, and a meeting be planned."""
    routine = await _refer(
        clinic, referrals.bundle(identifier="R-1", family="Tanabe", health_card="1000000001")
    )
    insured = await _refer(clinic, EXAMPLE.read_bytes())
    emergency = await _refer(
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
    return Scene(clinic=clinic, routine=routine, insured=insured, emergency=emergency, hostile=hostile)


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
