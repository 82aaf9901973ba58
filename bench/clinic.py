"""The clinic that is measured: the example clinic grown into a network of sites that no run fills.

Every site has its own rapid-access programme, so that a booking looks at one site of eight clinicians and
eight rooms, as it would in a real network, and 28 days hold 2,300 first visits at each site.
"""

from pathlib import Path
from typing import Any

import msgspec

from shared.clinic import load_clinic

SITES = 12
CLINICIANS = 8
EXAMPLE = Path(__file__).parents[1] / "examples" / "clinic.yaml"
_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat"]


def site_of(number: int) -> str:
    """Name the site of the `number`th referral."""
    return f"site-{number % SITES}"


def programme_of(site: str) -> str:
    """Name the rapid-access programme of a site."""
    return f"rapid-access-{site}"


def coordinator_of(site: str) -> str:
    """Name the client that sees the feed of a site."""
    return f"coordinator-{site}"


def write_clinic(path: Path) -> Path:
    """Write clinic.yaml (JSON is YAML) for a run and give its path."""
    clinic = load_clinic(EXAMPLE).model_dump(mode="json", by_alias=True, exclude_none=True)
    rapid = next(one for one in clinic["programmes"] if one["id"] == "rapid-access")
    coordinator = next(one for one in clinic["clients"] if one["id"] == "coordinator")
    sites = list(map(site_of, range(SITES)))
    clinic["sites"] = [*(_site(clinic["sites"][0], site) for site in sites), *clinic["sites"]]
    for site in sites:
        clinic["people"] += _people(clinic["people"], site)
        clinic["programmes"].append({**rapid, "id": programme_of(site), "site": site, "visits": []})
        clinic["clients"].append({**coordinator, "id": coordinator_of(site), "site": site})
    path.write_bytes(msgspec.json.encode(clinic))
    return path


def _site(example: dict[str, Any], site: str) -> dict[str, Any]:
    rooms = [
        {"id": f"{site}-room-{number}", "name": f"Assessment {number}", "kind": "assessment"}
        for number in range(CLINICIANS)
    ]
    meeting = {**example["meeting"], "chair": f"{site}-physiatrist"}
    return {**example, "id": site, "name": site, "rooms": rooms, "equipment": [], "meeting": meeting}


def _people(examples: list[dict[str, Any]], site: str) -> list[dict[str, Any]]:
    by_id = {one["id"]: one for one in examples}
    hours = [{"days": _DAYS, "from": "07:00", "to": "19:00"}]
    physiatrist = {**by_id["physiatrist"], "id": f"{site}-physiatrist", "site": site}
    therapists = [
        {**by_id["physiotherapist"], "id": f"{site}-therapist-{number}", "site": site, "hours": hours}
        for number in range(CLINICIANS)
    ]
    return [physiatrist, *therapists]
